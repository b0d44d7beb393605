"""The covariance spectrum of a random linear manifold with several variances, or a continuum of them.

Data x_0 = F z, z standard normal in R^m, F (D, m) of independent N(0, τ/m) entries, D, m → ∞ at fixed m/D: the
eigenvalues γ of F Fᵀ. Everything here is per ambient dimension; a matrix of D = 100 has corrections of order 1/D.
"""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import roots_legendre

from ...conventions.arguments import (
    Array,
    fail,
    nonnegative,
    numbers,
    one_of,
    positive,
    positive_integer,
    positive_scalar,
)
from .silverstein import ROUNDING, Complex, FreeCompoundPoisson

_FEWEST_NODES, _MOST_NODES, _QUADRATURE_TOLERANCE = 32, 1024, 1e-8


@runtime_checkable
class ContinuousVariances(Protocol):
    """A continuous law of variances on a bounded interval, such as a frozen `scipy.stats` distribution."""

    def pdf(self, x: Array) -> Array:
        """Density at x."""
        ...

    def support(self) -> tuple[float, float]:
        """The interval, 0 ≤ low < high < ∞."""
        ...


@dataclass(frozen=True)
class CovarianceLaw:
    """Law ρ of the eigenvalues γ of F Fᵀ, made by `covariance_law`.

    `aspect` = m/D. `quadrature_error`: largest relative change of edges, log-determinants and Im u when the nodes of
    a continuous law of variances are halved; 0 for discrete variances, where all is exact to rounding.
    """

    aspect: float
    poisson: FreeCompoundPoisson
    share: float = 1.0  # ρ = share · (free compound Poisson law) + (1 - share) δ_0
    quadrature_error: float = 0.0

    @property
    def edges(self) -> Array:
        """Lower and upper edge γ_∓ of each bulk, increasing, shape (bulks, 2)."""
        return self.poisson.edges

    @property
    def weights(self) -> Array:
        """Fraction of the D eigenvalues in each bulk, shape (bulks,); exact separation makes them sums of m_k/D."""
        t, c = self.poisson.jumps, self.poisson.rates
        weights = np.array([c[(low < t) & (t < high)].sum() for low, high in self.poisson.bulks])
        weights[0] -= max(0.0, self.poisson.total_rate - 1)  # F Fᵀ cannot have more than D eigenvalues
        return self.share * weights

    @property
    def atom(self) -> float:
        """Fraction of exactly vanishing eigenvalues, max(0, 1 - m_+/D), m_+ the number of positive variances."""
        empty = 1 - self.share * min(1.0, self.poisson.total_rate)
        return empty if empty > ROUNDING else 0.0

    def density(self, gamma: ArrayLike) -> Array:
        """Density of ρ at γ, without the atom at 0; shape of γ. It is ∞ at the hard edge γ = 0 of m = D."""
        x = numbers(gamma, "gamma")
        inside = np.any((x[..., None] > self.edges[:, 0]) & (x[..., None] < self.edges[:, 1]), axis=-1)
        result = np.where((x == 0) & (self.edges[0, 0] == 0), np.inf, 0.0)
        u = self.poisson.solve(x[inside].astype(np.complex128))
        result[inside] = self.share / math.pi * u.imag / np.abs(u) ** 2
        return result

    def cumulative(self, gamma: ArrayLike) -> Array:
        """Fraction of eigenvalues ≤ γ, the atom included, shape of γ; closed in u (derived, docs/spectra.md §2)."""
        x = numbers(gamma, "gamma")
        u = self.poisson.solve(x.ravel().astype(np.complex128)).reshape(x.shape)
        phases = (np.angle(u[..., None] - self.poisson.jumps) - np.angle(u)[..., None]) @ self.poisson.rates
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(u.imag > 0, x * u.imag / np.abs(u) ** 2, 0.0)
        below = 1 - (phases + np.angle(u) - slope) / math.pi
        return np.where(x < 0, 0.0, np.where(x == 0, self.atom, 1 - self.share * (1 - below)))

    def stieltjes(self, z: ArrayLike) -> Complex:
        """g(z) = ∫ρ(dγ)/(γ - z) for complex z, shape of z; residual of Silverstein's equation below 1e-12.

        On the real axis the limit from above, z + i0. With row variances the pole of the companion is subtracted, which
        leaves an absolute error of 1e-15 |1 - m/D|/|z|. ValueError at z = 0, except for columns with m > D.
        """
        points = np.asarray(z, dtype=np.complex128)
        if not np.all(np.isfinite(points)):
            raise fail("z", z, "must be finite")
        if np.any(points == 0) and (self.atom > 0 or self.edges[0, 0] == 0 or self.share != 1):
            raise fail("z", z, "must not be 0 for this law")
        upper = np.where(points.imag < 0, points.conj(), points)
        g = -1 / self.poisson.solve(upper.ravel()).reshape(points.shape)
        if self.share != 1:
            g = self.share * g - (1 - self.share) / upper
        return np.where(points.imag < 0, g.conj(), g)

    def moments(self, order: int) -> Array:
        """E γ^k for k = 0 … `order`, shape (order + 1,): free cumulants κ_n = Σ c t^n, exact."""
        order = positive_integer(order, "order")
        cumulants = [float(self.poisson.rates @ self.poisson.jumps**n) for n in range(1, order + 1)]
        moments = np.zeros(order + 1)
        moments[0] = 1.0
        for n in range(1, order + 1):
            power = moments[:n].copy()  # Σ_{i_1+…+i_s = n-s} m_{i_1} … m_{i_s} is a coefficient of the s-th power
            for s in range(1, n + 1):
                moments[n] += cumulants[s - 1] * power[n - s]
                power = np.convolve(power, moments[:n])[:n]
        moments[1:] *= self.share
        return moments

    def information(self, r: ArrayLike) -> Array:
        """I(r)/D = ½∫ln(1 + γ/r) dρ in nats per ambient dimension, shape of r > 0; relative error about 1e-14.

        Shannon transform, with g = g(-r): ∫ln(1 + γ/r) dρ = Σ c ln(1 + t g) - ln(r g) + r g - 1.
        """
        ratio = positive(r, "r")
        y = self.poisson.solve_negative(ratio)
        lost = self._occupation(y)
        with np.errstate(divide="ignore"):
            log_shrink = np.where(lost < 0.5, np.log1p(-lost), np.log(ratio) - np.log(y))  # ln(r g), r g = 1 - lost
        shannon = np.log1p(self.poisson.jumps / y[..., None]) @ self.poisson.rates - log_shrink - lost
        return 0.5 * self.share * shannon

    def dimension(self, r: ArrayLike) -> Array:
        """d(r)/D = ∫γ/(γ + r) dρ = Σ c t g/(1 + t g), g = g(-r), shape of r > 0; from min(1, m/D) to 0 as r grows."""
        return self.share * self._occupation(self.poisson.solve_negative(positive(r, "r")))

    def _occupation(self, y: Array) -> Array:
        return np.minimum((self.poisson.jumps / (self.poisson.jumps + y[..., None])) @ self.poisson.rates, 1.0)


