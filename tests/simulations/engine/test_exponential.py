"""Accuracy of the kernel against brute force in long double and in mpmath."""

import mpmath
import numpy as np
import pytest

from remanifold.benchmarks.long_double import posterior
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.engine.exponential import exponential32, exponential64

RATIOS = [1e-8, 1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e4, 1e6]
SHAPES = [(700, 1), (1000, 3), (1500, 32), (37, 50)]

pytestmark = pytest.mark.skipif(
    np.finfo(np.longdouble).eps > 1e-18, reason="long double is no better than double on this machine"
)


def queries_at(y, r, rng):
    """Four queries at the noise level, two anywhere in the cloud, one outside it."""
    planted = y[:4] + np.sqrt(r) * rng.standard_normal((4, y.shape[1]))
    return np.concatenate([planted, rng.standard_normal((2, y.shape[1])), 30 * np.ones((1, y.shape[1]))])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("r", RATIOS)
def test_double_precision_agrees_with_long_double_from_tiny_to_huge_noise(r, shape):
    rng = np.random.default_rng(7)
    y = rng.standard_normal(shape)
    x = queries_at(y, r, rng)
    found = EmpiricalScore(y).observe(x, r)
    scale = np.abs(y).max()
    for q, query in enumerate(x):
        exact = posterior(y, query, r)
        # competing neighbours at distance Δ: a rounding of |x-y|² moves ln w by 1e-16 Δ²/2r
        conditioning = 1e-11 + 1e-15 * float(exact.mean_square_distance) / r
        tolerance = min(conditioning, 1e-10)
        assert np.abs(found.mean[q] - exact.mean).max() <= tolerance * scale
        assert abs(found.log_density[q] - exact.log_density) <= 1e-13 * max(1, abs(exact.log_density))
        assert abs(found.participation[q] / exact.participation - 1) <= tolerance
        assert abs(found.entropy[q] - exact.entropy) <= tolerance * exact.entropy + 1e-24
        assert abs(found.mean_square_distance[q] / exact.mean_square_distance - 1) <= 1e-12
        assert found.nearest[q] == exact.nearest


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("r", [3e-2, 1.0, 1e2, 1e6])
def test_single_precision_is_limited_by_rounded_points_only(r, shape):
    """Coordinates up to 4 are rounded by at most 1.2e-7 (half a unit in the last place), which moves
    ln w by up to |x-y| · 1.2e-7 · √D/r.  Within 1e-5 of the scale wherever that permits."""
    rng = np.random.default_rng(8)
    y = rng.standard_normal(shape)
    x = y[:6] + np.sqrt(r) * rng.standard_normal((6, shape[1]))
    found = EmpiricalScore(y, "float32").observe(x, r)
    for q, query in enumerate(x):
        exact = posterior(y, query, r)
        logits = 1.2e-7 * float(exact.mean_square_distance) ** 0.5 * shape[1] ** 0.5 / r
        tolerance = max(1e-5, 2 * logits)
        assert np.abs(found.mean[q] - exact.mean).max() <= tolerance * np.abs(y).max()
        assert abs(found.log_density[q] - exact.log_density) <= tolerance * max(1, abs(exact.log_density))
        assert abs(found.participation[q] / exact.participation - 1) <= tolerance
        assert found.mean.dtype == np.float64


def test_single_precision_survives_many_coordinates():
    """784 coordinates, several points in play: a plain float32 sum of squares would err by 1e-4 here."""
    rng = np.random.default_rng(12)
    y = rng.standard_normal((20000, 784))
    x = y[:6] + np.sqrt(60.0) * rng.standard_normal((6, 784))
    single, double = EmpiricalScore(y, "float32").observe(x, 60.0), EmpiricalScore(y).observe(x, 60.0)
    assert double.participation.min() < 0.5
    assert np.abs(single.mean - double.mean).max() < 1e-5 * np.abs(y).max()
    assert np.abs(single.participation / double.participation - 1).max() < 2e-5


@pytest.mark.parametrize("gap", [1e-9, 1e-3, 1.0, 30.0, 55.0, 200.0, 600.0])
def test_entropy_of_two_points_from_even_to_condensed(gap):
    """S for weights 1 : e^{-gap}, to full relative accuracy down to S ~ 1e-258 (mpmath, 400 digits)."""
    y = np.array([[0.0], [1.0]])
    r = 0.5
    found = EmpiricalScore(y).observe(np.array([0.5 - gap * r]), r)
    with mpmath.workdps(400):
        # the query as rounded to float64, so that the reference sees the same gap
        x = mpmath.mpf(float(np.float64(0.5 - gap * r)))
        odds = mpmath.exp(-(1 - 2 * x) / (2 * mpmath.mpf(r)))
        w = odds / (1 + odds)
        entropy = -w * mpmath.log(w) - (1 - w) * mpmath.log(1 - w)
        assert abs(found.entropy / entropy - 1) < 1e-12
        assert abs(found.participation / (w**2 + (1 - w) ** 2) - 1) < 1e-13


def test_skipped_blocks_lose_nothing_that_counts():
    """Clouds 0, 5, 9, 13 and 40 standard deviations away: some blocks are skipped, some just not."""
    rng = np.random.default_rng(3)
    shifts = np.repeat([40.0, 13.0, 9.0, 5.0, 0.0, 9.0, 40.0], 300)
    y = 0.1 * rng.standard_normal((shifts.size, 3)) + shifts[:, None] * np.array([1.0, 0, 0])
    x = np.array([[0.0, 0, 0], [11.0, 0, 0], [26.4, 0, 0]])
    found = EmpiricalScore(y, block=64).observe(x, 1.0)
    for q in range(3):
        exact = posterior(y, x[q], 1.0)
        assert np.abs(found.mean[q] - exact.mean).max() < 1e-13 * 40
        assert abs(found.entropy[q] / exact.entropy - 1) < 1e-13


def test_large_common_offset_costs_no_accuracy():
    rng = np.random.default_rng(4)
    shift = np.array([1e6, -1e8, 3e3])
    y = rng.standard_normal((400, 3)).astype(np.float32).astype(np.float64)
    y = (y + shift) - shift  # representable together with the shift
    x = (y[:8] + 0.25 + shift) - shift
    for dtype, tolerance in (("float64", 1e-13), ("float32", 1e-5)):
        near, far = EmpiricalScore(y, dtype), EmpiricalScore(y + shift, dtype)
        np.testing.assert_allclose(far.score(x + shift, 0.3), near.score(x, 0.3), atol=tolerance * 30)
        np.testing.assert_allclose(far.log_density(x + shift, 0.3), near.log_density(x, 0.3), rtol=tolerance)


@pytest.mark.parametrize(
    ("function", "kind", "floor"), [(exponential64, np.float64, -700.0), (exponential32, np.float32, -87.0)]
)
def test_polynomial_exponential_is_good_to_one_unit_in_the_last_place(function, kind, floor):
    rng = np.random.default_rng(0)
    t = np.concatenate([-(10 ** rng.uniform(-20, np.log10(-floor), 4000)), [0.0, floor]]).astype(kind)
    found = np.array([function(value) for value in t])
    exact = np.exp(t.astype(np.longdouble))
    units = np.abs(found - exact) / np.spacing(exact.astype(kind))
    assert units.max() < 1.5
    assert function(kind(0)) == 1
