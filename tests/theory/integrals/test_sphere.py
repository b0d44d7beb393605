"""The sphere's M(κ) and its averages: against mpmath in all series, another integral for the same law, and limits."""

import mpmath
import numpy as np
import pytest

from remanifold.theory.integrals.angular_gaussian import angular_gaussian
from remanifold.theory.integrals.sphere import (
    dimension,
    free_energy_gap,
    information,
    log_mean_exponential_cosine,
    mean_divergence,
    tilted,
)

mp = mpmath.mp.clone()
mp.dps = 60


def scaled_bessel(order, kappa):
    """e^{-κ} I_ν(κ)."""
    if kappa < 1000 * (1 + order**2):
        return mp.besseli(order, kappa, maxterms=10**6) * mp.exp(-kappa)
    term = total = mp.mpf(1)
    for j in range(1, 200):
        term *= -(4 * order**2 - (2 * j - 1) ** 2) / (8 * kappa * j)
        total += term
        if abs(term) < mp.mpf(10) ** -55:
            break
    return total / mp.sqrt(2 * mp.pi * kappa)


@pytest.mark.parametrize("n", [2, 3, 9, 30, 99, 100, 300, 3000, 10000])
def test_tilted_law_in_60_digits(n):
    """On both sides of each change of series, from no field to all of it."""
    nu = mp.mpf(n) / 2 - 1
    changes = np.outer([np.sqrt(2 * n), 50 + 2 * float(nu) ** 2], [0.99, 1.01]).ravel()
    fields = np.concatenate([np.logspace(-8, 14, 12), changes, [n / 3, n, 3 * n]])
    exact = []
    for kappa in map(mp.mpf, fields):
        below, above = scaled_bessel(nu, kappa), scaled_bessel(nu + 1, kappa)
        log_mean, mean = mp.loggamma(nu + 1) + nu * mp.log(2 / kappa) + mp.log(below), above / below
        exact.append([float(v) for v in (log_mean, 1 - mean, mean / kappa, kappa * mean - log_mean - kappa)])
    np.testing.assert_allclose(np.array(tilted(n, fields)).T, exact, rtol=1e-12)


@pytest.mark.parametrize("n", [2, 5, 700])
def test_variance_along_the_field(n):
    """dA/dκ by central differences in 60 digits, to a few roundings of 1."""
    nu = mp.mpf(n) / 2 - 1
    for kappa in (1e-3, 0.8, 30.0, 2e3):
        h = mp.mpf(10) ** -20
        up, down = (scaled_bessel(nu + 1, k) / scaled_bessel(nu, k) for k in (mp.mpf(kappa) + h, mp.mpf(kappa) - h))
        found = tilted(n, np.array(kappa)).along(n)
        assert found == pytest.approx(float((up - down) / (2 * h)), rel=1e-9, abs=1e-15)


def test_no_field_and_the_largest_floats():
    for n in (2, 3, 99, 100, 10**6):
        law = tilted(n, np.array([0.0, 1e-250, 1e260]))
        np.testing.assert_allclose(law.across, [1 / n, 1 / n, 1e-260])
        np.testing.assert_allclose(law.shortfall[:2], 1)
        assert np.all(np.isfinite(np.array(law)))
        assert law.divergence[0] == law.log_mean[0] == 0


@pytest.mark.parametrize("n", [2, 7, 61, 200])
def test_divergence_by_the_angular_gaussian_integral(n):
    """Another formula for the same law."""
    kappa = np.logspace(-1, 9, 41)
    other = angular_gaussian(kappa[:, None] ** 2, np.ones(1), np.array([float(n)]))
    np.testing.assert_allclose(tilted(n, kappa).divergence, other.overlap_excess - other.log_mgf_excess, rtol=1e-10)


def test_divergence_in_three_dimensions_is_elementary():
    """M = sinh κ/κ."""
    kappa = np.array([1e-2, 1.0, 50.0, 9e3, 2e4, 1e12])
    decay = np.exp(-2 * kappa)
    elementary = 2 * kappa * decay / (1 - decay) - 1 + np.log(2 * kappa) - np.log1p(-decay)
    np.testing.assert_allclose(tilted(3, kappa).divergence, elementary, rtol=1e-12, atol=1e-13)


# averages over noisy points, R = 1


