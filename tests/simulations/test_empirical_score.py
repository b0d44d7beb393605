"""The empirical score: closed cases, derivatives, covariance, spectrum, hard data, bad input."""

import numpy as np
import pytest
from scipy.integrate import quad

from remanifold.benchmarks.long_double import posterior
from remanifold.simulations import EmpiricalScore, Observables


@pytest.fixture(scope="module")
def cloud():
    rng = np.random.default_rng(21)
    y = rng.standard_normal((600, 4)) * [1.0, 1.0, 0.3, 0.05]
    return y, EmpiricalScore(y), y[:5] + 0.4 * rng.standard_normal((5, 4))


# ---- closed cases and derivatives ---------------------------------------------------------------


def test_two_points_give_a_hyperbolic_tangent():
    """y = ±1: m = tanh(x/r), the mean-field ferromagnet."""
    x = np.linspace(-3, 3, 13)[:, None]
    for r in (0.1, 1.0, 20.0):
        found = EmpiricalScore([[-1.0], [1.0]]).posterior_mean(x, r)
        np.testing.assert_allclose(found, np.tanh(x / r), rtol=1e-13, atol=1e-13)


def test_one_point_gives_a_gaussian():
    y, x, r = np.array([[2.0, -1.0]]), np.array([0.5, 0.25]), 0.7
    e = EmpiricalScore(y)
    p = e.observe(x, r)
    assert isinstance(p, Observables)
    np.testing.assert_array_equal(p.mean, y[0])
    assert (p.participation, p.entropy, p.nearest) == (1.0, 0.0, 0)
    assert e.local_divergence(x, r) == 0
    np.testing.assert_allclose(p.log_density, -(1.5**2 + 1.25**2) / 1.4 - np.log(2 * np.pi * 0.7), rtol=1e-13)
    np.testing.assert_allclose(e.score(x, r), (y[0] - x) / r, rtol=1e-13)
    np.testing.assert_array_equal(e.jacobian_spectrum(x, r), np.full(2, -1 / r))


def test_density_is_normalized():
    e = EmpiricalScore(np.array([[-1.0], [0.2], [2.0]]))
    total, _ = quad(lambda x: np.exp(e.log_density(np.array([x]), 0.05)), -4, 5, points=[-1, 0.2, 2], epsabs=1e-11)
    assert abs(total - 1) < 1e-9


def test_score_is_the_gradient_of_the_log_density(cloud):
    _, e, x = cloud
    step = 1e-5
    for i, shift in enumerate(step * np.eye(4)):
        slope = (e.log_density(x + shift, 0.16) - e.log_density(x - shift, 0.16)) / (2 * step)
        np.testing.assert_allclose(slope, e.score(x, 0.16)[:, i], rtol=1e-7, atol=1e-8)


