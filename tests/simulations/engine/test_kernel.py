"""What must not matter: threads, blocks, batching, order of the points, the frame of reference."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remanifold.simulations import EmpiricalScore


def same_bits(a, b):
    return all(np.array_equal(left, right) for left, right in zip(a, b, strict=True))


@pytest.fixture(scope="module")
def cloud():
    rng = np.random.default_rng(11)
    y = rng.standard_normal((2000, 5))
    return y, y[:333] + 0.5 * rng.standard_normal((333, 5))


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core only")
@pytest.mark.usefixtures("all_cores")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_number_of_threads_does_not_change_a_bit(cloud, dtype):
    y, x = cloud
    e = EmpiricalScore(y, dtype)
    many = e.observe(x, 0.3)
    try:
        numba.set_num_threads(1)
        one = e.observe(x, 0.3)
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    assert same_bits(one, many)


@pytest.mark.parametrize("block", [8, 16, 64, 512, 4096])
def test_block_size_does_not_matter(cloud, block):
    y, x = cloud
    reference, found = EmpiricalScore(y).observe(x, 0.3), EmpiricalScore(y, block=block).observe(x, 0.3)
    for left, right in zip(found, reference, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12 * np.abs(y).max())


def test_a_query_gets_the_same_answer_alone_and_in_company(cloud):
    y, x = cloud
    e = EmpiricalScore(y)
    together = e.observe(x, 0.3)
    for q in (0, 1, 2, 3, 332):
        for alone, among in zip(e.observe(x[q], 0.3), together, strict=True):
            np.testing.assert_allclose(alone, among[q], rtol=1e-13, atol=1e-13)


def test_each_query_may_have_its_own_noise_ratio(cloud):
    y, x = cloud
    e = EmpiricalScore(y)
    ratios = np.geomspace(1e-3, 1e3, len(x))
    together = e.observe(x, ratios)
    for q in (0, 100, 332):
        for alone, among in zip(e.observe(x[q], ratios[q]), together, strict=True):
            np.testing.assert_allclose(alone, among[q], rtol=1e-13, atol=1e-13)


def test_calls_from_many_python_threads_are_safe(cloud):
    """Numba's workqueue layer aborts the process when entered twice; the lock must prevent that."""
    y, x = cloud
    e = EmpiricalScore(y)
    expected = e.observe(x, 0.3)
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: e.observe(x, 0.3), range(40)))
    assert all(same_bits(result, expected) for result in results)


def test_neither_torch_nor_a_queries_by_points_matrix_is_ever_loaded():
    """3000 queries × 40000 points would fill 960 MB; the peak memory may grow by 60 MB at most."""
    script = """
import resource, sys
import numpy as np, numba
from remanifold.simulations import EmpiricalScore
assert "torch" not in sys.modules
rng = np.random.default_rng(0)
e = EmpiricalScore(rng.standard_normal((40000, 2)))
e.observe(np.zeros((4, 2)), 1.0)
x = rng.standard_normal((3000, 2))
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
e.observe(x, 1e3)
e.posterior_covariance(x[:3], 1e3)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(after - before, numba.threading_layer())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    grown, layer = done.stdout.split()
    assert int(grown) < 60e6
    assert layer == "workqueue"


shapes = st.tuples(st.integers(1, 40), st.integers(1, 6))
seeds = st.integers(0, 2**32 - 1)
noise_ratios = st.floats(-3, 3).map(lambda exponent: 10.0**exponent)
briefly = settings(max_examples=40, deadline=None)


def draw(shape, seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(-3, 3, shape), rng.uniform(-3, 3, (5, shape[1])), rng


@briefly
@given(shapes, seeds, noise_ratios)
def test_order_of_the_points_does_not_matter(shape, seed, r):
    y, x, rng = draw(shape, seed)
    order = rng.permutation(len(y))
    straight, shuffled = EmpiricalScore(y).observe(x, r), EmpiricalScore(y[order]).observe(x, r)
    np.testing.assert_array_equal(order[shuffled.nearest], straight.nearest)
    for name in ("mean", "log_density", "participation", "entropy", "mean_square_distance"):
        np.testing.assert_allclose(
            getattr(shuffled, name), getattr(straight, name), rtol=1e-10, atol=1e-11, err_msg=name
        )


@briefly
@given(shapes, seeds, noise_ratios)
def test_a_doubled_data_set_has_the_same_law_and_half_the_participation(shape, seed, r):
    y, x, _ = draw(shape, seed)
    once, twice = EmpiricalScore(y).observe(x, r), EmpiricalScore(np.concatenate([y, y])).observe(x, r)
    np.testing.assert_allclose(twice.mean, once.mean, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(twice.log_density, once.log_density, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(twice.participation, once.participation / 2, rtol=1e-11)
    np.testing.assert_allclose(twice.entropy, once.entropy + np.log(2), rtol=1e-11)
    np.testing.assert_array_equal(twice.nearest, once.nearest)


@briefly
@given(shapes, seeds, noise_ratios)
def test_rotations_and_translations_move_the_posterior_along(shape, seed, r):
    y, x, rng = draw(shape, seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((shape[1], shape[1])))
    shift = rng.uniform(-10, 10, shape[1])
    still, moved = EmpiricalScore(y), EmpiricalScore(y @ rotation + shift)
    before, after = still.observe(x, r), moved.observe(x @ rotation + shift, r)
    np.testing.assert_allclose(after.mean, before.mean @ rotation + shift, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(after.log_density, before.log_density, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(after.participation, before.participation, rtol=1e-8)
    turned = rotation.T @ still.posterior_covariance(x, r) @ rotation
    np.testing.assert_allclose(moved.posterior_covariance(x @ rotation + shift, r), turned, atol=1e-8)


@briefly
@given(shapes, seeds, noise_ratios)
def test_observables_stay_in_their_ranges(shape, seed, r):
    y, x, _ = draw(shape, seed)
    n = len(y)
    p = EmpiricalScore(y).observe(x, r)
    assert np.all(p.participation >= (1 - 1e-13) / n)
    assert np.all(p.participation <= 1)
    assert np.all(p.entropy >= 0)
    assert np.all(p.entropy <= np.log(n) * (1 + 1e-13) + 1e-15)
    # Rényi entropies decrease with their order
    assert np.all(-np.log(p.participation) <= p.entropy + 1e-12)
    assert np.all(p.mean <= y.max(axis=0) + 1e-12)
    assert np.all(p.mean >= y.min(axis=0) - 1e-12)
