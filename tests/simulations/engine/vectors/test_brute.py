"""Brute force by explicit vectors against the plain kernel and against long double, on easy and on hard data."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest

from remanifold.benchmarks.long_double import posterior
from remanifold.simulations.engine.kernel import in_panels, posterior_sums
from remanifold.simulations.engine.sums import Sums
from remanifold.simulations.engine.vectors import brute
from remanifold.simulations.engine.vectors.lanes import LANES

explicit = pytest.mark.skipif(LANES == 0, reason="no vector instructions known for this processor")


def same_bits(a, b):
    return all(np.array_equal(left, right) for left, right in zip(a, b, strict=True))


def plain(y, x, r):
    return posterior_sums(y, in_panels(y, 64, "float64"), x, r)


def problem(dim, n_points, n_queries, seed=0, broad=1.0):
    """Normal points and queries at the noise level; r from nearly condensed to broad."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((n_points, dim))
    r = broad * (0.3 + dim / 8) * np.geomspace(1.0, 20.0, n_queries)
    x = y[rng.integers(0, n_points, n_queries)] + np.sqrt(r)[:, None] * rng.standard_normal((n_queries, dim))
    return y, x, r


def check(found, expected, tolerance=1e-5):
    """Mean in units of the standard deviation of the data, the others relative to themselves."""
    np.testing.assert_array_equal(found.nearest, expected.nearest)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=0, atol=tolerance)
    for name in ("log_sum", "entropy"):
        a, b = getattr(found, name), getattr(expected, name)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)
    np.testing.assert_allclose(found.participation, expected.participation, rtol=2 * tolerance)
    np.testing.assert_allclose(found.mean_square_distance, expected.mean_square_distance, rtol=tolerance)


# ---- against the plain kernel -----------------------------------------------------------------


@explicit
@pytest.mark.parametrize("dim", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 16, 17, 32, 64, 100, 256, 257, 784])
def test_all_sums_agree_with_the_plain_kernel(dim):
    y, x, r = problem(dim, 1003, 21)
    packed = brute.pack(y)
    assert dim <= 8 or brute.gram_error(packed.largest_norm, x, r).max() < 1.2e-5
    check(brute.brute_sums(packed, x, r), plain(y, x, r))


@explicit
@pytest.mark.parametrize("dim", [9, 40, 70, 300])
def test_direct_differences_agree_too(dim):
    """At the noise level |x-y|²/2r = D/2, and a float32 sum of squares moves ln w by about 6e-8 of that."""
    y, x, r = problem(dim, 1003, 21)
    check(brute.brute_sums(brute.pack(y), x, r, direct=True), plain(y, x, r), max(1e-5, 1e-7 * dim))


@explicit
def test_a_large_image():
    y, x, r = problem(3072, 500, 5)
    check(brute.brute_sums(brute.pack(y), x, r), plain(y, x, r))


@explicit
@pytest.mark.parametrize("dim", [2, 12])
@pytest.mark.parametrize("n_points", [1, 2, 5, 6, 7, 8, 9, 239, 240, 241, 246, 487])
def test_no_number_of_points_or_queries_is_special(dim, n_points):
    for n_queries in (1, 2, 2 * LANES - 1, 2 * LANES, 2 * LANES + 1):
        y, x, r = problem(dim, n_points, n_queries, seed=n_points)
        for direct in (False, True):
            check(brute.brute_sums(brute.pack(y), x, r, direct), plain(y, x, r))


@explicit
@pytest.mark.parametrize("dim", [3, 20])
def test_direct_differences_stand_small_noise(dim):
    """r = 1e-6, two points in play: weights depend on differences that x·y - |y|²/2 in float32 has lost."""
    rng = np.random.default_rng(3)
    y = np.repeat(np.round(rng.standard_normal((300, dim)), 2), 2, axis=0)
    y[1::2, 0] += 2.0**-9
    y = y.astype(np.float32).astype(float)
    x = y[:24:2].copy()
    x[:, 0] += np.linspace(0.3, 0.7, 12) * 2.0**-9
    x = x.astype(np.float32).astype(float)
    r = np.full(12, 1e-6)
    packed, expected = brute.pack(y), plain(y, x, r)
    assert 0.01 < expected.participation.min() < 0.9
    found = brute.brute_sums(packed, x, r, direct=True)
    np.testing.assert_allclose(found.mean, expected.mean, atol=1e-6)
    np.testing.assert_allclose(found.participation, expected.participation, rtol=1e-5)
    assert brute.gram_error(packed.largest_norm, x, r).min() > 0.1
    if dim > 8:  # the estimate is not idle: the other form does fail here
        assert np.abs(brute.brute_sums(packed, x, r).participation - expected.participation).max() > 0.01


