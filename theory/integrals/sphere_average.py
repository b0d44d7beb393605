"""The average of e^{κ cos θ} over a sphere at complex κ, for the law of distances from a sphere."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ive

from ...conventions.arguments import fail

Complex = NDArray[np.complex128]
_LARGEST_DIM = 300  # beyond, I_ν underflows before the power series takes over


def log_mean_exponential_cosine(n: int, kappa: Complex) -> Complex:
    """ln[e^{-κ} E e^{κ cos θ}] over the unit sphere of R^n, = ln[Γ(ν+1)(2/κ)^ν e^{-κ} I_ν(κ)], ν = n/2 - 1.

    `kappa` of any shape, Re κ > 0, up to multiples of 2πi. Power series where |κ|² < (n/2)/25, the asymptotic
    series where |κ| > 1e4 ν² + 1e4, scaled Bessel functions between: relative error about 1e-12.
    ValueError for n > 300.
    """
    if n > _LARGEST_DIM:
        raise fail("intrinsic_dim", n - 1, f"must be < {_LARGEST_DIM} for the law of distances from a sphere")
    nu = n / 2 - 1
    size = np.abs(kappa)
    small, large = size**2 < (nu + 1) / 25, size > 1e4 * nu**2 + 1e4
    between = ~(small | large)
    result = np.empty(kappa.shape, dtype=np.complex128)
    result[small] = _power_series(nu, kappa[small])
    result[large] = _asymptotic_series(nu, kappa[large])
    middle = kappa[between]
    result[between] = gammaln(nu + 1) + nu * np.log(2 / middle) + np.log(ive(nu, middle)) - 1j * middle.imag
    return result


def _power_series(nu: float, kappa: Complex) -> Complex:
    """ln Σ_j (κ²/4)^j/(j! (ν+1)_j) - κ."""
    x, term, total = kappa**2 / 4, np.ones_like(kappa), np.zeros_like(kappa)
    for j in range(1, 9):
        term = term * x / (j * (nu + j))
        total = total + term
    return np.log1p(total) - kappa


def _asymptotic_series(nu: float, kappa: Complex) -> Complex:
    """ln[Γ(ν+1)(2/κ)^ν (2πκ)^{-1/2} (1 - (μ-1)/8κ + (μ-1)(μ-9)/2(8κ)² - …)], μ = 4ν²."""
    mu, x = 4 * nu**2, 8 * kappa
    series = -(mu - 1) / x * (1 - (mu - 9) / (2 * x) * (1 - (mu - 25) / (3 * x)))
    prefactor = gammaln(nu + 1) + nu * np.log(2 / kappa) - 0.5 * np.log(2 * np.pi * kappa)
    return np.asarray(prefactor + np.log1p(series), dtype=np.complex128)