def covariance_law(
    variances: ArrayLike | ContinuousVariances,
    weights: ArrayLike | None = None,
    *,
    aspect: float,
    of: str = "columns",
) -> CovarianceLaw:
    """Law of the eigenvalues of F Fᵀ, F (D, m) with independent entries of variance τ/m, at `aspect` = m/D > 0.

    `variances` τ (K,) ≥ 0 with `weights` (K,) > 0, normalised to sum 1 (equal ones by default): the variance and the
    share of the latent directions (`of`="columns", the setting of arXiv 2410.05898) or of the ambient coordinates
    (`of`="rows", the companion: also the empirical covariance of m points with population variances τ).
    Or a frozen scipy.stats distribution on a bounded interval (columns or rows), replaced by the nodes of a Gauss
    rule; their number is doubled until edges and log-determinants rest within 1e-8, up to 1024 nodes.

    Exact for D → ∞. ValueError names bad arguments; also where 1024 nodes do not resolve a continuous law (aspect below
    1e-2, or a rough density): give discrete variances then.
    Source: Silverstein's equation, arXiv 2410.05898; docs/spectra.md §2, §3.
    """
    aspect = positive_scalar(aspect, "aspect")
    one_of(of, ("columns", "rows"), "of")
    if isinstance(variances, ContinuousVariances):
        if weights is not None:
            raise fail("weights", weights, "must be left out for a continuous law of variances")
        return _converged(variances, aspect, of)
    tau = np.atleast_1d(nonnegative(variances, "variances"))
    if tau.ndim != 1 or not np.any(tau > 0):
        raise fail("variances", tau, "must be a list of numbers, at least one of them > 0")
    return _discrete(tau, _normalised(weights, tau), aspect, of)