@explicit
@pytest.mark.parametrize("gap", [1e-3, 1.0, 20.0, 60.0])
@pytest.mark.parametrize("dim", [1, 10])
def test_entropy_of_two_points_from_even_to_condensed(gap, dim):
    """Weights 1 : e^{-gap}: what is left of the second is not lost next to 1."""
    y = np.zeros((2, dim))
    y[1, 0] = 1.0
    r = np.array([0.5])
    x = np.zeros((1, dim))
    x[0, 0] = 0.5 - gap * r[0]
    found = brute.brute_sums(brute.pack(y), x, r)
    w = 1 / (1 + np.exp(gap))
    np.testing.assert_allclose(found.entropy, -w * np.log(w) - np.log1p(-w) * (1 - w), rtol=1e-5)
    np.testing.assert_allclose(found.mean[0, 0], w, rtol=1e-5)


@explicit
def test_points_far_below_the_best_are_skipped_without_loss():
    """Clouds 0, 5, 9, 13 and 40 standard deviations away, in tiles of their own."""
    rng = np.random.default_rng(4)
    shifts = np.repeat([40.0, 13.0, 9.0, 5.0, 0.0, 9.0, 40.0], 600)
    for dim in (3, 12):
        y = 0.1 * rng.standard_normal((shifts.size, dim))
        y[:, 0] += shifts
        x = np.zeros((3, dim))
        x[:, 0] = [0.0, 11.0, 26.4]
        r = np.ones(3)
        found, expected = brute.brute_sums(brute.pack(y), x, r, direct=True), plain(y, x, r)
        # y ~ 40 rounded to float32 moves ln w by 13 · 2e-6
        np.testing.assert_allclose(found.mean, expected.mean, atol=1e-5 * 40)
        np.testing.assert_allclose(found.entropy, expected.entropy, rtol=1e-4)
        np.testing.assert_array_equal(found.nearest, expected.nearest)


# ---- hard data against long double ------------------------------------------------------------


def hard(name, dim):
    rng = np.random.default_rng(7)
    y = rng.standard_normal((501, dim))
    if name == "duplicates":
        return np.repeat(y[:25], 20, axis=0)
    if name == "far outlier":
        y[7] *= 1e3
    if name == "all equal":
        y[:] = 0
    if name == "one point":
        y = y[:1] * 0
    if name == "huge norms":
        y *= 1e12
    if name == "clusters":
        y += 8 * np.repeat(rng.standard_normal((3, dim)), 167, axis=0)
    if name == "one side":
        y = np.abs(y)
    return y


@explicit
@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long double is no better than double here")
@pytest.mark.parametrize("dim", [3, 9, 33, 300])
@pytest.mark.parametrize(
    "name", ["duplicates", "far outlier", "all equal", "one point", "huge norms", "clusters", "one side"]
)
def test_where_the_estimate_allows_it_errors_are_below_1e_5(name, dim):
    y = hard(name, dim)
    packed = brute.pack(y)
    scale = max(np.abs(y).max(), 1.0) if name != "far outlier" else 4.0
    spread, noise = np.abs(y).max(), (scale if name == "huge norms" else 1.0) ** 2
    rng = np.random.default_rng(8)
    met = 0
    for r in noise * np.array([0.3, 3.0, 30.0, 300.0, 1e5, 1e7]):
        x = y[rng.integers(0, len(y), 4)] + np.sqrt(r) * rng.standard_normal((4, dim))
        ratios = np.full(4, r)
        found, estimate = brute.brute_sums(packed, x, ratios), brute.gram_error(packed.largest_norm, x, ratios)
        assert all(np.all(np.isfinite(field)) for field in found)
        for q in np.flatnonzero((estimate <= 1e-5) | (dim <= 8)):
            exact = posterior(y, x[q], r)
            normalization = np.log(len(y)) + dim / 2 * np.log(2 * np.pi * r)
            tolerance = 1e-5 + (1.2e-7 * scale * np.sqrt(dim / r) if dim <= 8 else 0)  # rounded points
            assert np.abs(found.mean[q] - exact.mean).max() <= tolerance * spread
            error = abs(found.log_sum[q] - normalization - exact.log_density)
            assert error <= tolerance * max(1, abs(exact.log_density))
            assert abs(found.participation[q] / exact.participation - 1) <= 4e-5
            met += 1
    assert met >= 4


@explicit
@pytest.mark.parametrize("dim", [3, 9, 300])
def test_reach_of_single_precision(dim):
    """|x|, |y| up to 1e15 and r from 1e-30 to 1e30 overflow nothing."""
    y = 1e15 * np.concatenate([np.eye(dim), -np.eye(dim)])
    x = np.concatenate([y[:3] / 2, 1e15 * np.ones((1, dim)), np.zeros((1, dim))])
    for r in (1e-30, 1e-8, 1.0, 1e8, 1e30):
        for direct in (False, True):
            found = brute.brute_sums(brute.pack(y), x, np.full(5, r), direct)
            assert all(np.all(np.isfinite(field)) for field in found)
            assert np.all((found.participation <= 1) & (found.participation >= 0.99999 / len(y)))
            assert np.all(found.nearest >= 0)


