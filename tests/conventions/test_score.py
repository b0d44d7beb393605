"""One Score: the same questions on every leg, and a bare function made one."""

import numpy as np
import pytest

from remanifold.conventions.score import DifferentiableScore, FunctionScore, Score, SpectralScore, as_score
from remanifold.manifolds import Linear
from remanifold.models import LinearScore, RandomFeatureScore
from remanifold.simulations import EmpiricalScore

VARIANCES = np.array([1.5, 0.4, 0.0])
LAW = Linear(VARIANCES)
POINTS = LAW.sample(40, np.random.default_rng(1))
LEGS = {
    "law": LAW,
    "points": EmpiricalScore(POINTS),
    "linear": LinearScore(VARIANCES),
    "features": RandomFeatureScore(POINTS, 20, np.random.default_rng(2)),
}


@pytest.mark.parametrize("leg", LEGS)
def test_every_leg_is_a_spectral_score(leg):
    score, x = LEGS[leg], POINTS[:4] + 0.1
    assert isinstance(score, SpectralScore)
    assert isinstance(score, DifferentiableScore) == (leg in ("linear", "features"))
    assert score.ambient_dim == 3
    np.testing.assert_allclose(score.score(x, 0.3), (score.posterior_mean(x, 0.3) - x) / 0.3, atol=1e-12)
    covariance = score.posterior_covariance(x, 0.3)
    assert covariance.shape == (4, 3, 3)
    symmetric = (covariance + covariance.transpose(0, 2, 1)) / 2
    occupied = np.linalg.eigvalsh(symmetric)[:, ::-1] / 0.3
    np.testing.assert_allclose(score.jacobian_spectrum(x, 0.3, 2), (occupied[:, :2] - 1) / 0.3, atol=1e-10)
    local = score.local_averages(x, 0.3)
    np.testing.assert_allclose(local.dimension, occupied.sum(axis=1), atol=1e-12)
    assert (local.participation is None) == (leg != "points")
    single = score.local_averages(x[2], 0.3)
    assert single.dimension == pytest.approx(local.dimension[2], abs=1e-13)
    assert np.ndim(single.dimension) == 0


@pytest.mark.parametrize("leg", ["points", "linear", "features", "function"])
def test_each_point_may_have_its_own_noise_ratio(leg):
    score = FunctionScore(lambda x, r: -x / (1 + r) + r, 3) if leg == "function" else LEGS[leg]
    x, r = POINTS[:5] + 0.1, np.array([0.1, 2.0, 0.1, 0.7, 2.0])
    asked = [score.score, score.posterior_mean]
    if leg != "function":
        asked += [
            score.posterior_covariance,
            score.jacobian_spectrum,
            lambda x, r: score.local_averages(x, r).dimension,
        ]
    for answer in asked:
        alone = np.array([answer(point, float(ratio)) for point, ratio in zip(x, r, strict=True)])
        np.testing.assert_allclose(answer(x, r), alone, rtol=1e-10, atol=1e-12)


def test_local_averages_average_to_the_curve_of_the_law():
    rng = np.random.default_rng(3)
    x = LAW.sample(2000, rng) + np.sqrt(0.5) * rng.standard_normal((2000, 3))
    found = LEGS["points"].local_averages(
        POINTS.repeat(100, axis=0) + np.sqrt(0.5) * rng.standard_normal((4000, 3)), 0.5
    )
    exact = LEGS["points"].dimension(0.5, rng, 20_000)
    error = np.hypot(found.dimension.std() / np.sqrt(4000), exact.stderr)
    assert abs(found.dimension.mean() - exact.mean) < 4 * error
    np.testing.assert_allclose(LAW.local_averages(x, 0.5).dimension, LAW.dimension(0.5), rtol=1e-12)


def test_a_function_becomes_a_score():
    score = as_score(lambda x, r: -x / (1 + r), 3)
    assert isinstance(score, Score)
    assert not isinstance(score, SpectralScore)
    assert score.score(POINTS[0], 0.5).shape == (3,)
    np.testing.assert_allclose(score.posterior_mean(POINTS, 0.5), POINTS / 1.5, rtol=1e-12)
    assert as_score(LAW, 3) is LAW


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "score = 3"),
        (LinearScore([1.0, 1.0]), "3 dimensions"),
        (lambda x, r: x[:, :2], "score.* has shape"),
        (lambda x, r: x * np.nan, "finite"),
    ],
)
def test_what_is_no_score_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        as_score(given, 3).score(POINTS, 0.5)
