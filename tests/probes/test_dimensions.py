"""Every rule of the dimension on scores whose dimension is known."""

from functools import partial

import numpy as np
import pytest

from remanifold.manifolds import Linear, Sphere
from remanifold.models import LinearScore, RandomFeatureScore
from remanifold.probes import dimension_curve, dimensions, normal_bundle
from remanifold.simulations import EmpiricalScore

VARIANCES = np.array([2.0, 0.5, 0.1])
DIM = 20


@pytest.fixture
def basis(rng):
    return np.linalg.qr(rng.standard_normal((DIM, 3)))[0]


@pytest.mark.parametrize("kind", [LinearScore, lambda variances, basis: Linear(variances, basis=basis)])
@pytest.mark.parametrize("r", [1e-4, 1e-2])
def test_linear_gaussian(kind, r, basis, rng):
    x = basis @ (np.sqrt(VARIANCES) * rng.standard_normal(3))
    found = dimensions(kind(VARIANCES, basis), x, r, rng)
    assert (found.gap, found.normal_bundle) == (3, 3)
    assert found.cliff == 4  # one more, as the published rule has it
    assert found.occupation == pytest.approx(np.sum(VARIANCES / (VARIANCES + r)), rel=1e-5)
    score = -(basis.T @ x) / (VARIANCES + r)
    divergence = -np.sum(1 / (VARIANCES + r)) - (DIM - 3) / r
    assert found.flipd == pytest.approx(DIM + r * (divergence + np.sum(score**2)), rel=1e-5)


@pytest.mark.parametrize("r", [1e-3, 0.3, 10.0])
def test_curve_of_a_linear_gaussian(r, basis, rng):
    points = (rng.standard_normal((5, 3)) * np.sqrt(VARIANCES)) @ basis.T
    exact = np.sum(VARIANCES / (VARIANCES + r))
    for score in (LinearScore(VARIANCES, basis), Linear(VARIANCES, basis=basis).score):
        assert dimension_curve(score, r, rng, points=points).mean == pytest.approx(exact, rel=1e-5)


def test_curve_of_points_is_their_own_dimension(rng):
    """Differences of the empirical score, at planted points, against its exact Σ w |y - m|²/r."""
    data = rng.standard_normal((20, 3))
    empirical, r = EmpiricalScore(data), np.array([0.03, 0.3, 3.0])
    planted = dimension_curve(empirical, r, np.random.default_rng(1), points=np.repeat(data, 10, axis=0))
    exact = empirical.dimension(r, np.random.default_rng(2), 20000)
    assert np.all(np.abs(planted.mean - exact.mean) < 4 * np.hypot(planted.stderr, exact.stderr))
    some = dimension_curve(empirical, r, np.random.default_rng(1), points=np.repeat(data, 10, axis=0), probes=1)
    assert np.all(np.abs(some.mean - planted.mean) < 4 * some.stderr)
    assert some.mean.shape == r.shape


def test_curve_of_a_learned_score_is_what_it_says_itself(rng):
    data = rng.standard_normal((30, 3))
    score, r = RandomFeatureScore(data, 10, rng), np.array([0.1, 1.0])
    for probes in (None, 2):
        curves = [
            found(np.random.default_rng(4), points=data, probes=probes)
            for found in (partial(dimension_curve, score, r), partial(score.dimension, r))
        ]
        np.testing.assert_allclose(*(curve.mean for curve in curves), rtol=1e-12)
        np.testing.assert_allclose(*(curve.stderr for curve in curves), rtol=1e-9)


def test_sphere_and_its_collapse(rng):
    law = Sphere(intrinsic_dim=3, ambient_dim=12)
    points = law.sample(3000, rng)
    for r in (1e-3, 1e-4):
        found = dimensions(law, points[0], r, rng)
        assert (found.gap, found.normal_bundle) == (3, 3)
        assert found.occupation == pytest.approx(3, abs=40 * r)
        assert found.flipd == pytest.approx(3, abs=40 * r)
    collapsed = dimensions(EmpiricalScore(points), points[0], 1e-5, rng)
    assert collapsed.occupation == pytest.approx(0, abs=1e-6)
    assert collapsed.gap is None  # all singular values are 1/r


def test_normal_bundle_by_its_definition(rng):
    """On a hyperplane the scores at displaced points are -ξ_D/√r along the normal: rank one, dimension D - 1."""
    seen = []

    def score(x, r):
        seen.append(x)
        return -np.outer(x[:, -1], np.eye(6)[-1]) / r

    assert normal_bundle(score, np.zeros(6), 0.01, rng) == 5
    assert seen[0].shape == (24, 6)
    assert np.std(seen[0]) == pytest.approx(0.1, rel=0.3)
    assert normal_bundle(score, np.zeros(6), 0.01, rng, displacements=6) == 5


def test_no_dimension_where_there_is_no_gap(rng):
    found = dimensions(LinearScore([1.0, 1.0]), [0.0, 0.0], 0.1, rng)
    assert found.gap is None
    assert found.cliff is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: dimensions(LinearScore([1.0]), [0.0], 1.0, rng), "x = "),
        (lambda rng: dimensions(LinearScore([1.0, 1.0]), [0.0, 0.0], 1.0, 3), "rng = 3"),
        (lambda rng: normal_bundle(LinearScore([1.0] * 3), np.zeros(3), 1.0, rng, 2), "displacements = 2"),
        (lambda rng: normal_bundle(LinearScore([1.0] * 3), np.zeros((1, 3)), 1.0, rng), "x = "),
        (lambda rng: normal_bundle(LinearScore([1.0] * 3), np.zeros(3), 0.0, rng), "r = 0.0"),
        (lambda rng: dimension_curve(lambda x, r: -x, 1.0, rng, points=np.zeros((1, 3))), "points has shape"),
        (lambda rng: dimension_curve(lambda x, r: -x, [1.0, 0.0], rng, points=np.zeros((2, 3))), "r = "),
    ],
)
def test_bad_arguments(call, message, rng):
    with pytest.raises(ValueError, match=message):
        call(rng)
