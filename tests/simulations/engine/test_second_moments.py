"""Second moments at one query against long double: which points enter, and in which precision, must not show."""

import numpy as np
import pytest

from remanifold.simulations import EmpiricalScore
from remanifold.simulations.engine.planned_sums import SKIPPED_MOMENTS
from remanifold.simulations.engine.second_moments import _by_precision, _centre, covariance
from remanifold.simulations.engine.survivors import survivors


def long_double(y, x, r):
    """C/r of all points, every sum in long double."""
    y, x = y.astype(np.longdouble), x.astype(np.longdouble)
    square_distances = ((y - x) ** 2).sum(1)
    weights = np.exp((square_distances.min() - square_distances) / (2 * r))
    weights /= weights.sum()
    deviations = y - (weights[:, None] * y).sum(0)
    return np.einsum("n,ni,nj->ij", weights, deviations, deviations) / r


def fluctuations(y, x, r, dtype="float64"):
    """Eigenvalues of C/r, descending."""
    return 1 + r * EmpiricalScore(y, dtype).jacobian_spectrum(x, r)


def eigenvalues(matrix):
    return np.linalg.eigvalsh(matrix.astype(np.float64))[::-1]


def decaying(n_points, dim):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n_points, dim)) / np.sqrt(np.arange(1, dim + 1)), rng.standard_normal(dim)


def far_copies():
    """A cluster, and 20000 copies of a far point which together contribute 1.4e-8 to tr C/r at x = 0, r = 1.

    Copies round alike: what single precision loses in each product adds up.
    """
    rng = np.random.default_rng(1)
    cluster = rng.standard_normal((60, 8))
    lowest, total = _weights_of(cluster)
    distance = next(d for d in np.linspace(5, 15, 10001) if _share(d, lowest, total) < 1.4e-8)
    direction = np.array([0.7, 0.1, 0.3, -0.33, 0.2, -0.41, 0.123, 0.2])
    return np.concatenate([cluster, np.tile(distance * direction / np.linalg.norm(direction), (20000, 1))])


def _weights_of(cluster):
    square_distances = (cluster**2).sum(1)
    return square_distances.min(), np.exp((square_distances.min() - square_distances) / 2).sum()


def _share(distance, lowest, total):
    return 20000 * np.exp((lowest - distance**2) / 2) * distance**2 / total


@pytest.mark.parametrize("r", [0.03, 0.1, 0.3, 2.0])
def test_double_precision_to_1e_12(r):
    y, noise = decaying(6000, 20)
    x = y[0] + np.sqrt(r) * noise
    exact = long_double(y, x, r)
    np.testing.assert_allclose(fluctuations(y, x, r), eigenvalues(exact), rtol=0, atol=1e-12)
    found = EmpiricalScore(y).posterior_covariance(x, r)
    np.testing.assert_allclose(found / r, exact.astype(np.float64), rtol=0, atol=1e-13 * np.trace(exact))


def test_what_single_precision_loses_adds_up_to_less_than_1e_12():
    y, x = far_copies(), np.zeros(8)
    kept, weights, _ = survivors(y, x, 1.0, SKIPPED_MOMENTS)
    groups = _by_precision(y, kept, weights, _centre(y, kept, weights), 1e-13, "float64")
    assert [(len(group.kept), group.precision) for group in groups] == [(60, "float64"), (20000, "float32")]
    found, exact = fluctuations(y, x, 1.0), long_double(y, x, 1.0)
    np.testing.assert_allclose(found, eigenvalues(exact), rtol=0, atol=1e-12)


@pytest.mark.parametrize("r", [0.1, 2.0, 1e3, 1e8])
def test_single_precision_to_1e_6_of_the_largest(r):
    """Also at a query amid the points and r so large that C/r is small."""
    y, _ = decaying(6000, 20)
    x = 0.3 * np.ones(20)
    exact = eigenvalues(long_double(y, x, r))
    np.testing.assert_allclose(fluctuations(y, x, r, "float32"), exact, rtol=0, atol=1e-6 * exact[0] + 1e-12)


def test_single_precision_beyond_its_range():
    """Two far clusters that weigh alike: C/r = 1e40 does not fit into single precision."""
    y = np.repeat([[1e14, 0.0, 1.0], [-1e14, 0.0, 1.0]], 30, axis=0)
    found = EmpiricalScore(y, "float32").jacobian_spectrum([0.0, 0.0, 1.0], 1e-12)
    np.testing.assert_allclose(found[0], 1e28 / 1e-24, rtol=1e-12)
    np.testing.assert_allclose(found[1:], -1e12, rtol=1e-13)


def test_a_point_of_half_the_weight_at_the_mean_stays():
    """Its own second moment is nothing, but without its weight the mean would move."""
    y = np.concatenate([np.zeros((1, 2)), np.random.default_rng(3).normal([3.0, 0.0], 1.0, (4000, 2))])
    x = np.array([-2.5, 0.0])
    exact = eigenvalues(long_double(y, x, 1.0))
    np.testing.assert_allclose(fluctuations(y, x, 1.0), exact, rtol=0, atol=1e-12)


def test_constant_coordinates_have_no_negative_variance():
    rng = np.random.default_rng(4)
    for constant in rng.random(50):
        y = rng.standard_normal((500, 2))
        y[:, 1] = constant
        found = covariance(y, survivors(y, y[0], 0.5, SKIPPED_MOMENTS))
        assert 0 <= found[1, 1] < 1e-30
