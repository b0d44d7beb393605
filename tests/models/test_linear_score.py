"""The linear score against its Gaussian law, the Wiener filter found by brute force, and random-matrix theory."""

import numpy as np
import pytest
from scipy.integrate import quad

from remanifold.manifolds import Linear
from remanifold.models.linear_score import LinearScore
from remanifold.theory import spectra

VARIANCES, CENTRE = np.array([2.0, 0.5, 0.03]), np.arange(6.0)


@pytest.fixture
def basis(rng):
    return np.linalg.qr(rng.standard_normal((6, 3)))[0]


@pytest.mark.parametrize("r", [1e-10, 1e-3, 1.0, 1e8])
def test_population_covariance_gives_the_exact_score(basis, r, rng):
    law = Linear(VARIANCES, basis=basis, centre=CENTRE)
    learned = LinearScore.from_covariance(basis * VARIANCES @ basis.T, CENTRE)
    x = law.sample(5, rng) + np.sqrt(r) * rng.standard_normal((5, 6))
    np.testing.assert_allclose(learned.posterior_mean(x, r), law.posterior_mean(x, r), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(learned.score(x, r), law.score(x, r), rtol=1e-7, atol=1e-5 / np.sqrt(r))
    np.testing.assert_allclose(
        learned.posterior_covariance(x, r), law.posterior_covariance(x, r), atol=1e-9 + 1e-13 * r
    )
    spectrum = np.r_[-1 / (VARIANCES + r), [-1 / r] * 3]
    np.testing.assert_allclose(learned.jacobian_spectrum(x[0], r), spectrum, rtol=1e-7, atol=1e-13 / r)
    assert learned.dimension(r, rng, points=x).mean == pytest.approx(float(law.dimension(r)), rel=1e-7)


def test_fit_is_the_best_linear_denoiser(rng):
    """Least squares on many noised copies of the points finds the same map, with and without ridge."""
    points = rng.standard_normal((30, 3)) * [1.0, 0.5, 0.1] + [1.0, 2.0, 3.0]
    r, copies = 0.2, 20000
    clean = np.repeat(points, copies, axis=0)
    noised = clean + np.sqrt(r) * rng.standard_normal(clean.shape)
    u, target = noised - noised.mean(axis=0), clean - clean.mean(axis=0)
    for ridge in (0.0, 0.3):
        # E|y - W u|² + ridge |W|², minimised by the ordinary normal equations of the sample
        found = np.linalg.solve(u.T @ u / len(u) + ridge * np.eye(3), u.T @ target / len(u)).T
        learned = LinearScore.fit(points, ridge).posterior_covariance(points[0], r) / r
        np.testing.assert_allclose(learned, found, atol=0.004)  # 600000 samples: 3 standard errors


def test_fewer_points_than_dimensions(rng):
    points = rng.standard_normal((4, 10))
    learned = LinearScore.fit(points)
    assert np.sum(learned.variances > 1e-12) == 3
    # at vanishing noise the denoiser is the projection on their span: the points are its fixed points
    np.testing.assert_allclose(learned.posterior_mean(points, 1e-12), points, atol=1e-9)
    assert learned.dimension(1e-9, rng, points=points).mean == pytest.approx(3, abs=1e-6)


def test_dimension_of_a_sample_follows_marchenko_pastur(rng):
    """d(r)/D of the score taught by N = D/γ isotropic points is that of the Marchenko–Pastur law of eigenvalues."""
    dim, n, r = 200, 400, 0.3
    law = spectra.marchenko_pastur(aspect=n / dim, variance=1.0)
    low, high = law.edges[0]
    exact = quad(lambda gamma: law.density(gamma) * gamma / (gamma + r), low, high)[0]
    measured = []
    for _ in range(4):
        learned = LinearScore.fit(rng.standard_normal((n, dim)))
        measured.append(learned.dimension(r, rng, points=np.zeros((2, dim))).mean / dim)
    assert np.mean(measured) == pytest.approx(exact, abs=3 / dim)  # corrections are of order 1/D
    assert abs(exact - 1 / (1 + r)) > 10 / dim  # while the population's d(r)/D differs


def test_products_are_those_of_the_matrix(rng):
    learned = LinearScore([2.0, 0.5], np.linalg.qr(rng.standard_normal((5, 2)))[0], ridge=0.1)
    x, r, v = rng.standard_normal((3, 5)), np.array([0.01, 0.5, 3.0]), rng.standard_normal((3, 5))
    step = 1e-5
    slope = (learned.score(x + step * v, r) - learned.score(x - step * v, r)) / (2 * step)
    np.testing.assert_allclose(learned.jacobian_product(x, r, v), slope, rtol=1e-7)
    np.testing.assert_allclose(learned.jacobian_product(x[0], 0.01, v[:1], transpose=True), slope[:1], rtol=1e-7)
    np.testing.assert_allclose(learned.jacobian_product(x[0], 0.01, v[0]), slope[0], rtol=1e-7)
    np.testing.assert_allclose(x + r[:, None] * learned.score(x, r), learned.posterior_mean(x, r), atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LinearScore([]), "variances = "),
        (lambda: LinearScore([-1.0]), "variances = "),
        (lambda: LinearScore([1.0], np.ones((3, 1))), "orthonormal"),
        (lambda: LinearScore([1.0], np.eye(3)), "orthonormal"),
        (lambda: LinearScore([1.0], centre=[0.0, 1.0]), "centre has shape"),
        (lambda: LinearScore([1.0], ridge=-1.0), "ridge = -1.0"),
        (lambda: LinearScore.fit(np.zeros(3)), "points has shape"),
        (lambda: LinearScore.from_covariance([[1.0, 2.0], [0.0, 1.0]]), "symmetric"),
        (lambda: LinearScore.from_covariance([[1.0, 2.0], [2.0, 1.0]]), "negative eigenvalues"),
        (lambda: LinearScore([1.0, 2.0]).jacobian_product(np.zeros(2), 1.0, np.zeros(3)), "v has shape"),
        (lambda: LinearScore([1.0, 2.0]).jacobian_product(np.zeros((2, 2)), 1.0, np.zeros((3, 2))), "v has shape"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