@explicit
@pytest.mark.parametrize("dim", [2, 11])
def test_equal_points_share_the_weight_and_ties_go_to_the_lowest_index(dim):
    y = np.full((700, dim), 2.0)
    y[[650, 300, 299]] = 0.0
    found = brute.brute_sums(brute.pack(y), np.zeros((1, dim)), np.array([1e-3]))
    np.testing.assert_allclose(found.mean, np.zeros((1, dim)), atol=1e-30)  # weights never fall below 2^-125
    np.testing.assert_allclose([found.participation[0], found.entropy[0]], [1 / 3, np.log(3)], rtol=1e-6)
    assert found.nearest[0] == 299


# ---- what must not matter ---------------------------------------------------------------------

COMPANY = [(3, False), (20, False), (20, True), (300, False), (300, True)]


@explicit
@pytest.mark.parametrize(("dim", "direct"), COMPANY)
def test_a_query_gets_the_same_bits_alone_and_in_company(dim, direct):
    y, x, r = problem(dim, 1500, 300, broad=0.05)
    packed = brute.pack(y)
    together = brute.brute_sums(packed, x, r, direct)
    for chosen in ([0], [17], [299], [5, 280, 44], list(range(40, 80))):
        alone = brute.brute_sums(packed, x[chosen], r[chosen], direct)
        assert same_bits(alone, [field[chosen] for field in together])


@explicit
@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core only")
@pytest.mark.usefixtures("all_cores")
@pytest.mark.parametrize(("dim", "direct"), COMPANY)
def test_number_of_threads_does_not_change_a_bit(dim, direct):
    y, x, r = problem(dim, 1500, 300, broad=0.05)
    packed = brute.pack(y)
    many = brute.brute_sums(packed, x, r, direct)
    try:
        numba.set_num_threads(1)
        one = brute.brute_sums(packed, x, r, direct)
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    assert same_bits(one, many)


@explicit
def test_calls_from_many_python_threads_are_safe():
    y, x, r = problem(12, 1500, 100)
    packed = brute.pack(y)
    expected = brute.brute_sums(packed, x, r)
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: brute.brute_sums(packed, x, r), range(30)))
    assert all(same_bits(result, expected) for result in results)


@pytest.mark.parametrize("dim", [1, 3, 9, 16, 100, 784, 3072])
def test_packed_data_take_half_the_memory_of_the_points(dim):
    packed = brute.pack(np.ones((1200, dim)))
    taken = packed.slabs.nbytes + packed.bias.nbytes
    assert taken <= 1.01 * (0.5 * 1.15 * 8 * 1200 * dim + 4 * 1200)
    assert packed.slabs.ctypes.data % 64 == 0


# ---- other processors -------------------------------------------------------------------------

AGAIN = """
import numpy as np
from remanifold.simulations.engine.kernel import in_panels, posterior_sums
from remanifold.simulations.engine.vectors import brute
from remanifold.simulations.engine.vectors.lanes import LANES
worst = 0.0
for dim in (1, 3, 8, 9, 16, 33, 300):
    rng = np.random.default_rng(dim)
    y, r = rng.standard_normal((733, dim)), np.geomspace(1, 9, 45) * (0.3 + dim / 8)
    x = y[:45] + np.sqrt(r)[:, None] * rng.standard_normal((45, dim))
    found = brute.brute_sums(brute.pack(y), x, r)
    expected = posterior_sums(y, in_panels(y, 64, "float64"), x, r)
    worst = max(worst, *(np.abs(a / b - 1).max() for a, b in zip(found[1:4], expected[1:4])))
    worst = max(worst, np.abs(found.mean - expected.mean).max(), (found.nearest != expected.nearest).max())
print(LANES, worst)
"""


def elsewhere(lanes):
    environment = {**os.environ, "REMANIFOLD_LANES": lanes}
    return subprocess.run([sys.executable, "-c", AGAIN], env=environment, capture_output=True, text=True, check=False)


@explicit
@pytest.mark.slow
@pytest.mark.parametrize("lanes", ["8", "16"])
def test_both_numbers_of_lanes(lanes):
    done = elsewhere(lanes)
    assert done.returncode == 0, done.stderr
    found, worst = done.stdout.split()
    assert found == lanes
    assert float(worst) < 2e-5


def test_without_lanes_the_kernel_says_where_to_go():
    done = elsewhere("0")
    assert (
        "RuntimeError: explicit vectors need a processor with AVX2 or AVX-512: use simulations.engine.kernel"
        in done.stderr
    )


@explicit
def test_the_result_has_the_form_of_the_plain_kernel():
    y, x, r = problem(3, 50, 4)
    found = brute.brute_sums(brute.pack(y), x, r)
    assert isinstance(found, Sums)
    assert [field.shape for field in found] == [(4, 3), (4,), (4,), (4,), (4,), (4,)]
    assert [field.dtype for field in found] == [np.float64] * 4 + [np.int64, np.float64]
