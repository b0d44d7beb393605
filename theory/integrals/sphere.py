"""The uniform law on a sphere seen through noise: M(κ) = E e^{κ cos θ}, the law it tilts, averages over noisy points.

On the unit sphere of R^n, with ν = n/2 - 1 and A = M'/M = I_{ν+1}/I_ν the mean of cos θ under the tilt,

    M(κ) = Γ(ν+1)(2/κ)^ν I_ν(κ) = Σ_j (κ²/4)^j/(j! (ν+1)_j).

The posterior of a noisy point x is e^{κ cos θ}/M at the field κ = R|x|/r, of divergence K = κA - ln M. Four series, the
same ones at real and at complex κ where both need them: powers of κ for |κ|² < 2n, powers of 1/κ beyond 50 + 2ν²,
scaled Bessel functions between, and for n ≥ 100 at real κ the powers of 1/ν that hold at every κ (Debye; Abramowitz &
Stegun, 9.7.7). What is small is computed as such, never as a difference. Derived; docs/theory.md §6.1.
"""

from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray
from scipy.special import gammaln, ive

from ...conventions.arguments import Array, fail

Complex = NDArray[np.complex128]
Either = TypeVar("Either", Array, Complex)
_MANY = 100  # dimensions from which the powers of 1/ν are exact to rounding
_LARGEST_COMPLEX = 600  # beyond, I_ν underflows before the powers of κ take over
_TERMS, _INVERSE_TERMS, _DEBYE_TERMS = 20, 15, 9
_NODES, _REACH = 56, 8.5  # Gauss–Legendre over ±8.5 standard deviations of |x|: relative error 1e-14


class Tilted(NamedTuple):
    """The unit vector under a field κ, whose direction is θ = 0; arrays of the shape of κ."""

    log_mean: Array  # ln[e^{-κ} M(κ)]
    shortfall: Array  # 1 - A, A = E cos θ
    across: Array  # A/κ, the mean square of a component across the field
    divergence: Array  # K = κA - ln M in nats

    def along(self, n: int) -> Array:
        """Variance of cos θ, 1 - (n-1) A/κ - A²."""
        return np.maximum(self.shortfall * (2 - self.shortfall) - (n - 1) * self.across, 0.0)


def tilted(n: int, kappa: Array) -> Tilted:
    """The law at fields κ ≥ 0 of any shape on the unit sphere of R^n; relative error below 1e-12 in all four.

    (`along` is a difference, with an absolute error of a few roundings.)
    """
    nu = n / 2 - 1
    if n >= _MANY:
        return _debye(nu, kappa)
    weak, strong = kappa < np.sqrt(2 * n), kappa > _far(nu)
    found = np.empty((4, *kappa.shape))
    for where, series in ((weak, _weak_field), (strong, _strong_field), (~(weak | strong), _bessel)):
        if where.all():
            return Tilted(*series(nu, kappa))
        if where.any():
            found[:, where] = series(nu, kappa[where])
    return Tilted(*found)


class _NoisyPoints(NamedTuple):
    """x = y + √s ξ, |y| = 1, through its length: arrays (…, nodes), or single nodes where nothing is noisy."""

    length: Array
    weight: Array
    law: Tilted  # at noise s; E[x·y | x] = |x| A, whose mean is 1


def information(n: int, r: Array) -> Array:
    """I(r) = E K(|x|/r) in nats over x ~ p_r on the unit sphere, r > 0 of any shape."""
    x = _noisy_points(n, r)
    return _mean(x, x.law.divergence)


def dimension(n: int, r: Array) -> Array:
    """d(r) = E(1 - A²)/r over x ~ p_r on the unit sphere, r > 0 of any shape."""
    x = _noisy_points(n, r)
    return _mean(x, x.law.shortfall * (2 - x.law.shortfall)) / r


def mean_divergence(n: int, r: Array, noise: Array) -> Array:
    """E K(|x|/r) in nats at x = y + √s ξ on the unit sphere; r > 0, s ≥ 0 of one shape. I(r) at s = r."""
    x = _noisy_points(n, noise)
    return _mean(x, tilted(n, x.length / r[..., None]).divergence)


def free_energy_gap(n: int, r: Array, noise: Array) -> Array:
    """G(r, s) = E[x·y/r - ln M(|x|/r)] in nats at x = y + √s ξ on the unit sphere; r > 0, s ≥ 0 of one shape."""
    x, ratio = _noisy_points(n, noise), r[..., None]
    kappa, s = x.length / ratio, noise[..., None]
    law = tilted(n, kappa)
    overlap = np.where(s > 0, x.length * (x.law.across * (x.length / np.where(s > 0, s, 1.0))), 1.0)
    weak = overlap / ratio - (kappa * (kappa * law.across) - law.divergence)
    return _mean(x, np.where(kappa < 1, weak, -kappa * x.law.shortfall - law.log_mean))


