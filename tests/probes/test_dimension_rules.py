"""Dimensions read off spectra of known manifolds, and off the scores of Gaussians and mixtures."""

import numpy as np
import pytest

from remanifold.probes.dimension_rules import cliff, flipd, largest_gap, occupation

VARIANCES = np.array([1.0, 0.5, 0.2])  # a linear manifold of dimension 3 …
AMBIENT = 20  # … in 20 dimensions
R = 1e-3


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def singular_values(rng=None, noise=0.0):
    """Of the score's Jacobian: 1/r in 17 normal directions, 1/(λ+r) in 3 tangent ones."""
    values = np.concatenate([np.full(AMBIENT - 3, 1 / R), 1 / (VARIANCES + R)])
    if rng is not None:
        values = values + noise / R * rng.random(AMBIENT)
    return np.sort(values)[::-1]


def test_gap_finds_the_dimension(rng):
    assert largest_gap(singular_values()) == 3
    assert largest_gap(singular_values(rng, noise=0.1)) == 3


def test_gap_prefers_the_larger_dimension_among_equals():
    assert largest_gap([3.0, 2.0, 1.0]) == 2


def test_published_rule_counts_the_last_normal_direction_as_tangent(rng):
    assert cliff(singular_values()) == 4
    assert cliff(singular_values(rng, noise=1e-3)) == 4


def test_first_of_two_cliffs_counts():
    levels = np.repeat([100.0, 50.0, 1.0], [10, 6, 8]) + np.linspace(0.1, 0, 24) ** 2
    assert cliff(levels) == 24 - 9


def test_no_cliff():
    assert cliff(np.linspace(10, 1, 20)) is None
    assert cliff(np.ones(20)) is None
    assert cliff(np.linspace(10, 1, 20) ** 2) is None  # a constant bend is not a strong one


def test_rounding_is_not_a_cliff(rng):
    flat = np.sort(1 / R * (1 + 1e-15 * rng.random(AMBIENT)))[::-1]
    assert cliff(flat) is None


def test_leading_outliers_are_dropped():
    values = np.concatenate([[9000.0, 3000.0], singular_values()])
    assert cliff(values) == 4
    assert cliff(values, drop=0) == 21
    assert cliff(values, threshold=1e9) == 4  # all other bends are exactly 0


def test_threshold_is_in_medians():
    bends = np.array([1.0, 2.0, 1.0, 30.0, 1.0, 1.0, 1.0])
    values = np.cumsum(np.cumsum(np.concatenate([[1.0, 1.0], bends[::-1]])))[::-1]
    # Second differences from the largest value on: 1, 2, 1, 30, 1, 1, 1; their median is 1.
    assert cliff(values, drop=0) == 9 - 4
    assert cliff(values, drop=0, threshold=1.5) == 9 - 2
    assert cliff(values, drop=0, threshold=31.0) is None


def test_occupation_counts_directions_wider_than_the_noise():
    eigenvalues = np.concatenate([np.full(AMBIENT - 3, -1 / R), -1 / (VARIANCES + R)])
    assert occupation(eigenvalues, R) == pytest.approx(1 / 1.001 + 0.5 / 0.501 + 0.2 / 0.201, rel=1e-9)
    both = occupation(np.stack([eigenvalues, np.full(AMBIENT, -0.5)]), [R, 2.0])
    np.testing.assert_allclose(both, [occupation(eigenvalues, R), 0.0], atol=1e-12)


def test_flipd_on_a_linear_manifold_and_on_average(rng):
    variances = np.concatenate([VARIANCES, np.zeros(AMBIENT - 3)])
    on_manifold = np.sqrt(variances) * rng.standard_normal((50, AMBIENT))
    divergence = np.full(50, -np.sum(1 / (variances + R)))
    values = flipd(-on_manifold / (variances + R), divergence, R)
    np.testing.assert_allclose(values, 3, atol=0.15)
    # Over x ~ p_r Stein's identity makes the mean D, whatever the law.
    noised = np.sqrt(variances + 0.5) * rng.standard_normal((40000, AMBIENT))
    values = flipd(-noised / (variances + 0.5), np.full(40000, -np.sum(1 / (variances + 0.5))), 0.5)
    assert abs(values.mean() - AMBIENT) < 4 * values.std() / 200


def test_flipd_is_the_growth_of_the_density_with_the_noise():
    """D + ∂ log p/∂ ln σ at fixed x, for points ±1 in one dimension."""
    x, sigma, step = 0.7, 0.8, 1e-4

    def log_density(s):
        return np.logaddexp(-((x - 1) ** 2) / (2 * s**2), -((x + 1) ** 2) / (2 * s**2)) - np.log(s)

    growth = (log_density(sigma * np.exp(step)) - log_density(sigma * np.exp(-step))) / (2 * step)
    r = sigma**2
    mean = np.tanh(x / r)
    score, divergence = (mean - x) / r, ((1 - mean**2) / r - 1) / r
    assert flipd([score], divergence, r) == pytest.approx(1 + growth, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: largest_gap([1.0, 1.0]), "no gap"),
        (lambda: largest_gap([1.0]), "singular_values has shape"),
        (lambda: largest_gap([1.0, 2.0]), "descending"),
        (lambda: largest_gap([1.0, -2.0]), "singular_values = "),
        (lambda: cliff(np.ones(7)), "D ≥ 8"),
        (lambda: cliff(np.ones((9, 9))), "singular_values has shape"),
        (lambda: cliff(np.ones(9), drop=-1), "drop = -1"),
        (lambda: cliff(np.ones(9), drop=1.5), "drop = 1.5"),
        (lambda: cliff(np.ones(9), threshold=0.0), "threshold = 0.0"),
        (lambda: occupation([-1.0], 0.0), "r = 0.0"),
        (lambda: occupation([[-1.0], [-2.0]], [1.0, 2.0, 3.0]), "eigenvalues"),
        (lambda: flipd([[1.0, 2.0]], 3.0, 1.0), "divergence"),
        (lambda: flipd([1.0, 2.0], 3.0, [1.0, 2.0]), "r has shape"),
        (lambda: flipd([1.0, np.inf], 3.0, 1.0), "score = "),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
