"""Products: independent coordinates on several manifolds, for which information and dimension add."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import block_diag

from ..conventions.arguments import Array, fail, positive
from ..conventions.law import Energies, has_energies
from .embedding import Embedding
from .manifold import Manifold
from .sphere import Sphere


class Product(Manifold):
    """ν = ν_1 × ν_2 × …: coordinates one after the other, D = Σ D_i before the embedding.

    φ, K, G, I and d(r) are sums, the posterior mean is a concatenation and its covariance block diagonal.
    `factors`: one or more manifolds; embedding arguments as for `Linear`. docs/theory.md §2.
    """

    def __init__(
        self,
        factors: Sequence[Manifold],
        *,
        ambient_dim: int | None = None,
        basis: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
        centre: ArrayLike | None = None,
    ):
        self.factors = tuple(factors)
        if not self.factors or not all(isinstance(factor, Manifold) for factor in self.factors):
            raise fail("factors", self.factors, "must be one or more manifolds")
        dims = [factor.ambient_dim for factor in self.factors]
        super().__init__(Embedding(sum(dims), ambient_dim, basis, rng, centre))
        self._cuts = np.cumsum(dims)[:-1]
        self.intrinsic_dim = sum(factor.intrinsic_dim for factor in self.factors)
        self.is_gaussian = all(factor.is_gaussian for factor in self.factors)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.factors))}; ambient_dim={self.ambient_dim})"

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

    def _total(self, quantity: Callable[[Manifold], Array]) -> Array:
        terms = [count * quantity(factor) for factor, count in Counter(self.factors).items()]
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

    # the law of the energies, for theory.finite_size, if all factors have one: energies of independent factors add

    @cached_property
    def _energy_factors(self) -> tuple[Energies, ...]:
        if not all(map(has_energies, self.factors)):
            raise AttributeError("the energies of these factors have no closed law")
        return cast(tuple[Energies, ...], self.factors)

    @property
    def energy_dim(self) -> int:
        """A sum over the factors."""
        return sum(factor.energy_dim for factor in self._energy_factors)

    @property
    def radial_dim(self) -> int:
        """A sum over the factors, each with normal numbers of its own; AttributeError if one has no closed law."""
        return sum(factor.radial_dim for factor in self._energy_factors)

    @cached_property
    def _radii_cuts(self) -> NDArray[np.int64]:
        nothing = [factor.noisy_radii(1.0, np.zeros((1, factor.radial_dim))) for factor in self._energy_factors]
        return np.cumsum([radii.shape[1] for radii in nothing])[:-1]

    def noisy_radii(self, noise: float, scores: Array) -> Array:
        """The radii of the factors side by side at x = y + √s ξ; a factor with a single row repeats it."""
        cuts = np.cumsum([factor.radial_dim for factor in self._energy_factors])[:-1]
        parts = [
            factor.noisy_radii(noise, part)
            for factor, part in zip(self._energy_factors, np.split(scores, cuts, axis=1), strict=True)
        ]
        rows = max(map(len, parts))
        return np.hstack([np.broadcast_to(part, (rows, part.shape[1])) for part in parts])

    def log_energy_moment(self, radii: Array, r: float, k: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """ln E_y exp(-k|x-y|²/2r), a sum over the factors, for `radii` (n, g) and complex k (m,) → (n, m)."""
        parts = zip(self._energy_factors, np.split(radii, self._radii_cuts, axis=1), strict=True)
        return np.sum([factor.log_energy_moment(part, r, k) for factor, part in parts], axis=0)


class Torus(Product):
    """The flat torus, a product of circles of the given `radii`, uniform; in 2·len(radii) dimensions or more.

    Embedding arguments as for `Linear`. docs/theory.md §2.
    """

    def __init__(
        self,
        radii: ArrayLike,
        *,
        ambient_dim: int | None = None,
        basis: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
        centre: ArrayLike | None = None,
    ):
        self.radii = positive(radii, "radii")
        if self.radii.ndim != 1 or self.radii.size == 0:
            raise fail("radii", radii, "must be a list of one or more radii")
        circles = {radius: Sphere(1, radius) for radius in self.radii.tolist()}  # equal ones are computed once
        factors = [circles[radius] for radius in self.radii.tolist()]
        super().__init__(factors, ambient_dim=ambient_dim, basis=basis, rng=rng, centre=centre)

    @property
    def volume(self) -> float:
        """Π 2πR_i."""
        return float(np.prod(2 * np.pi * self.radii))

    @property
    def mean_curvature_squared(self) -> float:
        """|H|² = Σ 1/R_i²."""
        return float(np.sum(1 / self.radii**2))

    @property
    def second_fundamental_form_squared(self) -> float:
        """|II|² = Σ 1/R_i²."""
        return float(np.sum(1 / self.radii**2))

    def tangent_basis(self, y: ArrayLike) -> Array:
        """Orthonormal basis (D, d) of the tangent space at one point y (D,) of the torus."""
        z, _ = self.embedding.split(y)
        columns = [circle.tangent_basis(part[0]) for circle, part in self._blocks(z)]  # type: ignore[attr-defined]
        return self.embedding.lift_vectors(block_diag(*columns).T).T
