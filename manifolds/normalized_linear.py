"""Linear data scaled to the unit sphere, the synthetic data of arXiv 2410.08727, with exact population quantities."""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..conventions.arguments import Array, fail, positive
from ..conventions.law import Draws
from ..theory.integrals.angular_gaussian import AngularGaussian, angular_gaussian
from ..theory.integrals.radial_nodes import radial_nodes
from .embedding import Embedding
from .manifold import Manifold, over_noise

_SOBOL_LOG2 = 11


class NormalizedLinear(Manifold):
    """y = w/|w| with w Gaussian of variances λ_i: an angular Gaussian law on the unit sphere of the span.

    `variances` (k,) > 0, k ≥ 2; embedding arguments as for `Linear`. The pointwise quantities (log-partition,
    posterior mean and covariance, local divergence) are one-dimensional integrals exact to about 1e-12
    (theory.integrals.angular_gaussian). Averages over x are randomised Sobol sums over 2^11 points of the group radii,
    relative error about 1e-3 for `free_energy_gap` and 1e-4 for `information` and `dimension`, with fixed
    nodes, so that they are smooth in r. Source: arXiv 2410.08727; derived, docs/theory.md §2.5, §6.
    """

    variances: Array
    _scaled: Array
    _group: NDArray[np.int64]
    _counts: Array

    def __init__(
        self,
        variances: ArrayLike,
        *,
        ambient_dim: int | None = None,
        basis: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
        centre: ArrayLike | None = None,
    ):
        values = positive(variances, "variances")
        if values.ndim != 1 or values.size < 2:
            raise fail(
                "variances",
                values,
                "must be a list of k ≥ 2 numbers: the sphere of one direction is two points",
            )
        super().__init__(Embedding(values.size, ambient_dim, basis, rng, centre))
        self._set(variances=values, intrinsic_dim=values.size - 1)
        # only ratios of variances matter; groups of equal variance enter through their radii
        scaled, group, counts = np.unique(values / values.max(), return_inverse=True, return_counts=True)
        self._set(_scaled=scaled, _group=group, _counts=counts.astype(np.float64))

    def tangent_basis(self, y: ArrayLike) -> Array:
        """Orthonormal basis (D, d) of the tangent space of the unit sphere of the span at one point y (D,) of it."""
        return self.embedding.sphere_tangents(y, 1.0)

    @classmethod
    def two_subspaces(cls, high: int = 2, low: int = 5, ambient_dim: int = 30) -> "NormalizedLinear":
        """The law of arXiv 2410.08727: standard deviations 1 (`high` times), 0.3 (`low` times), 0.01 (the rest)."""
        rest = ambient_dim - high - low
        if min(high, low) < 1 or rest < 0:
            raise ValueError(f"high = {high}, low = {low}: must be ≥ 1 and sum to at most {ambient_dim}")
        law = cls([1.0] * high + [0.09] * low + [1e-4] * rest)
        return law.made_by("two_subspaces", high=high, low=low, ambient_dim=ambient_dim)

    # pointwise: exact integrals

    def _field(self, z: Array, r: ArrayLike) -> tuple[AngularGaussian, Array]:
        squares = self._group_sums((z / np.asarray(r)[..., None]) ** 2)
        return angular_gaussian(squares, self._scaled, self._counts), np.sqrt((z**2).sum(axis=1))

    def _group_sums(self, values: Array) -> Array:
        sums = np.zeros((len(values), len(self._scaled)))
        np.add.at(sums.T, self._group, values.T)
        return sums

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        w = rng.standard_normal((n, self.variances.size)) * np.sqrt(self.variances)
        return w / np.linalg.norm(w, axis=1, keepdims=True)

    def _log_partition(self, z: Array, r: float) -> Array:
        law, norm = self._field(z, r)
        return law.log_mgf_excess - (norm - 1) ** 2 / (2 * r)

    def _posterior_mean(self, z: Array, r: float) -> Array:
        law, _ = self._field(z, r)
        return (z / r) * law.response[:, self._group]

    def _posterior_covariance(self, z: Array, r: float) -> Array:
        law, _ = self._field(z, r)
        field = z / r
        mean = field * law.response[:, self._group]
        coupling = law.coupling[:, self._group][:, :, self._group]
        covariance = field[:, :, None] * field[:, None, :] * coupling - mean[:, :, None] * mean[:, None, :]
        diagonal = np.arange(z.shape[1])
        covariance[:, diagonal, diagonal] += law.response[:, self._group]
        return covariance

    def _local_divergence(self, z: Array, r: float) -> Array:
        """K(x, r) = b·m - ln E e^{b·y} with b = x/r."""
        law, _ = self._field(z, r)
        return np.maximum(law.overlap_excess - law.log_mgf_excess, 0.0)

    def _posterior_draws(self, x: Array, r: Array, rng: np.random.Generator) -> Draws:
        reason = "rejection from a von Mises–Fisher or an angular Gaussian law accepts exponentially little in k"
        raise fail("law", self, f"has no exact draws from its posterior ({reason}): sample it and use EmpiricalScore")

    def leading_variance(self) -> float:
        """Largest E y_i²."""
        law = angular_gaussian(np.zeros((1, len(self._scaled))), self._scaled, self._counts)
        return float(law.response.max())

    # averages: Sobol sums over the group radii of y and of the noise

    @cached_property
    def _nodes(self) -> tuple[Array, Array, Array]:
        """Group radii ρ of y, noise along y in each group, squared noise across, each (n, g)."""
        squared, along, across = radial_nodes(tuple(self._counts), _SOBOL_LOG2)
        radii = self._scaled * squared
        return np.sqrt(radii / radii.sum(axis=1, keepdims=True)), along, across

    def _noisy(self, r: float, noise: float) -> tuple[AngularGaussian, Array, Array]:
        """The law at x = y + √s ξ, the norms |x|, and the squared group radii of x."""
        rho, along, across = self._nodes
        squares = (rho + np.sqrt(noise) * along) ** 2 + noise * across
        law = angular_gaussian(squares / r**2, self._scaled, self._counts)
        return law, np.sqrt(squares.sum(axis=1)), squares

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = -E[(s/r)|ξ_⊥|²/(1 + √s y·ξ + |x|) + ln E e^{b·y} - |b|], ξ_⊥ the noise across y."""

        def gap(ratio: float, s: float) -> float:
            rho, along, across = self._nodes
            law, norm, _ = self._noisy(ratio, s)
            if ratio > 1:  # ln E e^{b·y} is small itself: use E y·ξ = 0 and no cancellation is left
                return 1 / ratio - float(np.mean(law.log_mgf_excess + norm / ratio))
            radial = np.sum(rho * along, axis=1)
            transverse = np.sum(along**2 + across, axis=1) - radial**2
            weight = (s / ratio) / (1 + np.sqrt(s) * radial + norm)
            return float(np.mean(-weight * transverse - law.log_mgf_excess))

        return over_noise(gap, r, noise)

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """E K(x, r) at x = y + √s ξ."""

        def divergence(ratio: float, s: float) -> float:
            law, _, _ = self._noisy(ratio, s)
            return float(np.mean(np.maximum(law.overlap_excess - law.log_mgf_excess, 0.0)))

        return over_noise(divergence, r, noise)

    def information(self, r: ArrayLike) -> Array:
        """I(r) = E K(x, r), x ~ p_r."""
        return self.mean_local_divergence(r, r)

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = E (1 - |m|²)/r, x ~ p_r."""

        def occupied(ratio: float, s: float) -> float:
            law, norm, squares = self._noisy(ratio, s)
            size = norm / ratio
            shortfall = -law.overlap_excess / size  # 1 - m·x/|x|
            towards = 1 - shortfall
            mean_response = np.einsum("ng,ng->n", squares, law.response) / norm**2
            across = np.einsum("ng,ng->n", squares / ratio**2, (law.response - mean_response[:, None]) ** 2)
            return float(np.mean(shortfall * (1 + towards) - across)) / ratio

        ratios = positive(r, "r")
        return over_noise(occupied, ratios, ratios)
