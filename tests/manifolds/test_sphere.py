"""Spheres, tori and products against independent quadrature, the curvature coefficient and sampling."""

import math

import mpmath as mp
import numpy as np
import pytest
from sampled_posterior import check_pointwise

from remanifold.manifolds import Linear, Product, Sphere, Torus
from remanifold.theory import collapse, symmetry_breaking


def bessel_log_mean(n, kappa):
    """ln E e^{κ cos θ} on S^{n-1}, from I_ν in mpmath."""
    nu = mp.mpf(n) / 2 - 1
    return mp.log(mp.gamma(nu + 1) * (2 / kappa) ** nu * mp.besseli(nu, kappa))


def information_by_quadrature(n, radius, r):
    """R²/r - E ln E e^{κ cos θ} over the radius of a noisy point (30 digits)."""
    r, radius = mp.mpf(r), mp.mpf(radius)
    root = mp.sqrt(r)
    middle = mp.sqrt(radius**2 + r * (n - 1))
    cuts = [max(middle + k * root, mp.mpf("1e-25")) for k in (-12, -6, -3, 0, 3, 6, 12)]
    cuts = sorted(set(cuts))

    def density(u):
        return u ** (n - 1) * mp.exp(-(u**2 + radius**2) / (2 * r) + bessel_log_mean(n, radius * u / r))

    norm = mp.quad(density, cuts)
    mean = mp.quad(lambda u: density(u) * bessel_log_mean(n, radius * u / r), cuts) / norm
    return float(radius**2 / r - mean)


@pytest.mark.parametrize(("d", "radius"), [(1, 1.0), (2, 3.0), (6, 0.5)])
@pytest.mark.parametrize("r", [0.01, 0.4, 7.0])
def test_information_by_independent_quadrature(d, radius, r):
    with mp.workdps(30):
        expected = information_by_quadrature(d + 1, radius, r)
    assert float(Sphere(d, radius).information(r)) == pytest.approx(expected, rel=1e-9)
    assert float(Sphere(d, radius).free_energy_gap(r, r)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("law", [Sphere(1), Sphere(2, 0.7), Sphere(3), Sphere(5, 2.0), Torus([1.0, 0.5]), Torus([2.0])])
def test_curvature_coefficient_at_small_noise(law):
    """I = ln V - (d/2) ln 2πe r + r (½|H|² - ¾|II|²) + o(r), docs/curvature.md §1."""
    r, d = 1e-5, law.intrinsic_dim
    coefficient = 0.5 * law.mean_curvature_squared - 0.75 * law.second_fundamental_form_squared
    rest = float(law.information(r)) - (math.log(law.volume) - 0.5 * d * math.log(2 * math.pi * math.e * r))
    assert rest / r == pytest.approx(coefficient, rel=2e-3)


def test_torus_collapses_where_its_circles_together_have_used_up_ln_n():
    law = Torus([1.0, 0.5], ambient_dim=10, rng=np.random.default_rng(0))
    r = collapse(law, log_n=7.0)
    with mp.workdps(30):
        total = sum(information_by_quadrature(2, radius, r) for radius in (1.0, 0.5))
    assert total == pytest.approx(7.0, rel=1e-9)


def test_symmetry_of_a_sphere_breaks_at_its_variance():
    assert symmetry_breaking(Sphere(4, 3.0, ambient_dim=7)) == pytest.approx(9 / 5, rel=1e-12)


@pytest.mark.parametrize(
    "law",
    [
        Sphere(2, 1.5, ambient_dim=5, rng=np.random.default_rng(1), centre=np.arange(5.0)),
        Torus([1.0, 0.3], ambient_dim=6),
        Product([Sphere(1), Linear([0.5, 0.1])], ambient_dim=6, rng=np.random.default_rng(2)),
    ],
)
def test_pointwise_quantities_agree_with_sampling_and_differences(law):
    check_pointwise(law, 0.3, step=1e-5, score=1e-7, covariance=1e-8)


@pytest.mark.parametrize("law", [Sphere(3, 2.0, ambient_dim=6), Torus([1.0, 0.3], ambient_dim=6)])
def test_tangent_basis_is_orthonormal_and_tangent(law):
    y = law.sample(1, np.random.default_rng(4))[0]
    basis = law.tangent_basis(y)
    assert basis.shape == (6, law.intrinsic_dim)
    np.testing.assert_allclose(basis.T @ basis, np.eye(law.intrinsic_dim), atol=1e-12)
    # the posterior covariance at small noise is r times the projector on the tangent space
    r = 1e-6
    np.testing.assert_allclose(law.posterior_covariance(y, r) / r, basis @ basis.T, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Sphere(0), "intrinsic_dim"),
        (lambda: Sphere(2, -1.0), "radius"),
        (lambda: Sphere(2, ambient_dim=2), "ambient_dim"),
        (lambda: Torus([]), "radii"),
        (lambda: Torus([1.0, 0.0]), "radii"),
        (lambda: Product([]), "factors"),
        (lambda: Sphere(2).tangent_basis([0.0, 0.0, 2.0]), "y"),
    ],
)
def test_bad_input_names_the_argument(make, named):
    with pytest.raises(ValueError, match=named):
        make()
