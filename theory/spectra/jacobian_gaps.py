"""Gaps in the spectrum of the score's Jacobian on a random linear manifold: where they open, and which exist at all.

On a Gaussian law rJ = -(1 - C/r) has the eigenvalue -r/(r + γ) for each eigenvalue γ of the covariance: -1 off the
manifold, near 0 along directions that the noise has not yet covered. A gap of the covariance law between γ_b < γ_a
is a gap of rJ of size r/(r + γ_b) - r/(r + γ_a); γ_b = 0 is the final gap, which counts the manifold's dimension.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from ...conventions.arguments import Array, fail, numbers, positive, positive_scalar
from .silverstein import FreeCompoundPoisson


class EigenvalueLaw(Protocol):
    """A law of covariance eigenvalues per ambient dimension: `MarchenkoPastur` or `CovarianceLaw`."""

    @property
    def edges(self) -> Array:
        """Lower and upper edge of each bulk, shape (bulks, 2)."""
        ...

    @property
    def weights(self) -> Array:
        """Fraction of eigenvalues in each bulk, shape (bulks,)."""
        ...

    @property
    def atom(self) -> float:
        """Fraction of vanishing eigenvalues."""
        ...

    def density(self, gamma: ArrayLike) -> Array:
        """Density without the atom, shape of γ."""
        ...


@dataclass(frozen=True)
class JacobianDensity:
    """Law of the eigenvalues λ = -r/(r + γ) ∈ [-1, 0) of the rescaled Jacobian rJ, made by `jacobian_density`."""

    law: EigenvalueLaw
    r: float

    @property
    def edges(self) -> Array:
        """Lower and upper edge of each bulk, increasing from -1 towards 0, shape (bulks, 2)."""
        return -self.r / (self.r + self.law.edges)

    @property
    def weights(self) -> Array:
        """Fraction of eigenvalues in each bulk, shape (bulks,)."""
        return self.law.weights

    @property
    def spike(self) -> float:
        """Fraction of eigenvalues at -1: max(0, 1 - m/D) if all m variances are positive."""
        return self.law.atom

    def density(self, eigenvalue: ArrayLike) -> Array:
        """ρ(γ) r/λ² at λ, γ = -r(1 + λ)/λ, without the spike; shape of λ, 0 outside (-1, 0)."""
        values = numbers(eigenvalue, "eigenvalue")
        inside = (values > -1) & (values < 0)
        at = np.where(inside, values, -0.5)
        return np.where(inside, self.law.density(-self.r * (1 + at) / at) * self.r / at**2, 0.0)


def jacobian_density(law: EigenvalueLaw, r: float) -> JacobianDensity:
    """Law of the eigenvalues of rJ, J the score's Jacobian at noise ratio `r` > 0, on a Gaussian law of spectrum `law`.

    The same at every point x, since J = -(F Fᵀ + r)^{-1}. In any forward process of signal a_t and noise s_t²,
    s_t² J_t has these eigenvalues at r = s_t²/a_t². ValueError for a bad `r`.
    Source: arXiv 2410.05898; docs/spectra.md §4.
    """
    return JacobianDensity(law, positive_scalar(r, "r"))


@dataclass(frozen=True)
class Gap:
    """The gap of rJ between covariance eigenvalues `below` < `above`; `fraction` of all D eigenvalues lie above it.

    `below` = 0: the final gap, between the spike at -1 and the manifold. Formulas derived in docs/spectra.md §4.
    """

    below: float
    above: float
    fraction: float

    @property
    def final(self) -> bool:
        """Whether this is the gap that separates the manifold from what lies off it."""
        return self.below == 0

    def size(self, r: ArrayLike) -> Array:
        """r/(r + γ_b) - r/(r + γ_a), shape of r > 0; γ_a/(r + γ_a) for the final gap."""
        ratio = positive(r, "r")
        return ratio / (ratio + self.below) * ((self.above - self.below) / (ratio + self.above))

    @property
    def widest(self) -> float:
        """The noise ratio √(γ_b γ_a) of the largest size; 0 for the final gap, which only grows as r falls."""
        return math.sqrt(self.below) * math.sqrt(self.above)

    @property
    def widest_size(self) -> float:
        """(√γ_a - √γ_b)/(√γ_a + √γ_b); 1 for the final gap."""
        low, high = math.sqrt(self.below), math.sqrt(self.above)
        return (high - low) / (high + low)

    def visible(self, threshold: float = 0.5) -> tuple[float, float] | None:
        """Noise ratios (closing, opening) between which the size exceeds `threshold` in (0, 1); None if it never does.

        As r falls the gap opens at the larger one and closes at the smaller one, 0 for the final gap. They are the
        roots of θr² + (θ(γ_a + γ_b) - (γ_a - γ_b)) r + θγ_aγ_b = 0, hence symmetric about `widest` in ln r.
        """
        half = 0.5 * ((self.above - self.below) / _share(threshold) - (self.above + self.below))
        if half < self.widest or half <= 0:
            return None
        opening = half + math.sqrt((half - self.widest) * (half + self.widest))
        return self.widest * (self.widest / opening), opening


def gaps(law: EigenvalueLaw) -> tuple[Gap, ...]:
    """All gaps of the Jacobian's spectrum, the final gap first (m < D only), then those between bulks, upwards in γ.

    Exact in the limit of large D. None at all where the manifold fills the space in one bulk (m ≥ D).
    Source: arXiv 2410.05898; docs/spectra.md §4.
    """
    edges, tail = law.edges, np.cumsum(law.weights[::-1])[::-1]
    found = [Gap(float(edges[i, 1]), float(edges[i + 1, 0]), float(tail[i + 1])) for i in range(len(edges) - 1)]
    if law.atom > 0 and edges[0, 0] > 0:
        found.insert(0, Gap(0.0, float(edges[0, 0]), float(tail[0])))
    return tuple(found)


class Phases(NamedTuple):
    """Boundaries, as noise ratios, of the three phases of the reverse process; made by `phases`."""

    coverage: float
    consolidation: float

    def at(self, r: float) -> str:
        """Name of the phase at `r`: "trivial" (r ≥ coverage), "manifold coverage", "consolidation" (below that one)."""
        r = positive_scalar(r, "r")
        return "trivial" if r >= self.coverage else "manifold coverage" if r >= self.consolidation else "consolidation"


def phases(law: EigenvalueLaw, threshold: float = 0.5) -> Phases:
    """The two phase boundaries: where the first and the last direction of the manifold stand out of the noise.

    A direction of variance γ stands out when γ/(γ + r), the distance of its eigenvalue of rJ from -1, exceeds
    `threshold` θ in (0, 1). Trivial: none does, r ≥ γ_+ (1 - θ)/θ. Manifold coverage: some do, and the score still
    shapes the law inside the manifold. Consolidation: all do, r < γ_- (1 - θ)/θ, i.e. the final gap exceeds θ.
    At θ = ½ the first boundary is r = γ_+, where `symmetry_breaking` of the data law lies. arXiv 2410.05898 names the
    phases without sharp boundaries; these are ours. ValueError where m ≥ D: there is nothing off the manifold.
    """
    odds = (1 - _share(threshold)) / threshold
    if not law.atom > 0:
        raise fail("law", law, "must have m < D: without directions off the manifold there is no consolidation")
    return Phases(float(law.edges[-1, 1]) * odds, float(law.edges[0, 0]) * odds)


def critical_aspects(variances: ArrayLike, weights: ArrayLike) -> Array:
    """Largest m/D at which neighbouring column variances τ_k < τ_{k+1} still have a gap between them, shape (K - 1,).

    1/min_v Σ_j w_j τ_j²/(v - τ_j)² over τ_k < v < τ_{k+1}; for two variances in closed form
    (τ_2 - τ_1)²/[(w_1 τ_1²)^{1/3} + (w_2 τ_2²)^{1/3}]³, i.e. 1/w_2 as τ_1/τ_2 → 0: the gap of a subspace of dimension
    m w_2 closes when that dimension reaches D. `variances` (K,) increasing and > 0, `weights` (K,) > 0 with sum 1.
    ValueError otherwise. Derived, docs/spectra.md §4.
    """
    tau, share = positive(variances, "variances"), positive(weights, "weights")
    if tau.ndim != 1 or tau.size < 2 or np.any(np.diff(tau) <= 0):
        raise fail("variances", tau, "must be a list of two or more increasing numbers")
    if share.shape != tau.shape or abs(share.sum() - 1) > 1e-9:
        raise fail("weights", share, f"must have shape {tau.shape} and sum 1")
    law = FreeCompoundPoisson(tau, share)
    return 1 / (1 - law.inverse_slope(law.flattest(tau[:-1], tau[1:])).real)


def _share(threshold: float) -> float:
    value = positive_scalar(threshold, "threshold")
    if value >= 1:
        raise fail("threshold", threshold, "must be < 1")
    return value
