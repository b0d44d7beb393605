"""Products: independent coordinates on several manifolds, for which information and dimension add."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import block_diag

from ..conventions.arguments import Array, fail, positive
from ..conventions.law import Draws
from .embedding import Embedding
from .energies import ProductEnergies
from .manifold import Manifold
from .sphere import Sphere


class Product(Manifold):
    """ν = ν_1 × ν_2 × …: coordinates one after the other, D = Σ D_i before the embedding.

    φ, K, G, I and d(r) are sums, the posterior mean is a concatenation and its covariance block diagonal.
    `factors`: one or more manifolds; embedding arguments as for `Linear`. docs/theory.md §2.
    """

    factors: tuple[Manifold, ...]
    _cuts: NDArray[np.int64]

    def __init__(
        self,
        factors: Sequence[Manifold],
        *,
        ambient_dim: int | None = None,
        basis: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
        centre: ArrayLike | None = None,
    ):
        factors = tuple(factors)
        if not factors or not all(isinstance(factor, Manifold) for factor in factors):
            raise fail("factors", factors, "must be one or more manifolds")
        dims = [factor.ambient_dim for factor in factors]
        super().__init__(Embedding(sum(dims), ambient_dim, basis, rng, centre))
        self._set(factors=factors, intrinsic_dim=sum(factor.intrinsic_dim for factor in factors))
        self._set(_cuts=np.cumsum(dims)[:-1], is_gaussian=all(factor.is_gaussian for factor in factors))

    def _blocks(self, z: Array) -> list[tuple[Manifold, Array]]:
        return list(zip(self.factors, np.split(z, self._cuts, axis=1), strict=True))

    def _mean(self) -> Array:
        return np.concatenate([factor.mean for factor in self.factors])

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        return np.hstack([factor.sample(n, rng) for factor in self.factors])

    def _log_partition(self, z: Array, r: float) -> Array:
        return np.sum([factor.log_partition(part, r) for factor, part in self._blocks(z)], axis=0)

    def _posterior_mean(self, z: Array, r: float) -> Array:
        return np.hstack([factor.posterior_mean(part, r) for factor, part in self._blocks(z)])

    def _posterior_covariance(self, z: Array, r: float) -> Array:
        blocks = [factor.posterior_covariance(part, r) for factor, part in self._blocks(z)]
        return np.stack([block_diag(*(block[i] for block in blocks)) for i in range(len(z))])

    def leading_posterior_variance(self, x: ArrayLike, r: float) -> float:
        """Largest eigenvalue of C(x, r) at one point."""
        z, _ = self.embedding.split(x)
        return max(factor.leading_posterior_variance(part[0], r) for factor, part in self._blocks(z))

    def leading_variance(self) -> float:
        """Largest among the factors."""
        return max(factor.leading_variance() for factor in self.factors)

    def _local_divergence(self, z: Array, r: float) -> Array:
        return np.sum([factor.local_divergence(part, r) for factor, part in self._blocks(z)], axis=0)

    @cached_property
    def _counts(self) -> Counter[Manifold]:
        """Different factors and how often each is there: comparing laws by their parameters takes time."""
        return Counter(self.factors)

    def _total(self, quantity: Callable[[Manifold], Array]) -> Array:
        terms = [count * quantity(factor) for factor, count in self._counts.items()]
        return np.asarray(np.sum(terms, axis=0))[()]

    def information(self, r: ArrayLike) -> Array:
        """I(r) in nats, a sum over the factors."""
        return self._total(lambda factor: factor.information(positive(r, "r")))

    def dimension(self, r: ArrayLike) -> Array:
        """d(r), a sum over the factors."""
        return self._total(lambda factor: factor.dimension(r))

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) in nats, a sum over the factors."""
        return self._total(lambda factor: factor.free_energy_gap(r, noise))

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """E K(x, r) at x = y + √s ξ, a sum over the factors."""
        return self._total(lambda factor: factor.mean_local_divergence(r, noise))

    # geometry

    @property
    def volume(self) -> float:
        """V = Π V_i."""
        return math.prod(factor.volume for factor in self.factors)

    @property
    def entropy(self) -> float:
        """h, a sum over the factors."""
        return sum(factor.entropy for factor in self.factors)

    @property
    def boundary_volume(self) -> float:
        """A = V Σ A_i/V_i."""
        return self.volume * sum(factor.boundary_volume / factor.volume for factor in self.factors)

    @property
    def density_gradient_squared(self) -> float:
        """E |∇ ln p|², a sum over the factors."""
        return sum(factor.density_gradient_squared for factor in self.factors)

    @property
    def mean_curvature_squared(self) -> float:
        """E |H|², a sum over the factors, whose H are orthogonal."""
        return sum(factor.mean_curvature_squared for factor in self.factors)

    @property
    def second_fundamental_form_squared(self) -> float:
        """E |II|², a sum over the factors."""
        return sum(factor.second_fundamental_form_squared for factor in self.factors)

    def tangent_basis(self, y: ArrayLike) -> Array:
        """Orthonormal basis (D, d) of the tangent space at one point y (D,): those of the factors side by side."""
        z, _ = self.embedding.split(y)
        columns = [factor.tangent_basis(part[0]) for factor, part in self._blocks(z)]
        return self.embedding.lift_vectors(block_diag(*columns).T).T

    # capabilities

    def _posterior_draws(self, x: Array, r: Array, rng: np.random.Generator) -> Draws:
        """Factor by factor."""
        z, _ = self.embedding.split(x)
        parts = [factor.sample_posterior(part, r, rng) for factor, part in self._blocks(z)]
        return Draws(self.embedding.lift(np.hstack(parts)))

    def energies(self) -> ProductEnergies:
        """Energies of independent factors add; ValueError if those of one have no closed law."""
        return self._energies

    @cached_property
    def _energies(self) -> ProductEnergies:
        return ProductEnergies([factor.energies() for factor in self.factors])


class Torus(Product):
    """The flat torus, a product of circles of the given `radii`, uniform; in 2·len(radii) dimensions or more.

    Embedding arguments as for `Linear`. docs/theory.md §2.
    """

    radii: Array

    def __init__(
        self,
        radii: ArrayLike,
        *,
        ambient_dim: int | None = None,
        basis: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
        centre: ArrayLike | None = None,
    ):
        values = positive(radii, "radii")
        if values.ndim != 1 or values.size == 0:
            raise fail("radii", radii, "must be a list of one or more radii")
        self._set(radii=values)
        shared = {radius: Sphere(1, radius) for radius in values.tolist()}
        circles = [shared[radius] for radius in values.tolist()]
        super().__init__(circles, ambient_dim=ambient_dim, basis=basis, rng=rng, centre=centre)
