"""Points walked through in parts: the same sums, put together without loss."""

import mpmath
import numba
import numpy as np
import pytest

from remanifold.benchmarks.long_double import posterior
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.engine import sums
from remanifold.simulations.engine.kernel import in_panels, posterior_sums
from remanifold.simulations.engine.vectors import brute
from remanifold.simulations.engine.vectors.lanes import LANES


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Parts of 64 points or so, so that small sets have eight of them."""
    monkeypatch.setattr(sums, "_PART", 16 * 64)


def clouds():
    rng = np.random.default_rng(3)
    cloud = rng.standard_normal((600, 4))
    twins = np.concatenate([cloud[:300], cloud[:300]])  # every point again in another part
    outlier = np.concatenate([cloud, np.full((1, 4), 1e6)])
    return {"cloud": cloud, "twins": twins, "outlier": outlier, "all equal": np.ones((600, 4)), "line": cloud[:, :1]}


def double(y, x, r):
    return posterior_sums(y, in_panels(y, 32, "float64"), x, r)


def test_there_are_parts():
    assert -(-600 // sums.part_size(600, 4, 32)) == 7
    assert sums.part_size(10**9, 4, 240) == 125000160  # never more than eight
    assert sums.part_size(63, 4, 32) == 64  # one


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long double is no better than double")
@pytest.mark.parametrize("name", clouds())
@pytest.mark.parametrize("r", [1e-10, 1e-4, 1e-2, 1.0, 1e4, 1e10])
def test_sums_of_parts_agree_with_long_double(name, r):
    y = clouds()[name]
    rng = np.random.default_rng(5)
    x = y[[0, 100, 599]] + np.sqrt(r) * rng.standard_normal((3, y.shape[1]))
    found = double(y, x, np.full(3, r))
    for q, query in enumerate(x):
        exact = posterior(y, query, r)
        log_sum = float(exact.log_density) + np.log(len(y)) + 0.5 * y.shape[1] * np.log(2 * np.pi * r)
        assert np.abs(found.mean[q] - exact.mean).max() <= 1e-10 * np.abs(y).max()
        assert found.log_sum[q] == pytest.approx(log_sum, rel=1e-12, abs=1e-12)
        assert found.participation[q] == pytest.approx(float(exact.participation), rel=1e-10)
        assert abs(found.entropy[q] - exact.entropy) <= 1e-10 * exact.entropy + 1e-24
        assert found.mean_square_distance[q] == pytest.approx(float(exact.mean_square_distance), rel=1e-10)
        assert found.nearest[q] == exact.nearest


@pytest.mark.skipif(not LANES, reason="no vector instructions")
@pytest.mark.parametrize("dim", [3, 12, 300])
def test_explicit_vectors_in_parts_agree_with_the_plain_kernel(dim):
    rng = np.random.default_rng(6)
    y = np.repeat(rng.standard_normal((1000, dim)), 2, axis=0)[rng.permutation(2000)]
    x = y[:16] + rng.standard_normal((16, dim))
    r = np.geomspace(0.3, 30, 16)
    packed = brute.pack(y)
    assert -(-2000 // sums.part_size(2000, dim, 240)) > 4
    expected, found = double(y, x, r), brute.brute_sums(packed, x, r, direct=True)
    assert np.abs(found.mean - expected.mean).max() < 1e-5 * np.abs(y).max()
    np.testing.assert_allclose(found.log_sum, expected.log_sum, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.participation, expected.participation, rtol=3e-5)
    np.testing.assert_allclose(found.entropy, expected.entropy, rtol=3e-5, atol=3e-5)
    np.testing.assert_allclose(found.mean_square_distance, expected.mean_square_distance, rtol=1e-5)
    assert np.array_equal(found.nearest, expected.nearest)  # of each pair of twins the first
    alone = brute.brute_sums(packed, x[7:8], r[7:8], direct=True)
    assert all(np.array_equal(one[0], among[7]) for one, among in zip(alone, found, strict=True))


@pytest.mark.parametrize("gap", [1e-9, 1.0, 30.0, 55.0, 200.0, 600.0])
def test_entropy_between_parts_keeps_its_digits(gap):
    """Two points in different parts with weights 1 : e^{-gap}, the others out of reach (mpmath, 400 digits)."""
    y = np.full((128, 1), 1e6)
    y[0], y[100] = 0.0, 1.0
    found = double(y, np.array([[0.5 - gap / 2]]), np.array([0.5]))  # (1-x)² - x² = gap, 2r = 1
    with mpmath.workdps(400):
        odds = mpmath.exp(-mpmath.mpf(float((1 - (0.5 - gap / 2)) ** 2 - (0.5 - gap / 2) ** 2)))
        exact = mpmath.log1p(odds) - odds / (1 + odds) * mpmath.log(odds)
        participation = (1 + odds**2) / (1 + odds) ** 2
        assert abs(found.entropy[0] / exact - 1) < 1e-12
        assert abs(found.participation[0] / participation - 1) < 1e-13


@pytest.mark.parametrize("engine", ["plain", pytest.param("vectors", marks=pytest.mark.skipif(not LANES, reason="no"))])
def test_threads_and_batches_change_not_a_bit(all_cores, monkeypatch, engine):
    rng = np.random.default_rng(8)
    y = rng.standard_normal((3000, 3))
    x = y[:700] + rng.standard_normal((700, 3))
    score = EmpiricalScore(y, "float32" if engine == "vectors" else "float64", engine=engine)
    whole = score.observe(x, 1.0)
    threads = numba.get_num_threads()
    monkeypatch.setattr(sums, "_BYTES", 1)  # batches of 256
    numba.set_num_threads(1)
    try:
        again = score.observe(x, 1.0)
    finally:
        numba.set_num_threads(threads)
    assert all(np.array_equal(*pair) for pair in zip(whole, again, strict=True))