def _normalised(weights: ArrayLike | None, tau: Array) -> Array:
    values = np.ones_like(tau) if weights is None else np.atleast_1d(positive(weights, "weights"))
    if values.shape != tau.shape:
        raise fail("weights", values, f"must have the shape of variances, {tau.shape}")
    return values / values.sum()


def _discrete(tau: Array, weights: Array, aspect: float, of: str) -> CovarianceLaw:
    values, kind = np.unique(tau, return_inverse=True)
    shares = np.bincount(kind.ravel(), weights).astype(np.float64)[values > 0]
    values = values[values > 0]
    if of == "columns":
        return CovarianceLaw(aspect, FreeCompoundPoisson(values / aspect, shares * aspect))
    return CovarianceLaw(aspect, FreeCompoundPoisson(values, shares / aspect), share=aspect)


def _nodes(law: ContinuousVariances, count: int) -> tuple[Array, Array]:
    """Gauss–Legendre in θ, ln τ = centre - half cos θ (τ itself if it reaches 0).

    Silverstein's equation has no scale of its own, hence the logarithm; the cosine makes ends of the density that
    are square roots, inverse square roots or steps cost no accuracy.
    """
    low, high = law.support()
    abscissa, weight = roots_legendre(count)
    theta = 0.5 * math.pi * (abscissa + 1)
    way = np.sin(0.5 * theta) ** 2
    tau = low * (high / low) ** way if low > 0 else high * way
    stretch = tau if low > 0 else np.ones_like(tau)  # dτ/dθ up to a constant and the sine
    mass = weight * np.sin(theta) * stretch * nonnegative(law.pdf(tau), "pdf of variances")
    kept = mass > 0
    return tau[kept], mass[kept] / mass[kept].sum()


def _converged(law: ContinuousVariances, aspect: float, of: str) -> CovarianceLaw:
    low, high = map(float, law.support())
    if not (math.isfinite(low) and math.isfinite(high) and 0 <= low < high):
        raise fail("variances", (low, high), "must have a bounded support 0 ≤ low < high < ∞")
    if low == 0 and (aspect < 1 if of == "columns" else aspect > 1):
        raise fail("variances", (low, high), "a support that reaches 0 closes the gap at 0; begin it above 0")
    count, error, old = _FEWEST_NODES, math.inf, np.empty(0)
    while count <= _MOST_NODES:
        fine = _discrete(*_nodes(law, count), aspect, of)
        new = _fingerprint(fine)
        if new.shape == old.shape:
            error = float(np.max(np.abs(new - old) / np.abs(new)))
            if error < _QUADRATURE_TOLERANCE:
                return CovarianceLaw(aspect, fine.poisson, fine.share, error)
        old, count = new, 2 * count
    raise fail("aspect", aspect, f"{_MOST_NODES} nodes do not resolve this law of variances (change {error:.1e})")


def _fingerprint(law: CovarianceLaw) -> NDArray[np.float64]:
    """Edges, log-determinants over four decades of noise, Im u inside the bulks: at rest once the nodes suffice."""
    top, edges = law.edges[-1, 1], law.edges
    inside = edges[:, :1] + np.array([0.02, 0.2, 0.5, 0.8, 0.98]) * (edges[:, 1:] - edges[:, :1])
    heights = law.poisson.solve(inside.ravel().astype(np.complex128)).imag
    return np.concatenate([edges[edges > 0].ravel(), law.information(top * np.logspace(-3, 1, 5)), heights])
