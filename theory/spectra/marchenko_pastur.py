"""The Marchenko–Pastur law: the covariance spectrum of a random linear manifold with one variance, in closed form."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...conventions.arguments import Array, fail, numbers, positive, positive_scalar

_MOST_NODES = 2**18


@dataclass(frozen=True)
class MarchenkoPastur:
    """Law ρ of the eigenvalues γ of F Fᵀ, F (D, m) of independent N(0, σ²/m) entries; made by `marchenko_pastur`.

    `aspect` = m/D, `variance` = σ². Offers the same names as `theory.spectra.covariance_law.CovarianceLaw`.
    """

    aspect: float
    variance: float

    @property
    def edges(self) -> Array:
        """σ²(1 ∓ √(D/m))², shape (1, 2)."""
        root = math.sqrt(self.aspect)
        # (1 - 1/√a)² = (a - 1)²/(a(1 + √a)²), so that nothing cancels near m = D
        lower = ((self.aspect - 1) / (root * (1 + root))) ** 2
        return self.variance * np.array([[lower, (1 + 1 / root) ** 2]])

    @property
    def weights(self) -> Array:
        """Fraction of the eigenvalues in the bulk, min(1, m/D), shape (1,)."""
        return np.array([min(1.0, self.aspect)])

    @property
    def atom(self) -> float:
        """Fraction of vanishing eigenvalues, max(0, 1 - m/D)."""
        return max(0.0, 1 - self.aspect)

    def density(self, gamma: ArrayLike) -> Array:
        """(m/D) √((γ_+ - γ)(γ - γ_-))/(2π σ² γ) inside, 0 outside, shape of γ; ∞ at the hard edge 0 of m = D."""
        x = numbers(gamma, "gamma")
        low, high = self.edges[0]
        inside = (x > low) & (x < high)
        at = np.where(inside, x, high)
        bulk = self.aspect * np.sqrt((high - at) * (at - low)) / (2 * math.pi * self.variance * at)
        return np.where((x == 0) & (low == 0), np.inf, np.where(inside, bulk, 0.0))

    def mean(self, function: Callable[[Array], Array]) -> float:
        """∫ f(γ) dρ, the atom included, for a vectorised f smooth on [γ_-, γ_+] and at 0.

        Midpoint rule in θ, γ = σ²(1 + 1/a + 2 cos θ/√a), which converges geometrically; doubled until it rests within
        1e-13 of ∫|f|dρ. ValueError where 2^18 nodes do not suffice (f not smooth).
        """
        old, nodes = math.inf, 32
        while nodes <= _MOST_NODES:
            theta = (np.arange(nodes) + 0.5) * math.pi / nodes
            root = math.sqrt(self.aspect)
            gamma = self.variance * ((1 - 1 / root) ** 2 + 4 / root * np.cos(0.5 * theta) ** 2)
            weight = 2 * self.variance * np.sin(theta) ** 2 / gamma / nodes
            values = np.asarray(function(gamma), dtype=np.float64)
            new = float(weight @ values)
            if abs(new - old) <= 1e-13 * float(weight @ np.abs(values)):
                return new + (self.atom * float(function(np.zeros(1))[0]) if self.atom else 0.0)
            old, nodes = new, 2 * nodes
        raise fail("function", function, f"must be smooth on the spectrum: {_MOST_NODES} nodes do not integrate it")

    def information(self, r: ArrayLike) -> Array:
        """I(r)/D = ½∫ln(1 + γ/r) dρ in nats per ambient dimension, closed, shape of r > 0; relative error 1e-14.

        With y = 1/g(-r) and t = σ²D/m: ½[(m/D) ln(1 + t/y) - ln(r/y) + r/y - 1].
        """
        ratio, (y, occupied) = positive(r, "r"), self._solution(r)
        with np.errstate(divide="ignore"):
            log_shrink = np.where(occupied < 0.5, np.log1p(-occupied), np.log(ratio) - np.log(y))
        return 0.5 * (self.aspect * np.log1p(self.variance / self.aspect / y) - log_shrink - occupied)

    def dimension(self, r: ArrayLike) -> Array:
        """d(r)/D = ∫γ/(γ + r) dρ, closed, shape of r > 0; from min(1, m/D) at small r to 0."""
        return self._solution(r)[1]

    def _solution(self, r: ArrayLike) -> tuple[Array, Array]:
        """y = 1/g(-r), the positive root of y² + y(t(1-a) - r) - r t = 0, and a t/(t + y) = 1 - r/y."""
        ratio, t = positive(r, "r"), self.variance / self.aspect
        half = 0.5 * (t * (1 - self.aspect) - ratio)
        root = np.hypot(half, np.sqrt(t) * np.sqrt(ratio))
        with np.errstate(divide="ignore", invalid="ignore"):
            y = np.where(half < 0, root - half, ratio * t / (root + half))
        return y, np.minimum(self.aspect * t / (t + y), 1.0)


def marchenko_pastur(aspect: float, variance: float = 1.0) -> MarchenkoPastur:
    """Law of the eigenvalues of F Fᵀ, F (D, m) of independent N(0, `variance`/m) entries, `aspect` = m/D.

    Exact for D, m → ∞; at finite size the bulk has corrections of order 1/D and the edges move by order D^{-2/3}.
    The data x_0 = F z then carry I(r)/D = ½∫ln(1 + γ/r) dρ nats per ambient dimension; divide by `aspect` for the
    value per latent dimension. ValueError unless both are one number > 0.
    Source: Marchenko and Pastur (1967); arXiv 2410.05898; docs/spectra.md §1.
    """
    return MarchenkoPastur(positive_scalar(aspect, "aspect"), positive_scalar(variance, "variance"))
