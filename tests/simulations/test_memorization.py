"""Nearest neighbours and the two criteria for a copy."""

import numba
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from remanifold.manifolds import Linear
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.exact_draws import noisy_points
from remanifold.simulations.memorization import memorized_fraction, novelty
from remanifold.simulations.neighbours import two_nearest
from remanifold.simulations.reverse import reverse


@pytest.mark.parametrize(("n", "dim"), [(2, 1), (255, 3), (700, 40)])
def test_neighbours_are_those_of_a_tree(n, dim):
    rng = np.random.default_rng(n)
    y, x = rng.standard_normal((n, dim)), rng.standard_normal((70, dim))
    distance, index = NearestNeighbors(n_neighbors=2, algorithm="ball_tree").fit(y).kneighbors(x)
    found = two_nearest(x, y)
    np.testing.assert_array_equal(found.which, index)
    np.testing.assert_allclose(found.distance, distance, rtol=1e-13)


def test_ties_and_copies():
    y = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [5.0, 5.0], [5.0, 5.0]])
    found = two_nearest([[0.0, 0.0], [5.0, 5.0]], y)
    np.testing.assert_array_equal(found.which, [[0, 1], [3, 4]])
    np.testing.assert_array_equal(found.distance, [[1, 1], [0, 0]])
    assert memorized_fraction([[5.0, 5.0]], y).mean == 1  # a copy of a duplicate
    assert memorized_fraction([[0.0, 0.0]], y).mean == 0


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core only")
@pytest.mark.usefixtures("all_cores")
def test_number_of_threads_does_not_change_neighbours():
    x = np.random.default_rng(0).standard_normal((500, 3))
    many = two_nearest(x, x)
    try:
        numba.set_num_threads(1)
        one = two_nearest(x, x)
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    np.testing.assert_array_equal(one.which, many.which)
    np.testing.assert_array_equal(one.distance, many.distance)


@pytest.mark.parametrize(("dim", "threshold"), [(1, 1 / 3), (3, 1 / 3), (2, 0.5)])
def test_fresh_points_pass_for_copies_with_probability_threshold_to_the_dimension(dim, threshold):
    """Far from the walls the training points around a fresh point are a Poisson process: P(d_1 < c d_2) = c^dim."""
    rng = np.random.default_rng(7)
    training = rng.random((100_000 if dim == 1 else 20_000, dim))
    fresh = rng.uniform(0.2, 0.8, (6000, dim))
    mean, stderr = memorized_fraction(fresh, training, threshold)
    assert abs(mean - threshold**dim) < 4 * stderr


def test_generated_samples_are_copies_below_collapse_only():
    """Exact reverse samples of 200 points in 16 dimensions, stopped at r: from none to all."""
    law, rng = Linear([1.0] * 16), np.random.default_rng(8)
    y = law.sample(200, rng)
    e = EmpiricalScore(y)
    path = reverse(e, noisy_points(e, 50.0, 500, rng), [50.0, 3.0, 1e-3], rng)
    assert memorized_fraction(path.x[1], y).mean == 0
    assert memorized_fraction(path.x[2], y).mean == 1


def test_the_three_kinds_of_samples():
    training = np.array([[0.0], [10.0]])
    samples = np.array([[0.1], [0.2], [5.0], [5.05], [7.0], [9.95], [-3.0]])
    kinds = novelty(samples, training, near_training=0.15, near_samples=0.1)
    np.testing.assert_allclose([kind.mean * 7 for kind in kinds], [2, 3, 2])  # 0.2 is near the sample 0.1
    assert abs(sum(kind.mean for kind in kinds) - 1) < 1e-15
    repeated = novelty(np.full((5, 1), 4.0), training, 1.0, 0.01)
    assert repeated.spurious.mean == 1


def test_bad_arguments_are_refused_by_name():
    with pytest.raises(ValueError, match="N ≥ 2"):
        two_nearest([[0.0]], [[1.0]])
    with pytest.raises(ValueError, match="x has shape"):
        two_nearest([[0.0, 1.0]], [[1.0], [2.0]])
    with pytest.raises(ValueError, match=r"threshold = 1\.5"):
        memorized_fraction([[0.0]], [[1.0], [2.0]], 1.5)
    with pytest.raises(ValueError, match="near_samples = 0"):
        novelty([[0.0], [1.0]], [[1.0], [2.0]], 0.1, 0)
