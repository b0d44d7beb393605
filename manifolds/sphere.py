"""The sphere: the curved manifold where everything still is one integral."""

import math

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, positive, positive_integer, positive_scalar
from ..conventions.law import Draws
from ..theory.integrals.angular_gaussian import AngularGaussian, angular_gaussian
from .embedding import Embedding
from .energies import SphereEnergies
from .manifold import Manifold, over_noise
from .von_mises_fisher import von_mises_fisher

_ORDER, _REACH = 160, 11.0  # Gauss–Legendre nodes over ±11 standard deviations of the radius: exact to rounding


class Sphere(Manifold):
    """Uniform law on S^d(R), the sphere of `intrinsic_dim` d ≥ 1 and `radius` R in n = d + 1 dimensions.

    φ(x, r) = -(|x| - R)²/2r + ln[e^{-κ} E e^{κ cos θ}], κ = R|x|/r; averages are one-dimensional integrals over
    |x|. Relative error about 1e-12 for the pointwise quantities and 1e-10 for the averages, r/R² from 1e-12 to
    1e12. Embedding arguments as for `Linear`. docs/theory.md §2.
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

    def _field(self, norm: Array, r: float) -> AngularGaussian:
        """The law of the unit vector y/R under the field κ = R|x|/r."""
        kappa = norm * self.radius / r
        return angular_gaussian(kappa[:, None] ** 2, np.ones(1), np.array([self.intrinsic_dim + 1.0]))

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        w = rng.standard_normal((n, self.intrinsic_dim + 1))
        return w * (self.radius / np.linalg.norm(w, axis=1, keepdims=True))

    def _log_partition(self, z: Array, r: float) -> Array:
        norm = np.linalg.norm(z, axis=1)
        return self._field(norm, r).log_mgf_excess - (norm - self.radius) ** 2 / (2 * r)

    def _posterior_mean(self, z: Array, r: float) -> Array:
        response = self._field(np.linalg.norm(z, axis=1), r).response
        return z * (self.radius**2 / r) * response

    def _posterior_covariance(self, z: Array, r: float) -> Array:
        """R² [A_⊥ (1 - x̂x̂ᵀ) + (var of cos θ) x̂x̂ᵀ], with 1 = E cos² + (n - 1) A_⊥ keeping the digits."""
        norm = np.linalg.norm(z, axis=1)
        law = self._field(norm, r)
        across = law.response[:, 0]  # E of one squared transverse component
        kappa = norm * self.radius / r
        towards = np.where(kappa > 1, 1 + law.overlap_excess / np.maximum(kappa, 1.0), kappa * across)
        along = np.maximum(1 - self.intrinsic_dim * across - towards**2, 0.0)
        unit = z / np.maximum(norm, 1e-300)[:, None]
        outer = unit[:, :, None] * unit[:, None, :]
        identity = np.eye(z.shape[1])
        return self.radius**2 * (across[:, None, None] * (identity - outer) + along[:, None, None] * outer)

    def leading_variance(self) -> float:
        """R²/n."""
        return self.radius**2 / (self.intrinsic_dim + 1)

    def _local_divergence(self, z: Array, r: float) -> Array:
        """K(x, r) = κ E cos θ - ln E e^{κ cos θ}."""
        law = self._field(np.linalg.norm(z, axis=1), r)
        return np.maximum(law.overlap_excess - law.log_mgf_excess, 0.0)

    # averages: integrals over the radius u = R + √s t of a noisy point

    def _radii(self, noise: float) -> tuple[Array, Array, Array]:
        """Nodes u = R + √s t, their offsets √s t without cancellation, and weights."""
        n, root = self.intrinsic_dim + 1, math.sqrt(noise)
        if noise == 0:
            return np.array([self.radius]), np.zeros(1), np.ones(1)
        middle = math.sqrt(self.radius**2 + noise * (n - 1)) - self.radius
        low = max(middle / root - _REACH, -self.radius / root)
        high = middle / root + _REACH
        abscissa, weight = np.polynomial.legendre.leggauss(_ORDER)
        t = 0.5 * (high - low) * (abscissa + 1) + low
        u = self.radius + root * t
        density = (n - 1) * np.log(u) - 0.5 * t**2 + self._field(u, noise).log_mgf_excess
        weight = weight * np.exp(density - density.max())
        return u, root * t, weight / weight.sum()

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = -E[R(|x| - R)/r + ln(e^{-κ} E e^{κ cos θ})] at x = y + √s ξ."""

        def gap(ratio: float, s: float) -> float:
            u, offset, weight = self._radii(s)
            return -float(weight @ (self.radius * offset / ratio + self._field(u, ratio).log_mgf_excess))

        return over_noise(gap, r, noise)

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """E K(x, r) at x = y + √s ξ."""

        def divergence(ratio: float, s: float) -> float:
            u, _, weight = self._radii(s)
            law = self._field(u, ratio)
            return float(weight @ np.maximum(law.overlap_excess - law.log_mgf_excess, 0.0))

        return over_noise(divergence, r, noise)

    def information(self, r: ArrayLike) -> Array:
        """I(r) = E K(x, r), x ~ p_r; = ln V - (d/2) ln 2πe r + r(d²/2 - 3d/4)/R² + … at small r."""
        return self.mean_local_divergence(r, r)

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = E R² (1 - (E cos θ)²)/r, x ~ p_r; from d at small r to 0."""

        def occupied(ratio: float, s: float) -> float:
            u, _, weight = self._radii(s)
            shortfall = -self._field(u, ratio).overlap_excess / (u * self.radius / ratio)  # 1 - E cos θ
            return float(weight @ (shortfall * (2 - shortfall))) * self.radius**2 / ratio

        ratios = positive(r, "r")
        return over_noise(occupied, ratios, ratios)

    # capabilities

    def _posterior_draws(self, x: Array, r: Array, rng: np.random.Generator) -> Draws:
        """R times a von Mises–Fisher vector of concentration κ = R|x|/r about x."""
        z, _ = self.embedding.split(x)
        unit = von_mises_fisher(z * (self.radius / r[:, None]), rng)
        return Draws(self.embedding.lift(self.radius * unit))

    def energies(self) -> SphereEnergies:
        """Their law given |x|."""
        return SphereEnergies(self.intrinsic_dim, self.radius)
