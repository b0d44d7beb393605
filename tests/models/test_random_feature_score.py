"""The random-feature score: its averages over the noise, its optimality, and its two limits."""

import numpy as np
import pytest

from remanifold.models.linear_score import LinearScore
from remanifold.models.random_feature_score import RandomFeatureScore
from remanifold.simulations import EmpiricalScore


@pytest.fixture
def points(rng):
    return rng.standard_normal((12, 3)) * [1.0, 0.5, 0.2] + 3.0


@pytest.mark.parametrize("r", [1e-3, 0.1, 2.0])
def test_loss_is_that_of_sampled_noise(points, r, rng):
    score = RandomFeatureScore(points, 40, rng, length=1.0, ridge=1e-4)
    clean = np.repeat(points, 8000, axis=0)
    errors = clean - score.posterior_mean(clean + np.sqrt(r) * rng.standard_normal(clean.shape), r)
    sampled = np.sum(errors**2, axis=1)
    assert abs(sampled.mean() - score.denoising_loss(r)) < 4 * sampled.std() / np.sqrt(len(sampled))


def test_fit_solves_the_normal_equations_of_sampled_noise(points, rng):
    """At the minimum the gradient of E|y - m|² + ρ(|A|² + |B|²) vanishes: residuals correlate with features by ρ A."""
    score, r, ridge = RandomFeatureScore(points, 8, rng, length=1.0, ridge=0.05), 0.3, 0.05
    clean = np.repeat(points, 30000, axis=0)
    x = clean + np.sqrt(r) * rng.standard_normal(clean.shape)
    u = (x - points.mean(axis=0)) / score.sigma_data
    features = np.sqrt(2) * np.cos(u @ score.wave_vectors.T + score.phases)
    residual = (clean - score.posterior_mean(x, r)) / score.sigma_data
    # A and B read back from the denoiser itself, at enough points to determine them
    design = np.hstack([features[:50], u[:50], np.ones((50, 1))])
    shown = (score.posterior_mean(x[:50], r) - points.mean(axis=0)) / score.sigma_data
    weights = np.linalg.lstsq(design, shown, rcond=None)[0]
    inputs = np.hstack([features, u, np.ones((len(u), 1))])
    penalty = ridge * np.vstack([weights[:-1], np.zeros((1, 3))])
    products = residual[:, None, :] * inputs[:, :, None]
    gradient, error = products.mean(axis=0) - penalty, products.std(axis=0) / np.sqrt(len(u))
    assert np.abs(gradient / error).max() < 4.5  # 36 numbers


def test_without_room_for_features_it_is_the_wiener_filter(points, rng):
    """A ridge that switches the features off leaves the linear part with that same ridge."""
    score = RandomFeatureScore(points, 5, rng, length=1e-3, ridge=1e-3)
    # features so short that the noise has averaged them out: exp(-r|k|²/2) = 0
    linear = LinearScore.fit(points, ridge=1e-3 * score.sigma_data**2)
    x = points + 0.5 * rng.standard_normal(points.shape)
    np.testing.assert_allclose(score.posterior_mean(x, 0.4), linear.posterior_mean(x, 0.4), atol=1e-9)


def test_many_features_memorize(rng):
    """Two points ±1 in one dimension: the posterior mean is tanh(x/r)."""
    score = RandomFeatureScore([[-1.0], [1.0]], 200, rng, length=0.15, ridge=1e-9)
    x = np.linspace(-1.6, 1.6, 25)[:, None]
    np.testing.assert_allclose(score.posterior_mean(x, 0.3), np.tanh(x / 0.3), atol=2e-3)
    points = rng.standard_normal((5, 2))
    score, empirical, r = RandomFeatureScore(points, 400, rng, length=0.15, ridge=1e-9), EmpiricalScore(points), 0.09
    noised = np.repeat(points, 2000, axis=0) + np.sqrt(r) * rng.standard_normal((10000, 2))
    excess = np.sum((score.posterior_mean(noised, r) - empirical.posterior_mean(noised, r)) ** 2, axis=1)
    assert excess.mean() < 0.02 * score.denoising_loss(r)
    # Pythagoras: the loss exceeds the smallest possible one, r d(r), by the distance to the exact posterior mean
    smallest = empirical.dimension(r, rng, 40000)
    error = np.hypot(r * smallest.stderr, excess.std() / 100)
    assert abs(score.denoising_loss(r) - r * smallest.mean - excess.mean()) < 4 * error


def test_more_features_and_less_ridge_lower_the_loss(points, rng):
    losses = [
        RandomFeatureScore(points, 40, np.random.default_rng(0), ridge=ridge).denoising_loss(0.05)
        for ridge in (1e-1, 1e-3, 1e-6)
    ]
    bayes = 0.05 * EmpiricalScore(points).dimension(0.05, rng, 20000).mean
    assert losses[0] > losses[1] > losses[2] > bayes


def test_jacobian_and_products_are_derivatives(points, rng):
    score = RandomFeatureScore(points, 30, rng, length=1.0, ridge=1e-3)
    x, r, step = points[:3], np.array([0.05, 0.05, 1.0]), 1e-5
    slopes = [(score.score(x + e, r) - score.score(x - e, r)) / (2 * step) for e in step * np.eye(3)]
    jacobian = np.stack(slopes, -1)
    covariance = r[:, None, None] * (np.eye(3) + r[:, None, None] * jacobian)
    np.testing.assert_allclose(score.posterior_covariance(x, r), covariance, atol=1e-6)
    symmetric = (jacobian + jacobian.transpose(0, 2, 1)) / 2
    np.testing.assert_allclose(score.jacobian_spectrum(x, r), np.linalg.eigvalsh(symmetric)[:, ::-1], atol=1e-5)
    v = rng.standard_normal((3, 3))
    np.testing.assert_allclose(score.jacobian_product(x, r, v), np.einsum("nij,nj->ni", jacobian, v), atol=1e-5)
    pulled = np.einsum("nji,nj->ni", jacobian, v)
    np.testing.assert_allclose(score.jacobian_product(x, r, v, transpose=True), pulled, atol=1e-5)


def test_forgotten_fits_come_back(points, rng):
    score = RandomFeatureScore(points, 10, rng)
    first = score.score(points, 0.1)
    for r in np.geomspace(0.01, 1.0, 100):
        score.score(points, r)
    np.testing.assert_array_equal(score.score(points, 0.1), first)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": np.ones((3, 2))}, "same point"),
        ({"points": np.ones(3)}, "points has shape"),
        ({"n_features": 0}, "n_features = 0"),
        ({"length": 0.0}, "length = 0.0"),
        ({"ridge": 0.0}, "ridge = 0.0"),
        ({"rng": 3}, "rng = 3"),
    ],
)
def test_bad_arguments(points, rng, arguments, message):
    with pytest.raises(ValueError, match=message):
        RandomFeatureScore(**{"points": points, "n_features": 5, "rng": rng, **arguments})


def test_ridge_too_small(points, rng):
    with pytest.raises(ValueError, match="ridge = 1e-18"):
        RandomFeatureScore(points, 400, rng, length=10.0, ridge=1e-18).score(points, 0.1)