def _mean(x: _NoisyPoints, values: Array) -> Array:
    return np.asarray(np.sum(x.weight * values, axis=-1), dtype=np.float64)


def _noisy_points(n: int, noise: Array) -> _NoisyPoints:
    """Gauss–Legendre around the mode of |x|, of density ∝ |x|^{n-1} e^{-t²/2} e^{-κ} M(κ), t = (|x|-1)/√s, κ = |x|/s.

    Where |x| = 0 is in reach, in |x|^{1/3}: other fields than κ may change on a much smaller scale there.
    """
    noisy = noise[..., None] > 0
    if not noisy.any():
        one = np.ones(noisy.shape)
        return _NoisyPoints(one, one, Tilted(0 * one, 0 * one, 0 * one, 0 * one))  # y itself: A = 1
    s = np.where(noisy, noise[..., None], 1.0)
    root = np.sqrt(s)
    centre = root * (n - 1) / (np.sqrt(1 + s * (n - 1)) + 1)  # (√(1 + s(n-1)) - 1)/√s
    at_zero = centre - _REACH < -1 / root
    low, width = np.where(at_zero, -1 / root, centre - _REACH), np.where(at_zero, centre + 1 / root, _REACH) + _REACH
    abscissa, weight = _legendre()
    t = width * np.where(at_zero, abscissa**3, abscissa)
    weight = weight * np.where(at_zero, abscissa**2, 1.0)
    length = np.where(at_zero, 0.0, 1 + root * low) + root * t
    t = low + t
    law = tilted(n, length / s)
    log_density = (n - 1) * np.log(length) - 0.5 * t**2 + law.log_mean
    weight = weight * np.exp(log_density - log_density.max(axis=-1, keepdims=True))
    weight = weight / weight.sum(axis=-1, keepdims=True)
    if not noisy.all():
        length, law = np.where(noisy, length, 1.0), Tilted(*(np.where(noisy, values, 0.0) for values in law))
    return _NoisyPoints(length, weight, law)


@lru_cache(maxsize=1)
def _legendre() -> tuple[Array, Array]:
    """On (0, 1); the weights are normalised elsewhere."""
    abscissa, weight = np.polynomial.legendre.leggauss(_NODES)
    return 0.5 * (abscissa + 1), weight


def log_mean_exponential_cosine(n: int, kappa: Complex) -> Complex:
    """ln[e^{-κ} M(κ)] at complex κ of any shape, Re κ ≥ 0, up to multiples of 2πi; relative error about 1e-12.

    For the law of distances from a sphere. ValueError for n > 600.
    """
    if n > _LARGEST_COMPLEX:
        raise fail("intrinsic_dim", n - 1, f"must be < {_LARGEST_COMPLEX} for the law of distances from a sphere")
    nu, size = n / 2 - 1, np.abs(kappa)
    small, large = size**2 < 2 * n, size > _far(nu)
    between = ~(small | large)
    result = np.empty(kappa.shape, dtype=np.complex128)
    result[small] = np.log1p(_powers(nu, kappa[small])) - kappa[small]
    far, middle = kappa[large], kappa[between]
    decayed = np.exp(-2 * far + np.copysign(np.pi * (nu + 0.5), far.imag) * 1j)  # of the other exponential in I_ν
    coefficients, _ = _inverse_coefficients(nu)
    series = _polynomial(coefficients, 1 / far) + decayed * _polynomial(coefficients, -1 / far)
    result[large] = _prefactor(nu, far) + np.log(series)
    result[between] = gammaln(nu + 1) + nu * np.log(2 / middle) + np.log(ive(nu, middle)) - 1j * middle.imag
    return result


def _far(nu: float) -> float:
    return 50 + 2 * nu**2


def _powers(nu: float, kappa: Either) -> Either:
    """M - 1, of positive terms at most 1/j!."""
    x = kappa**2 / 4
    return x * _polynomial(_power_coefficients(nu), x)


@lru_cache(maxsize=256)
def _power_coefficients(nu: float) -> list[float]:
    """1/(j! (ν+1)_j), j ≥ 1."""
    j = np.arange(1, _TERMS)
    return np.cumprod(1 / (j * (nu + j))).tolist()