def quadrature(n, r, noise, quantity):
    """E of quantity(|x|) at x = y + √s ξ in 30 digits: the density of |x| is that of a noncentral χ."""
    nu, r, s = mp.mpf(n) / 2 - 1, mp.mpf(r), mp.mpf(noise)

    def weight(u):
        return u ** (nu + 1) * mp.exp(-((u - 1) ** 2) / (2 * s)) * scaled_bessel(nu, u / s)

    middle, root = mp.sqrt(1 + s * (n - 1)), mp.sqrt(s)
    cuts = sorted({max(middle + k * root, mp.mpf("1e-20")) for k in (-10, -4, 0, 4, 10)})
    with mp.workdps(18):
        return float(mp.quad(lambda u: weight(u) * quantity(u), cuts) / mp.quad(weight, cuts))


@pytest.mark.parametrize("n", [2, 6, 120])
@pytest.mark.parametrize(("r", "noise"), [(0.01, 0.01), (0.3, 0.3), (0.3, 0.05), (1e-3, 0.2), (20.0, 20.0)])
def test_averages_by_quadrature(n, r, noise):
    nu = mp.mpf(n) / 2 - 1

    def log_mean(u):
        kappa = u / mp.mpf(r)
        return mp.loggamma(nu + 1) + nu * mp.log(2 / kappa) + mp.log(scaled_bessel(nu, kappa)) + kappa

    def mean(u):
        kappa = u / mp.mpf(r)
        return scaled_bessel(nu + 1, kappa) / scaled_bessel(nu, kappa)

    at = np.array(r), np.array(noise)
    gap = quadrature(n, r, noise, lambda u: 1 / mp.mpf(r) - log_mean(u))
    assert free_energy_gap(n, *at) == pytest.approx(gap, rel=1e-11)
    divergence = quadrature(n, r, noise, lambda u: u / mp.mpf(r) * mean(u) - log_mean(u))
    assert mean_divergence(n, *at) == pytest.approx(divergence, rel=1e-11)
    if r == noise:
        occupied = quadrature(n, r, noise, lambda u: (1 - mean(u) ** 2) / mp.mpf(r))
        assert dimension(n, at[0]) == pytest.approx(occupied, rel=1e-11)
        assert information(n, at[0]) == pytest.approx(divergence, rel=1e-11)


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_averages_at_the_ends_of_the_scale(n):
    """I = G(r, r) everywhere, d = n - 1 at small and I = 1/2r = d/2 at large r, from e^-600 to e^600."""
    r = np.exp(np.array([-600.0, -200.0, -28.0, 28.0, 200.0, 600.0]))
    nats = information(n, r)
    np.testing.assert_allclose(free_energy_gap(n, r, r), nats, rtol=1e-11)
    np.testing.assert_allclose(mean_divergence(n, r, r), nats, rtol=1e-13)
    np.testing.assert_allclose(nats[3:], 0.5 / r[3:], rtol=1e-9)
    np.testing.assert_allclose(dimension(n, r), [n - 1.0] * 3 + (1 / r[3:]).tolist(), rtol=1e-9)


def test_noise_of_some_points_only():
    r, noise = np.array([[0.1], [2.0]]), np.array([0.0, 0.3])
    for average in (free_energy_gap, mean_divergence):
        found = average(4, *np.broadcast_arrays(r, noise))
        one_by_one = [[average(4, np.array(a), np.array(s)) for s in noise] for a in r[:, 0]]
        np.testing.assert_allclose(found, one_by_one, rtol=1e-13)


# at complex argument, for the law of distances


def test_average_over_the_sphere_at_complex_argument():
    """e^{-κ} E e^{κ cos θ} against I_ν in 40 digits, through all three series, near the imaginary axis too."""
    worst = 0.0
    with mpmath.workdps(40):
        for n in (2, 3, 17, 64, 300, 600):
            for size in (1e-9, 1e-3, 0.3, 1.0, 5.0, 60.0, 1e3) + ((1e5,) if n < 64 else ()):
                for angle in (0.0, 0.7, -0.7, 1.5, -1.57):
                    kappa = size * np.exp(1j * angle)
                    nu, z = mpmath.mpf(n) / 2 - 1, mpmath.mpc(kappa)
                    exact = mpmath.gamma(nu + 1) * (2 / z) ** nu * mpmath.besseli(nu, z) * mpmath.exp(-z)
                    found = np.exp(log_mean_exponential_cosine(n, np.array([kappa]))[0])
                    worst = max(worst, abs(complex(exact) - found) / abs(complex(exact)))
    assert worst < 2e-12


def test_too_many_dimensions_for_the_law_of_distances():
    with pytest.raises(ValueError, match=r"intrinsic_dim = 600: must be < 600"):
        log_mean_exponential_cosine(601, np.ones(1, dtype=complex))
