"""The first corrections to the information, curvature and boundary, against the information computed without them."""

import math

import mpmath
import numpy as np
import pytest

from remanifold.manifolds import Parametric, Sphere, Torus
from remanifold.theory import collapse
from remanifold.theory.small_noise import expansion as small_noise


def correction(law, r):
    """What is left of I(r) after volume and dimension."""
    flat = law.entropy if hasattr(law, "entropy") else math.log(law.volume)
    return float(law.information(r)) - flat + 0.5 * law.intrinsic_dim * math.log(2 * math.pi * math.e * r)


@pytest.mark.parametrize("law", [*(Sphere(k, 1.3) for k in (1, 2, 3, 5)), Torus([1.0, 0.4, 2.0])])
def test_coefficient_on_exact_manifolds(law):
    r = 1e-3 / law.second_fundamental_form_squared
    one, two = correction(law, r) / r, correction(law, 2 * r) / (2 * r)
    assert 2 * one - two == pytest.approx(small_noise.curvature_coefficient(law), rel=2e-4)  # Richardson


def uniform_in_angle(a, b):
    def density(u):
        return 1 / np.hypot(a * np.sin(u[:, 0]), b * np.cos(u[:, 0]))

    def chart(u):
        return np.stack([a * np.cos(u[:, 0]), b * np.sin(u[:, 0])], axis=1)

    return Parametric(chart, [(0.0, 2 * np.pi)], density=density, closed=[True])


@pytest.mark.parametrize(
    ("law", "r", "tolerance"),
    [
        (Parametric.ellipse(1.5, 1.0), 1e-3, 0.01),
        (Parametric.trefoil(), 2e-3, 0.01),
        (uniform_in_angle(1.5, 1.0), 3e-3, 0.02),
        (Parametric.ellipsoid(1.5, 1.0, 0.7, log2_nodes=12), 3e-3, 0.05),
    ],
)
def test_coefficient_on_charts(law, r, tolerance):
    assert correction(law, r) / r == pytest.approx(small_noise.curvature_coefficient(law), rel=tolerance)


def test_a_density_adds_its_fisher_information():
    """On the ellipse that is uniform in angle half of E|∇ ln p|² is 3 % of c in all; flat, it is everything."""
    density = uniform_in_angle(1.5, 1.0)
    assert density.density_gradient_squared > 0.05
    line = Parametric(
        lambda u: np.hstack([u, 0 * u]), [(-9.0, 9.0)], density=lambda u: np.exp(-0.5 * u[:, 0] ** 2), log2_nodes=13
    )
    expected = math.log1p(1 / 0.01) / 2 + 0.5 * math.log(0.01)  # exact Gaussian, less its leading term
    assert small_noise.curvature_coefficient(line) * 0.01 == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("law", "r", "tolerance"),
    [(Parametric.helix(), 1e-3, 0.1), (Parametric.swiss_roll(), 0.1, 0.1), (Parametric.moebius(), 1e-3, 0.05)],
)
def test_boundary_term(law, r, tolerance):
    expected = small_noise.BOUNDARY * law.boundary_volume / law.volume
    assert correction(law, r) / math.sqrt(r) == pytest.approx(expected, rel=tolerance)


def test_boundary_constant():
    def loss(t):
        return -mpmath.ncdf(t) * mpmath.log(mpmath.ncdf(t))

    assert float(mpmath.quad(loss, [-30, -5, 0, 5, 30])) == pytest.approx(small_noise.BOUNDARY, rel=1e-14)


@pytest.mark.parametrize("law", [Sphere(1), Sphere(2, 2.0), Sphere(5), Torus([1.0, 0.5])])
def test_collapse_on_a_curved_manifold(law):
    """The corrected r_c errs by the square of what it corrects."""
    flat = (law.volume / 1e4) ** (2 / law.intrinsic_dim) / (2 * math.pi * math.e)
    exact, first = collapse(law, log_n=math.log(1e4)), small_noise.collapse(law, log_n=math.log(1e4))
    assert abs(first / exact - 1) < 3 * (flat / exact - 1) ** 2 + 1e-9
    assert abs(first / exact - 1) < 0.3 * abs(flat / exact - 1)


def test_collapse_with_a_boundary():
    law = Parametric.helix()
    log_n = math.log(500)
    flat = (law.volume / 500) ** 2 / (2 * math.pi * math.e)
    exact = collapse(law, log_n=log_n)
    assert abs(small_noise.collapse(law, log_n=log_n) / exact - 1) < 0.2 * abs(flat / exact - 1)


def test_where_the_expansion_is_of_no_use():
    with pytest.raises(ValueError, match=r"log_n = 0.1: too small for an expansion in small noise"):
        small_noise.collapse(Sphere(5), log_n=0.1)
    with pytest.raises(ValueError, match=r"r = -1.0"):
        small_noise.information(Sphere(5), -1.0)
