"""Draws from the posterior weights: frequencies, limits, what must not matter."""

import numba
import numpy as np
import pytest
from scipy.stats import chisquare

from remanifold.benchmarks.long_double import posterior
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.engine.draw import BLOCK

N = 2 * BLOCK + 77  # two full blocks and a part of one


def drawn_index(e, x, r, rng):
    return e.posterior_draws(x, r, rng).index


@pytest.fixture(scope="module")
def cloud():
    y = np.random.default_rng(31).standard_normal((N, 3))
    return y, EmpiricalScore(y)


@pytest.mark.parametrize("r", [0.02, 0.3, 1e6])
def test_frequencies_are_the_posterior_weights(cloud, r):
    """Each of the weights that matter, and the rest together: χ² against long double."""
    y, e = cloud
    x = np.array([0.3, -0.2, 0.5])
    weights = posterior(y, x, r).weights.astype(float)
    trials = 60_000
    counts = np.bincount(drawn_index(e, np.tile(x, (trials, 1)), r, np.random.default_rng(5)), minlength=N)
    common = weights * trials > 20
    observed = np.append(counts[common], counts[~common].sum())
    expected = np.append(weights[common], weights[~common].sum()) * trials
    if expected[-1] < 20:
        observed, expected = observed[:-1], expected[:-1] * (observed[:-1].sum() / expected[:-1].sum())
    assert len(expected) > 5
    assert chisquare(observed, expected).pvalue > 1e-3


def test_each_query_has_its_own_posterior_and_noise_ratio(cloud):
    """E 1{μ drawn} - w_μ at the planted point, over 4000 different queries and ratios: a z-score."""
    y, e = cloud
    rng = np.random.default_rng(1)
    index, r = rng.integers(N, size=4000), rng.uniform(0.02, 2, 4000)
    x = y[index] + np.sqrt(r)[:, None] * rng.standard_normal((4000, 3))
    energy = np.sum((x[:, None] - y) ** 2, axis=2) / (2 * r[:, None])
    boltzmann = np.exp(energy.min(axis=1, keepdims=True) - energy)
    own = boltzmann[np.arange(4000), index] / boltzmann.sum(axis=1)
    excess = (drawn_index(e, x, r, rng) == index) - own
    assert abs(excess.mean()) < 4 * excess.std() / np.sqrt(4000)


def test_without_noise_the_nearest_point_is_drawn(cloud):
    y, e = cloud
    x = y[:300] + 1e-3
    np.testing.assert_array_equal(drawn_index(e, x, 1e-12, np.random.default_rng(0)), e.nearest(x))


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core only")
@pytest.mark.usefixtures("all_cores")
def test_number_of_threads_does_not_change_a_draw(cloud):
    y, e = cloud
    x = np.tile(y, (2, 1))
    many = drawn_index(e, x, 0.5, np.random.default_rng(3))
    try:
        numba.set_num_threads(1)
        one = drawn_index(e, x, 0.5, np.random.default_rng(3))
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    np.testing.assert_array_equal(one, many)


def test_the_precision_of_the_score_does_not_change_a_draw(cloud):
    y, e = cloud
    single = drawn_index(EmpiricalScore(y, "float32"), y, 0.5, np.random.default_rng(3))
    np.testing.assert_array_equal(single, drawn_index(e, y, 0.5, np.random.default_rng(3)))


@pytest.mark.parametrize("r", [1e-12, 1.0, 1e12])
def test_hard_data(r):
    rng = np.random.default_rng(0)
    far = np.concatenate([np.zeros((300, 2)), [[1e8, 0.0]]])
    drawn = drawn_index(EmpiricalScore(far), np.zeros((2000, 2)), r, rng)
    assert drawn.max() < 300
    assert abs(drawn.mean() - 149.5) < 4 * 300 / np.sqrt(12 * 2000)  # equal points are drawn equally often
    np.testing.assert_array_equal(drawn_index(EmpiricalScore([[1.0]]), np.zeros((3, 1)), r, rng), 0)


def test_draws_are_the_training_points_of_their_indices(cloud):
    y, e = cloud
    rng = np.random.default_rng(2)
    for found in (e.draws(5000, rng), e.posterior_draws(y[:40], 0.3, rng)):
        np.testing.assert_allclose(found.points, y[found.index], rtol=1e-14)
        assert found.label is None
    counts = np.bincount(e.draws(100 * N, rng).index, minlength=N)
    assert chisquare(counts).pvalue > 1e-3
    assert repr(e) == f"EmpiricalScore(N={N}, D=3, dtype='float64')"


def test_bad_arguments_are_refused_by_name(cloud):
    _, e = cloud
    with pytest.raises(ValueError, match="rng"):
        drawn_index(e, np.zeros((2, 3)), 1.0, 0)
    with pytest.raises(ValueError, match="r = 0"):
        drawn_index(e, np.zeros((2, 3)), 0.0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="x has shape"):
        drawn_index(e, np.zeros((2, 4)), 1.0, np.random.default_rng(0))
