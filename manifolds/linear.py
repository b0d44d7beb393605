"""The linear manifold: a Gaussian law on a subspace, the one case where everything is closed."""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import (
    Array,
    fail,
    generator,
    nonnegative,
    points,
    positive,
    positive_integer,
    positive_scalar,
)
from ..conventions.law import Draws
from .embedding import Embedding
from .energies import LinearEnergies
from .manifold import Manifold


class Linear(Manifold):
    """Gaussian law with variances λ_i along orthonormal directions: y = centre + Σ √λ_i z_i b_i.

    `variances` (k,) ≥ 0. Axis-aligned in the first k of `ambient_dim` axes by default; `basis` (D, k) with
    orthonormal columns, or `rng` for a random orthonormal embedding; `centre` (D,), default the origin.
    I(r) = ½ Σ ln(1 + λ_i/r), d(r) = Σ λ_i/(λ_i + r). Exact at every r. docs/theory.md §2.
    """

    variances: Array
    is_gaussian = True

    def __init__(
        self,
        variances: ArrayLike,
        *,
        ambient_dim: int | None = None,
        basis: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
        centre: ArrayLike | None = None,
    ):
        values = nonnegative(variances, "variances")
        if values.ndim != 1 or values.size == 0:
            raise fail("variances", values, "must be a list of k ≥ 1 numbers")
        super().__init__(Embedding(values.size, ambient_dim, basis, rng, centre))
        self._set(variances=values, intrinsic_dim=int(np.count_nonzero(values)))

    @classmethod
    def random_matrix(
        cls, latent_dim: int, ambient_dim: int, rng: np.random.Generator, *, variance: float = 1.0
    ) -> "Linear":
        """y = F z with F (D, m) of independent N(0, variance/m) entries: a Marchenko–Pastur covariance F Fᵀ.

        Its positive eigenvalues lie, for large m and D, between variance·(1 ± √(D/m))². arXiv 2410.05898.
        """
        m, d = positive_integer(latent_dim, "latent_dim"), positive_integer(ambient_dim, "ambient_dim")
        scale = np.sqrt(positive_scalar(variance, "variance") / m)
        left, singular, _ = np.linalg.svd(scale * generator(rng).standard_normal((d, m)), full_matrices=False)
        return cls(singular**2, basis=left)

    def _mean(self) -> Array:
        return np.zeros(self.variances.size)

    def deviations(self, n: int, rng: np.random.Generator) -> Array:
        """`n` draws of y - E y, shape (n, D)."""
        return self.embedding.lift_vectors(self._sample(n, rng))

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        return rng.standard_normal((n, self.variances.size)) * np.sqrt(self.variances)

    def _log_partition(self, z: Array, r: float) -> Array:
        return -0.5 * np.sum(np.log1p(self.variances / r)) - 0.5 * (z**2) @ (1 / (self.variances + r))

    def _posterior_mean(self, z: Array, r: float) -> Array:
        return z * (self.variances / (self.variances + r))

    def _posterior_covariance(self, z: Array, r: float) -> Array:
        variances = self.variances / (1 + self.variances / r)
        return np.broadcast_to(np.diag(variances), (len(z), variances.size, variances.size))

    def tangent_basis(self, y: ArrayLike) -> Array:
        """Orthonormal basis (D, d) of the directions of variance > 0, the same at every y (D,)."""
        points(y, self.ambient_dim, "y")
        return self.embedding.lift_vectors(np.eye(self.variances.size)[self.variances > 0]).T

    def leading_posterior_variance(self, x: ArrayLike, r: float) -> float:
        """λ_max r/(λ_max + r), at every x."""
        return self.leading_variance() / (1 + self.leading_variance() / positive_scalar(r, "r"))

    def leading_variance(self) -> float:
        """λ_max."""
        return float(self.variances.max())

    def _local_divergence(self, z: Array, r: float) -> Array:
        """K(x, r) = ½ Σ [ln(1+λ/r) - λ/(λ+r) + λ z²/(λ+r)²]."""
        ratio = self.variances / r
        fixed = _log1p_minus(ratio).sum()
        return 0.5 * (fixed + (z**2) @ (ratio / (1 + ratio) / (self.variances + r)))

    def information(self, r: ArrayLike) -> Array:
        """I(r) = ½ Σ ln(1 + λ_i/r)."""
        return 0.5 * np.log1p(self.variances / positive(r, "r")[..., None]).sum(axis=-1)

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = Σ λ_i/(λ_i + r)."""
        return (self.variances / (self.variances + positive(r, "r")[..., None])).sum(axis=-1)

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = ½ Σ [ln(1+λ/r) + λ(1 - s/r)/(λ+r)]; the k span directions carry all of it."""
        ratio, s = positive(r, "r")[..., None], nonnegative(noise, "noise")[..., None]
        occupied = self.variances / (self.variances + ratio)
        return 0.5 * (np.log1p(self.variances / ratio) + occupied * (1 - s / ratio)).sum(axis=-1)

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """E K = ½ Σ [ln(1+λ/r) - λ/(λ+r) + λ(λ+s)/(λ+r)²] at x = y + √s ξ."""
        ratio, s = positive(r, "r")[..., None], nonnegative(noise, "noise")[..., None]
        total = self.variances + ratio
        tilted = self.variances / total * ((self.variances + s) / total)
        return 0.5 * (_log1p_minus(self.variances / ratio) + tilted).sum(axis=-1)

    # capabilities

    def _posterior_draws(self, x: Array, r: Array, rng: np.random.Generator) -> Draws:
        """The Gaussian of mean m(x, r) and variances λr/(λ+r)."""
        mean = self.posterior_mean(x, r)
        spread = np.sqrt(self.variances / (1 + self.variances / r[:, None]))
        return Draws(mean + self.embedding.lift_vectors(spread * rng.standard_normal(spread.shape)))

    def energies(self) -> LinearEnergies:
        """Their law given the radii within groups of equal variances."""
        return self._energies

    @cached_property
    def _energies(self) -> LinearEnergies:
        return LinearEnergies(self.variances)


def _log1p_minus(u: Array) -> Array:
    """ln(1+u) - u/(1+u), without cancellation at small u (series u²/2 - 2u³/3 + 3u⁴/4 - …)."""
    small = u < 1e-3
    v = np.where(small, u, 0.0)
    series = v**2 * (1 / 2 - v * (2 / 3 - v * (3 / 4 - v * (4 / 5 - v * 5 / 6))))
    return np.where(small, series, np.log1p(u) - u / (1 + u))
