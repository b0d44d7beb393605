"""The sphere: the curved manifold where everything still is one integral."""

import math

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, nonnegative, positive, positive_integer, positive_scalar
from ..conventions.law import Draws
from ..theory.integrals import sphere
from ..theory.integrals.sphere import Tilted, tilted
from .embedding import Embedding
from .energies import SphereEnergies
from .manifold import Manifold
from .von_mises_fisher import von_mises_fisher


class Sphere(Manifold):
    """Uniform law on S^d(R), the sphere of `intrinsic_dim` d ≥ 1 and `radius` R in n = d + 1 dimensions.

    φ(x, r) = -(|x| - R)²/2r + ln[e^{-κ} E e^{κ cos θ}], κ = R|x|/r; averages are one-dimensional integrals over
    |x|. Relative error about 1e-12 at any r and d, some 1e-16 in the variances of the posterior, relative to R².
    Embedding arguments as for `Linear`. docs/theory.md §2.
    """

    radius: float

    def __init__(
        self,
        intrinsic_dim: int,
        radius: float = 1.0,
        *,
        ambient_dim: int | None = None,
        basis: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
        centre: ArrayLike | None = None,
    ):
        self._set(intrinsic_dim=positive_integer(intrinsic_dim, "intrinsic_dim"))
        self._set(radius=positive_scalar(radius, "radius"))
        super().__init__(Embedding(self.intrinsic_dim + 1, ambient_dim, basis, rng, centre))

    # geometry

    @property
    def volume(self) -> float:
        """Surface measure 2 π^{n/2} R^d/Γ(n/2)."""
        n = self.intrinsic_dim + 1
        return 2 * math.exp(0.5 * n * math.log(math.pi) - math.lgamma(n / 2)) * self.radius**self.intrinsic_dim

    @property
    def mean_curvature_squared(self) -> float:
        """|H|² = d²/R², H the trace of the second fundamental form."""
        return (self.intrinsic_dim / self.radius) ** 2

    @property
    def second_fundamental_form_squared(self) -> float:
        """|II|² = d/R²."""
        return self.intrinsic_dim / self.radius**2

    def tangent_basis(self, y: ArrayLike) -> Array:
        """Orthonormal basis (D, d) of the tangent space at one point y (D,) of the sphere."""
        return self.embedding.sphere_tangents(y, self.radius)

    # pointwise

    def _tilted(self, z: Array, r: ArrayLike) -> Tilted:
        """The law of the unit vector y/R under the field κ = R|x|/r."""
        return tilted(self.intrinsic_dim + 1, np.linalg.norm(z, axis=1) * (self.radius / np.asarray(r)))

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        w = rng.standard_normal((n, self.intrinsic_dim + 1))
        return w * (self.radius / np.linalg.norm(w, axis=1, keepdims=True))

    def _log_partition(self, z: Array, r: float) -> Array:
        return self._tilted(z, r).log_mean - (np.linalg.norm(z, axis=1) - self.radius) ** 2 / (2 * r)

    def _posterior_mean(self, z: Array, r: float) -> Array:
        return z * (self.radius**2 / r * self._tilted(z, r).across)[:, None]

    def _posterior_covariance(self, z: Array, r: float) -> Array:
        """R² [A/κ (1 - x̂x̂ᵀ) + (variance of cos θ) x̂x̂ᵀ]."""
        law, unit = self._tilted(z, r), z / np.maximum(np.linalg.norm(z, axis=1), 1e-300)[:, None]
        outer, identity = unit[:, :, None] * unit[:, None, :], np.eye(z.shape[1])
        across, along = law.across[:, None, None], law.along(z.shape[1])[:, None, None]
        return self.radius**2 * (across * (identity - outer) + along * outer)

    def leading_variance(self) -> float:
        """R²/n."""
        return self.radius**2 / (self.intrinsic_dim + 1)

    def _local_divergence(self, z: Array, r: float) -> Array:
        """K(x, r) = κ E cos θ - ln E e^{κ cos θ}."""
        return self._tilted(z, r).divergence

    # averages: integrals over the length of a noisy point (theory.integrals.sphere), in units of R

    def _scaled(self, r: ArrayLike, noise: ArrayLike) -> tuple[int, Array, Array]:
        ratio, s = np.broadcast_arrays(positive(r, "r"), nonnegative(noise, "noise"))
        return self.intrinsic_dim + 1, ratio / self.radius**2, s / self.radius**2

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = E[x·y/r - ln E e^{κ cos θ}] at x = y + √s ξ."""
        return sphere.free_energy_gap(*self._scaled(r, noise))

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """E K(x, r) at x = y + √s ξ."""
        return sphere.mean_divergence(*self._scaled(r, noise))

    def information(self, r: ArrayLike) -> Array:
        """I(r) = E K(x, r), x ~ p_r; = ln V - (d/2) ln 2πe r + r(d²/2 - 3d/4)/R² + … at small r."""
        return sphere.information(self.intrinsic_dim + 1, positive(r, "r") / self.radius**2)

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = E R² (1 - (E cos θ)²)/r, x ~ p_r; from d at small r to 0."""
        return sphere.dimension(self.intrinsic_dim + 1, positive(r, "r") / self.radius**2)

    # capabilities

    def _posterior_draws(self, x: Array, r: Array, rng: np.random.Generator) -> Draws:
        """R times a von Mises–Fisher vector of concentration κ = R|x|/r about x."""
        z, _ = self.embedding.split(x)
        unit = von_mises_fisher(z * (self.radius / r[:, None]), rng)
        return Draws(self.embedding.lift(self.radius * unit))

    def energies(self) -> SphereEnergies:
        """Their law given |x|."""
        return SphereEnergies(self.intrinsic_dim, self.radius)