def test_covariance_is_the_response_of_the_mean(cloud):
    """∂m/∂x = C/r (fluctuation-dissipation), by central differences of an independent code path."""
    _, e, x = cloud
    step = 1e-4
    for r in (0.05, 0.5):
        covariance = e.posterior_covariance(x, r)
        for i, shift in enumerate(step * np.eye(4)):
            response = (e.posterior_mean(x + shift, r) - e.posterior_mean(x - shift, r)) / (2 * step)
            np.testing.assert_allclose(response, covariance[:, :, i] / r, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("r", [1e-6, 1e-2, 1.0, 1e6])
def test_covariance_against_brute_force(cloud, r, dtype):
    y, _, x = cloud
    found = EmpiricalScore(y, dtype).posterior_covariance(x, r)
    for q in range(len(x)):
        np.testing.assert_allclose(found[q], posterior(y, x[q], r).covariance(), rtol=0, atol=1e-13)


def test_scores_and_divergence_have_the_shape_of_the_query(cloud):
    _, e, x = cloud
    assert e.score(x[0], 0.1).shape == (4,)
    assert e.posterior_covariance(x[0], 0.1).shape == (4, 4)
    assert e.jacobian_spectrum(x[0], 0.1, k=2).shape == (2,)
    assert e.jacobian_spectrum(x, 0.1).shape == (5, 4)
    np.testing.assert_allclose(e.local_divergence(x, 0.1) + e.weight_entropy(x, 0.1), np.log(600), rtol=1e-13)


# ---- spectrum ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_points", "dim"), [(500, 6), (12, 30), (30, 30)])
@pytest.mark.parametrize("r", [1e-3, 0.3, 30.0])
def test_spectrum_against_dense_diagonalization(n_points, dim, r):
    rng = np.random.default_rng(5)
    y = rng.standard_normal((n_points, dim))
    x = y[:3] + np.sqrt(r) * rng.standard_normal((3, dim))
    found = EmpiricalScore(y).jacobian_spectrum(x, r)
    for q in range(3):
        covariance = posterior(y, x[q], r).covariance()
        dense = np.linalg.eigvalsh(-(np.eye(dim) - covariance / r) / r)[::-1]
        np.testing.assert_allclose(found[q], dense, rtol=1e-11, atol=1e-11 / r)
    leading = EmpiricalScore(y).jacobian_spectrum(x, r, k=4)
    np.testing.assert_allclose(leading, found[:, :4], rtol=1e-13, atol=1e-13 / r)


def test_directions_away_from_all_points_relax_at_exactly_the_gaussian_rate():
    rng = np.random.default_rng(6)
    e = EmpiricalScore(rng.standard_normal((10, 40)))
    spectrum = e.jacobian_spectrum(np.zeros(40), 50.0)
    assert np.sum(spectrum == -1 / 50.0) >= 30
    assert np.sum(spectrum > -(1 - 1e-13) / 50.0) == 9  # ten points span nine directions


def test_sphere_shows_a_plateau_at_its_dimension_and_then_collapses():
    """S² in R³⁰, 5000 points: mean number of eigenvalues of C/r above ½, counted independently."""
    rng = np.random.default_rng(1)
    y = np.zeros((5000, 30))
    y[:, :3] = rng.standard_normal((5000, 3))
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    e = EmpiricalScore(y)
    for sigma, expected in [(0.2, 2.0), (0.1, 2.0), (0.05, 2.0), (0.01, 0.6)]:
        x, _ = e.planted(sigma**2, rng, 60)
        fluctuations = 1 + sigma**2 * e.jacobian_spectrum(x, sigma**2, k=4)
        assert abs(np.mean(np.sum(fluctuations > 0.5, axis=1)) - expected) < 0.3


# ---- hard data ---------------------------------------------------------------------------------

HARD = {
    "all equal": np.ones((50, 3)),
    "duplicates": np.repeat(np.random.default_rng(0).standard_normal((5, 3)), 20, axis=0),
    "one point": np.array([[1.0, 2.0, 3.0]]),
    "huge norms": 1e8 * np.random.default_rng(1).standard_normal((100, 3)),
    "far outlier": np.concatenate([np.random.default_rng(2).standard_normal((99, 3)), [[1e8, 0, 0]]]),
    "nearly overflowing": 1e14 * np.eye(3),
    "tiny": 1e-200 * np.eye(3),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", HARD)
def test_hard_data_never_give_nan(name, dtype):
    y = HARD[name]
    e = EmpiricalScore(y, dtype)
    x = np.concatenate([y[:2], y[:2] + 1e-3, np.zeros((1, 3)), [[1e14, -1e14, 1e14]], [[-1e9, 0, 0]]])
    for r in (1e-12, 1e-8, 1.0, 1e12):
        p = e.observe(x, r)
        assert all(np.all(np.isfinite(field)) for field in p)
        assert np.all((p.participation <= 1) & (p.participation >= 0.999999 / len(y)))
        assert np.all(np.isfinite(e.score(x, r)))
        assert np.all(np.isfinite(e.jacobian_spectrum(x, r)))
        for estimate in (
            e.information(r, np.random.default_rng(0), 64),
            e.dimension(r, np.random.default_rng(0), 64),
        ):
            assert np.isfinite(estimate.mean)
            assert estimate.mean >= 0


def test_equal_points_share_the_weight_evenly():
    p = EmpiricalScore(HARD["all equal"]).observe([1.5, 1.0, 1.0], 1e-8)
    np.testing.assert_allclose([p.participation, p.entropy], [1 / 50, np.log(50)], rtol=1e-13)
    np.testing.assert_array_equal(p.mean, [1.0, 1.0, 1.0])
    assert p.nearest == 0


def test_ties_go_to_the_lowest_index_in_any_block():
    y = np.zeros((100, 2))
    y[[70, 90, 20]] = [[3.0, 4.0], [5.0, 0.0], [0.0, -5.0]]
    y[np.setdiff1d(np.arange(100), [70, 90, 20])] = [9.0, 9.0]
    for block in (8, 16, 128):
        assert EmpiricalScore(y, block=block).nearest([0.0, 0.0]) == 20
        assert EmpiricalScore(y[::-1], block=block).nearest([0.0, 0.0]) == 9


def test_very_far_queries_see_the_nearest_point():
    y = np.array([[0.0, 0.0], [1.0, 0.0]])
    p = EmpiricalScore(y).observe(np.array([[1e90, 0.0], [-1e12, 0.0]]), 1e-8)
    np.testing.assert_array_equal(p.mean[1], y[0])
    assert np.all(np.isfinite(p.log_density))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_image_sized_data_and_the_line(dtype):
    for dim, r in ((3072, 20.0), (1, 1e-3)):
        rng = np.random.default_rng(3)
        y = rng.standard_normal((90, dim))
        x = y[:5] + np.sqrt(r) * rng.standard_normal((5, dim))
        p = EmpiricalScore(y, dtype).observe(x, r)
        for q in range(5):
            exact = posterior(y, x[q], r)
            np.testing.assert_allclose(p.mean[q], exact.mean.astype(float), atol=1e-4 if dtype == "float32" else 1e-12)
            assert p.nearest[q] == exact.nearest


# ---- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        ([[np.nan, 1.0]], {}, "y"),
        (np.empty((0, 3)), {}, "shape"),
        (np.empty((3, 0)), {}, "shape"),
        ([1.0, 2.0], {}, "shape"),
        ([[1e101]], {}, "1e\\+100"),
        ([[1e16]], {"dtype": "float32"}, "1e\\+15"),
        ([["a"]], {}, "y"),
        ([[1.0]], {"dtype": "float16"}, "dtype.*float64"),
        ([[1.0]], {"block": 12}, "block.*power of two"),
        ([[1.0]], {"block": 4}, "block"),
        ([[1.0]], {"block": 2.5}, "block"),
    ],
)
def test_bad_data_are_refused_by_name(y, options, message):
    with pytest.raises(ValueError, match=message):
        EmpiricalScore(y, **options)