def _polynomial(coefficients: list[float], x: Either) -> Either:
    """Σ_k c_k x^k, by Horner's rule in place."""
    total = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total *= x
        total += c
    return total


def _weak_field(nu: float, kappa: Array) -> tuple[Array, Array, Array, Array]:
    """A/κ = M_{n+2}/(n M_n)."""
    excess = _powers(nu, kappa)
    across = (1 + _powers(nu + 1, kappa)) / (1 + excess) / (2 * nu + 2)
    log_m = np.log1p(excess)
    return log_m - kappa, 1 - kappa * across, across, kappa**2 * across - log_m


def _bessel(nu: float, kappa: Array) -> tuple[Array, Array, Array, Array]:
    below: Array = np.asarray(ive(nu, kappa), dtype=np.float64)
    mean: Array = ive(nu + 1, kappa) / below
    log_mean: Array = gammaln(nu + 1) + nu * np.log(2 / kappa) + np.log(below)
    return log_mean, 1 - mean, mean / kappa, kappa * (mean - 1) - log_mean


@lru_cache(maxsize=256)
def _inverse_coefficients(nu: float) -> tuple[list[float], list[float]]:
    """Of √(2πκ) e^{-κ} I_ν = Σ_j (-1)^j a_j κ^{-j}, a_j = Π_{i≤j} [4ν² - (2i-1)²]/8i, and of its slope κ d/dκ."""
    j = np.arange(1, _INVERSE_TERMS)
    value = np.concatenate([[1.0], np.cumprod(-(4 * nu**2 - (2 * j - 1) ** 2) / (8 * j))])
    return value.tolist(), (-np.arange(_INVERSE_TERMS) * value).tolist()


def _prefactor(nu: float, kappa: Either) -> Either:
    """ln[Γ(ν+1)(2/κ)^ν/√(2πκ)]."""
    return gammaln(nu + 1) + nu * np.log(2.0) - 0.5 * np.log(2 * np.pi) - (nu + 0.5) * np.log(kappa)


def _strong_field(nu: float, kappa: Array) -> tuple[Array, Array, Array, Array]:
    total, slope = (_polynomial(coefficients, 1 / kappa) for coefficients in _inverse_coefficients(nu))
    log_mean = _prefactor(nu, kappa) + np.log(total)
    overlap: Array = slope / total - (nu + 0.5)  # κ(A - 1)
    return log_mean, -overlap / kappa, (1 + overlap / kappa) / kappa, overlap - log_mean


def _debye(nu: float, kappa: Array) -> Tilted:
    """With z = κ/ν, s = √(1+z²), p = 1/s, U = Σ_k U_k(p)/ν^k and w = Σ_k (½U_k + pU_k')ν^{-k}/U,

    ln M = ν[s - 1 - ln(1 + (s-1)/2)] - ½ ln s + ln U(p)/U(1),   A = (s - 1)/z - z p² w/ν;
    the second from I'_ν, whose polynomials are V_k = U_k - p(1-p²)(½U_{k-1} + pU'_{k-1}).
    """
    z = kappa / nu
    s = np.hypot(1.0, z)
    p, rise = 1 / s, z * (z / (s + 1))  # rise = s - 1
    u, slope, quotient = (_polynomial(coefficients, p) for coefficients in _debye_coefficients(nu))
    w, edge = slope / u, (1 + z / (s + 1)) / (s + z)  # edge = (1 + z - s)/z
    growing = nu * np.log1p(rise / 2) + 0.5 * np.log1p(rise) - np.log1p(-rise * p * quotient)
    across = (1 / (1 + s) - p**2 * w / nu) / nu
    return Tilted(-kappa * edge - growing, edge + z * p * (p * w / nu), across, growing - (z * p) ** 2 * w)


@lru_cache(maxsize=256)
def _debye_coefficients(nu: float) -> tuple[list[float], list[float], list[float]]:
    """Of U, Σ_k (½U_k + pU_k')ν^{-k}, and [U(p)/U(1) - 1]/(p - 1), so that U(p)/U(1) - 1 keeps its digits at p = 1."""
    p, term = Polynomial([0.0, 1.0]), Polynomial([1.0])
    total, slope = term, 0.5 * term
    for _ in range(_DEBYE_TERMS - 1):
        term = (0.5 * p**2 * (1 - p**2) * term.deriv() + ((1 - 5 * p**2) * term).integ() / 8) / nu
        total, slope = total + term, slope + 0.5 * term + p * term.deriv()
    return total.coef.tolist(), slope.coef.tolist(), ((total / total(1.0) - 1) // (p - 1)).coef.tolist()
