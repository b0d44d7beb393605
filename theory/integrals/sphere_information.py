"""Information of uniform laws on spheres and their products, for thousands of noise ratios and dimensions at once.

With M(κ) = E e^{κ cos θ} = Γ(ν+1)(2/κ)^ν I_ν(κ) on the unit sphere of R^n, ν = n/2 - 1, and A = I_{ν+1}/I_ν = M'/M,
the local divergence at |x| is K = κA - ln M, κ = R|x|/r, and the average over x is an integral over |x|. Derived;
docs/theory.md §2.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, ive

from ...conventions.arguments import Array, fail, nonnegative, positive, positive_integer

LARGEST_DIM = 10_000  # above, I_ν may underflow where its power series overflows
_POINTS_ONLY = "must be 0: this law knows the landscape at training points only"
_LARGE = 2.0**800  # rescale a series there, by a power of two that costs no digit
_ORDER, _REACH = 56, 8.5  # Gauss–Legendre nodes over ±8.5 standard deviations of |x|


class SphereProduct:
    """Independent uniform laws on spheres S^d(R): the factors (d, R, how often), in `ambient_dim` dimensions.

    Covers the sphere, the product of two spheres and the flat torus (d = 1). Absolute error of
    `information` about 1e-10 nats for each factor. ValueError for d > 10000 and other bad arguments.
    """

    def __init__(self, factors: Sequence[tuple[int, float, int]], *, ambient_dim: int | None = None):
        self._factors = []
        for dim, radius, count in factors:
            if positive_integer(dim, "intrinsic_dim") > LARGEST_DIM:
                raise fail("intrinsic_dim", dim, f"must be ≤ {LARGEST_DIM}")
            self._factors.append((dim, float(positive(radius, "radius")) ** 2, positive_integer(count, "count")))
        span = sum((dim + 1) * count for dim, _, count in self._factors)
        self.ambient_dim = span if ambient_dim is None else positive_integer(ambient_dim, "ambient_dim")
        if self.ambient_dim < span:
            raise fail("ambient_dim", ambient_dim, f"must be ≥ {span}, the dimensions of the span")

    def information(self, r: ArrayLike) -> Array:
        """I(r) in nats, the sum over the factors; shape of `r`."""
        ratio = positive(r, "r")
        values = [count * _mean_divergence(dim + 1, ratio / square) for dim, square, count in self._factors]
        return np.asarray(np.sum(values, axis=0))

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike = 0.0) -> Array:
        """G(r, 0) = -ln[e^{-κ} M(κ)] at κ = R²/r: at the training point itself. `noise` must be 0."""
        if np.any(nonnegative(noise, "noise") > 0):
            raise fail("noise", noise, _POINTS_ONLY)
        ratio = positive(r, "r")
        values = [-count * log_mean_and_overlap(dim + 1, square / ratio)[0] for dim, square, count in self._factors]
        return np.asarray(np.sum(values, axis=0))

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike = 0.0) -> Array:
        """E K(x, r) at the training point itself, κ = R²/r. `noise` must be 0."""
        if np.any(nonnegative(noise, "noise") > 0):
            raise fail("noise", noise, _POINTS_ONLY)
        ratio = positive(r, "r")
        values = [count * sphere_divergence(dim + 1, square / ratio) for dim, square, count in self._factors]
        return np.asarray(np.sum(values, axis=0))

    def probe_divergence(self, factor: int, r: ArrayLike) -> Array:
        """K at the probe √r e along an axis of one sphere of factor `factor`: κ = R/√r there, 0 in the others."""
        dim, square, _ = self._factors[factor]
        return sphere_divergence(dim + 1, np.sqrt(square / positive(r, "r")))


def sphere_divergence(n: int, kappa: Array) -> Array:
    """K(κ) = κA - ln M in nats on the unit sphere of R^n, at fields κ > 0 of any shape."""
    log_mean, overlap = log_mean_and_overlap(n, kappa)
    return np.maximum(overlap - log_mean, 0.0)


def log_mean_and_overlap(n: int, kappa: Array) -> tuple[Array, Array]:
    """ln[e^{-κ} M(κ)] and κ(A - 1), at κ > 0.

    Scaled Bessel functions; their power series where they underflow (all terms positive), and the asymptotic series
    for κ > 1e4 + 100 ν². Error below 1e-15 (1e4 + 100 ν²), which is far below K wherever κ is that large.
    """
    nu = n / 2 - 1
    log_mean, overlap = np.empty(kappa.shape), np.empty(kappa.shape)
    large = kappa > 1e4 + 100 * nu**2
    bessel, above = (ive(order, np.where(large, 1.0, kappa)) for order in (nu, nu + 1))
    small = ~large & (above < 1e-280)
    middle = ~(large | small)
    k = kappa[middle]
    log_mean[middle] = gammaln(nu + 1) + nu * np.log(2 / k) + np.log(bessel[middle])
    overlap[middle] = k * (above[middle] / bessel[middle] - 1)
    for where, series in ((large, _asymptotic), (small, _power_series)):
        if where.any():
            log_mean[where], overlap[where] = series(n, kappa[where])
    return log_mean, overlap


def _power_series(n: int, kappa: Array) -> tuple[Array, Array]:
    """From M = Σ_j (κ²/4)^j/(j! (n/2)_j), and A = (κ/n) M_{n+2}/M_n."""

    def log_sum(half: float) -> Array:
        term, total, log_scale, j = np.ones_like(kappa), np.ones_like(kappa), np.zeros_like(kappa), 0
        while np.any(term > 1e-17 * total):  # ends: from j = κ/2 on the terms fall, ever faster
            term = term * (kappa**2 / 4) / ((j + 1) * (half + j))
            total, j = total + term, j + 1
            if total.max() > _LARGE:  # of the order of e^κ in the end
                scale = np.where(total > _LARGE, 1 / _LARGE, 1.0)
                term, total, log_scale = term * scale, total * scale, log_scale - np.log(scale)
        return np.log(total) + log_scale

    log_mean = log_sum(n / 2)
    return log_mean - kappa, kappa**2 / n * np.exp(log_sum(n / 2 + 1) - log_mean) - kappa


def _asymptotic(n: int, kappa: Array) -> tuple[Array, Array]:
    """From √(2πκ) e^{-κ} I_ν(κ) = Σ_j (-1)^j a_j κ^{-j}, a_j = Π_{i≤j} [4ν² - (2i-1)²]/(8i)."""
    nu = n / 2 - 1
    mu, term, total, slope = 4 * nu**2, np.ones_like(kappa), np.ones_like(kappa), np.zeros_like(kappa)
    for j in range(1, 7):
        term = -term * (mu - (2 * j - 1) ** 2) / (8 * j * kappa)
        total, slope = total + term, slope - j * term  # slope = κ d/dκ
    log_mean = gammaln(nu + 1) + nu * np.log(2.0) - (nu + 0.5) * np.log(kappa) - 0.5 * np.log(2 * np.pi) + np.log(total)
    return log_mean, slope / total - (nu + 0.5)


def _mean_divergence(n: int, ratio: Array) -> Array:
    """E K over x ~ p_r at R = 1: Gauss–Legendre over t, |x| = 1 + √r t, density |x|^{n-1} e^{-t²/2} e^{-κ} M(κ)."""
    r = ratio[..., None]
    root = np.sqrt(r)
    centre = r * (n - 1) / (np.sqrt(1 + r * (n - 1)) + 1) / root  # (√(1 + r(n-1)) - 1)/√r
    low, high = np.maximum(centre - _REACH, -1 / root), centre + _REACH
    abscissa, weight = _legendre()
    t = low + 0.5 * (high - low) * (abscissa + 1)
    norm = 1 + root * t
    log_mean, overlap = log_mean_and_overlap(n, norm / r)
    log_density = (n - 1) * np.log(norm) - 0.5 * t**2 + log_mean
    density = weight * np.exp(log_density - log_density.max(axis=-1, keepdims=True))
    return np.einsum("...t,...t->...", density, np.maximum(overlap - log_mean, 0.0)) / density.sum(axis=-1)


@lru_cache(maxsize=1)
def _legendre() -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(_ORDER)