@pytest.mark.parametrize(
    ("x", "r", "message"),
    [
        ([0.0, 0.0, 0.0], 1.0, "x has shape"),
        (np.zeros((2, 2, 2)), 1.0, "x has shape"),
        (np.zeros((0, 2)), 1.0, "x has shape"),
        ([np.inf, 0.0], 1.0, "x"),
        ([1e101, 0.0], 1.0, "1e\\+100"),
        ([0.0, 0.0], 0.0, "r = 0"),
        ([0.0, 0.0], -1.0, "r = -1"),
        ([0.0, 0.0], np.nan, "r = nan"),
        ([0.0, 0.0], 1e-101, "r = 1e-101"),
        ([0.0, 0.0], [1.0], "r has shape"),
        (np.zeros((3, 2)), [1.0, 2.0], "r has shape"),
        (np.zeros((3, 2)), [1.0, 2.0, 0.0], "r"),
    ],
)
def test_bad_queries_are_refused_by_name(x, r, message):
    e = EmpiricalScore(np.eye(2))
    for method in (e.observe, e.score, e.posterior_covariance, e.jacobian_spectrum):
        with pytest.raises(ValueError, match=message):
            method(x, r)


@pytest.mark.parametrize("k", [0, 3, -1, 1.5, True])
def test_number_of_eigenvalues_must_be_in_range(k):
    with pytest.raises(ValueError, match="k = "):
        EmpiricalScore(np.eye(2)).jacobian_spectrum([0.0, 0.0], 1.0, k=k)


def test_averages_check_their_arguments():
    e = EmpiricalScore(np.eye(2))
    rng = np.random.default_rng(0)
    for average in (e.information, e.dimension):
        with pytest.raises(ValueError, match="rng"):
            average(1.0, 0)
        with pytest.raises(ValueError, match="n_queries"):
            average(1.0, rng, n_queries=1)
        with pytest.raises(ValueError, match="r"):
            average([1.0, 0.0], rng)
    with pytest.raises(ValueError, match="r"):
        e.planted([1.0, 2.0], rng)


def test_the_data_are_read_only():
    """Kept by reference, never written to: a read-only array serves."""
    y = np.random.default_rng(0).standard_normal((50, 2))
    y.setflags(write=False)
    e = EmpiricalScore(y)
    e.posterior_covariance(e.posterior_mean(y[:3], 0.1), 0.1)
    np.testing.assert_array_equal(y, np.random.default_rng(0).standard_normal((50, 2)))
    assert np.shares_memory(e._points, y)
