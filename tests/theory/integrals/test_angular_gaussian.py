"""The angular Gaussian integrals against Bessel functions (50 digits), circle quadrature and matrix symmetry."""

import mpmath
import numpy as np
import pytest

from remanifold.theory.integrals.angular_gaussian import angular_gaussian

mp = mpmath.mp.clone()
mp.dps = 40


def sphere_log_mgf_excess(dim, b):
    """ln Γ(D/2) (2/b)^ν I_ν(b) - b, ν = D/2 - 1."""
    b, order = mp.mpf(b), mp.mpf(dim) / 2 - 1
    if b > 1000:  # the scaled asymptotic series of I_ν, to 40 digits there
        term = total = mp.mpf(1)
        for k in range(1, 60):
            term *= -(4 * order**2 - (2 * k - 1) ** 2) / (8 * b * k)
            total += term
            if abs(term) < mp.mpf(10) ** -35:
                break
        log_bessel = mp.log(total) - mp.log(2 * mp.pi * b) / 2
    else:
        log_bessel = mp.log(mp.besseli(order, b)) - b
    return mp.loggamma(order + 1) + order * mp.log(2 / b) + log_bessel


FIELDS = np.logspace(-6, 9, 16)


@pytest.mark.parametrize("dim", [2, 3, 30])
def test_uniform_sphere_is_a_bessel_function(dim):
    law = angular_gaussian(FIELDS[:, None] ** 2, np.array([1.0]), np.array([float(dim)]))
    exact = np.array([float(sphere_log_mgf_excess(dim, b)) for b in FIELDS])
    np.testing.assert_allclose(law.log_mgf_excess, exact, rtol=1e-11)


@pytest.mark.parametrize("dim", [2, 3, 30])
def test_uniform_sphere_mean_is_a_bessel_ratio(dim):
    """|m| = I_{ν+1}(b)/I_ν(b); 1 - |m| and b·m - b keep their digits."""
    fields = FIELDS[FIELDS <= 1e3]
    law = angular_gaussian(fields[:, None] ** 2, np.array([1.0]), np.array([float(dim)]))
    order = mp.mpf(dim) / 2 - 1
    for b, response, overlap in zip(fields, law.response[:, 0], law.overlap_excess, strict=True):
        mean = mp.besseli(order + 1, mp.mpf(b)) / mp.besseli(order, mp.mpf(b))
        assert response * b == pytest.approx(float(mean), rel=1e-11)
        assert overlap == pytest.approx(float(b * mean - b), rel=1e-10)


@pytest.mark.parametrize("ratio", [1.0, 0.3, 0.01])
@pytest.mark.parametrize("size", [1e-3, 0.7, 5.0, 80.0])
def test_two_variances_are_a_circle_integral(ratio, size):
    """The angle of w ~ N(0, diag(1, λ)) has density ∝ 1/(cos²/1 + sin²/λ); the trapezoid rule is exact."""
    angle = np.linspace(0, 2 * np.pi, 20000, endpoint=False)
    y = np.stack([np.cos(angle), np.sin(angle)])
    weight = 1 / (y[0] ** 2 + y[1] ** 2 / ratio)
    weight /= weight.sum()
    b = size * np.array([np.cos(0.4), np.sin(0.4)])
    tilted = weight * np.exp(b @ y - size)
    mgf = tilted.sum()
    mean = y @ tilted / mgf
    second = (y * tilted) @ y.T / mgf
    law = angular_gaussian((b**2)[None], np.array([1.0, ratio]), np.array([1.0, 1.0]))
    assert law.log_mgf_excess[0] == pytest.approx(np.log(mgf), rel=1e-11)
    np.testing.assert_allclose(b * law.response[0], mean, rtol=1e-10)
    np.testing.assert_allclose(
        np.diag(law.response[0]) + np.outer(b, b) * law.coupling[0], second, rtol=1e-10, atol=1e-13
    )


def test_splitting_a_group_changes_nothing():
    squares = np.array([[0.3, 4.0], [1e4, 2.0], [0.0, 0.0]])
    joined = angular_gaussian(squares, np.array([1.0, 0.01]), np.array([2.0, 5.0]))
    split = np.stack([squares[:, 0] * 0.3, squares[:, 0] * 0.7, squares[:, 1]], axis=1)
    parted = angular_gaussian(split, np.array([1.0, 1.0, 0.01]), np.array([1.0, 1.0, 5.0]))
    np.testing.assert_allclose(parted.log_mgf_excess, joined.log_mgf_excess, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(parted.response[:, 1:], joined.response, rtol=1e-11)


@pytest.mark.parametrize("size", [0.0, 1e-8, 1.0, 1e6, 1e15])
def test_unit_length(size):
    """E|y|² = 1 under every tilt."""
    variances, counts = np.array([1.0, 0.09, 1e-4]), np.array([2.0, 5.0, 23.0])
    squares = size**2 * np.array([[0.5, 0.3, 0.2]])
    law = angular_gaussian(squares, variances, counts)
    second = law.response[0] @ counts + np.diag(law.coupling[0]) @ squares[0]
    assert second == pytest.approx(1, rel=1e-11)
    assert law.overlap_excess[0] >= law.log_mgf_excess[0] - 1e-12  # a divergence is not negative
