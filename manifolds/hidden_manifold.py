"""The hidden manifold: a random curved manifold, known through the replica averages of its law."""

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, generator, numbers, points, positive, positive_integer
from ..theory.replica.activation import LIMIT, Activation, Function
from ..theory.replica.equilibrium import ReplicaState, ReplicaTheory
from ..theory.replica.feature_moments import feature_covariance, feature_moments
from ..theory.replica.mismatched import MismatchedState, mismatched_state
from .embedding import Embedding
from .manifold import Manifold, like_points, over_noise

_SMALLEST, _LARGEST = 1e-12, 1e12  # r/Var f beyond which the leading power laws are followed
_AVERAGES_ONLY = (
    "HiddenManifold: known through its replica averages, not at single points; sample it and use EmpiricalScore"
)


class HiddenManifold(Manifold):
    """y = f(W z/√d), z ~ N(0, 1)^d, with one Gaussian matrix W (D, d) drawn from `rng`, or given as `weights`.

    `activation`: linear, tanh, erf, relu, sign, sin, or a vectorised callable (see `theory.replica.activation`).
    `information` and `dimension` are the replica-symmetric averages at D, d → ∞ with α = D/d fixed, times d: the
    same for every W, with corrections of relative order 1/d (a few per cent at d = 10). Relative accuracy of the
    averages themselves 1e-6 or better. What belongs to one point x (`log_partition`, `posterior_mean`, …) has no
    such closed form and raises ValueError: sample the manifold and use `simulations.EmpiricalScore`.
    ValueError for bad arguments. Source: arXiv 2502.09578, 2502.04339; docs/hidden_manifold.md.
    """

    latent_dim: int
    activation: Activation
    weights: Array
    _drawn = ("weights",)

    def __init__(
        self,
        latent_dim: int,
        ambient_dim: int,
        activation: str | Function = "tanh",
        *,
        rng: np.random.Generator | None = None,
        weights: ArrayLike | None = None,
    ):
        super().__init__(Embedding(positive_integer(ambient_dim, "ambient_dim")))
        self._set(latent_dim=positive_integer(latent_dim, "latent_dim"), activation=Activation(activation))
        self._set(_given=activation, weights=self._weights(rng, weights))
        flat = all(branch.steepest == 0 for branch in self.activation.branches)
        self._set(intrinsic_dim=0 if flat else min(self.latent_dim, self.ambient_dim))

    def _weights(self, rng: np.random.Generator | None, weights: ArrayLike | None) -> Array:
        shape = (self.ambient_dim, self.latent_dim)
        if weights is None:
            return generator(rng).standard_normal(shape)
        if rng is not None:
            raise ValueError("weights and rng: give one of them, the matrix or a generator to draw it")
        values = numbers(weights, "weights")
        if values.shape != shape:
            raise ValueError(f"weights has shape {values.shape}: must have shape {shape}")
        return values

    @classmethod
    def seeded(
        cls, latent_dim: int, ambient_dim: int, activation: str | Function = "tanh", seed: int = 0
    ) -> "HiddenManifold":
        """With the weights of a `seed`; information and dimension are the same for all."""
        law = cls(latent_dim, ambient_dim, activation, rng=np.random.default_rng(seed))
        return law.made_by("seeded", latent_dim=latent_dim, ambient_dim=ambient_dim, activation=activation, seed=seed)

    _given: str | Function

    def _parameter(self, name: str) -> object:
        given = {"ambient_dim": self.ambient_dim, "activation": self._given}
        return given[name] if name in given else super()._parameter(name)

    @property
    def alpha(self) -> float:
        """α = D/d."""
        return self.ambient_dim / self.latent_dim

    # the population, by replicas

    @cached_property
    def theory(self) -> ReplicaTheory:
        """Its replica theory: states, branches, spinodals."""
        return ReplicaTheory(self.activation, self.alpha)

    def information(self, r: ArrayLike) -> Array:
        """I(r) in nats: the lowest potential times d. Beyond r/Var f = 1e∓12, d(r) const and I ∝ 1/r are followed."""

        def value(ratio: float) -> float:
            inside, state = self._equilibrium(ratio)
            if ratio < inside:
                return state.potential + 0.5 * state.dimension * math.log(inside / ratio)
            return state.potential * (inside / ratio)

        return self.latent_dim * np.vectorize(value, otypes=[np.float64])(positive(r, "r"))[()]

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = D E Var(y_i|x)/r at the equilibrium overlap, = -2 dI/d ln r."""

        def value(ratio: float) -> float:
            inside, state = self._equilibrium(ratio)
            return state.dimension * min(inside / ratio, 1.0)

        return self.latent_dim * np.vectorize(value, otypes=[np.float64])(positive(r, "r"))[()]

    def _equilibrium(self, r: float) -> tuple[float, ReplicaState]:
        """The nearest r in the range of the averages, and its state."""
        inside = float(np.clip(r, _SMALLEST * self._variance_scale, _LARGEST * self._variance_scale))
        return inside, self.theory.equilibrium(inside)

    @cached_property
    def _variance_scale(self) -> float:
        first, second = feature_moments(self.activation, np.ones(1))
        return float(second[0] - first[0] ** 2)

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) by replicas with assumed noise r and true noise s (`theory.replica.mismatched`).

        ValueError where they do not hold: s far above r, or below r where an even f still tells nothing.
        """
        return self._mismatched(r, noise, lambda state: state.gap)

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """E K(x, r) at x = y + √s ξ, in the same way."""
        return self._mismatched(r, noise, lambda state: state.local_divergence)

    def _mismatched(self, r: ArrayLike, noise: ArrayLike, quantity: Callable[[MismatchedState], float]) -> Array:
        def value(ratio: float, s: float) -> float:
            if s == ratio:
                return float(self.information(ratio))
            return self.latent_dim * quantity(mismatched_state(self.theory, ratio, s))

        return over_noise(value, r, noise)

    # the instance

    def embed(self, latent: ArrayLike) -> Array:
        """f(W z/√d), shape (n, D) or (D,), of latent points z (n, d) or (d,)."""
        z = points(latent, self.latent_dim, "latent")
        return like_points(latent, self.activation(z @ self.weights.T / math.sqrt(self.latent_dim)))

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        return self.embed(rng.standard_normal((n, self.latent_dim)))

    def _mean(self) -> Array:
        return feature_moments(self.activation, self._deviations)[0]

    @property
    def _deviations(self) -> Array:
        """√(|W_i|²/d), the standard deviations of the pre-activations."""
        return np.linalg.norm(self.weights, axis=1) / math.sqrt(self.latent_dim)

    @cached_property
    def _covariance(self) -> Array:
        return feature_covariance(self.activation, self.weights)

    def covariance(self) -> Array:
        """Covariance of the data at this W, (D, D); see `random_features.feature_covariance` for its accuracy."""
        return self._covariance.copy()

    def leading_variance(self) -> float:
        """Largest eigenvalue of the covariance at this W."""
        return float(np.linalg.eigvalsh(self._covariance)[-1])

    def tangent_basis(self, y: ArrayLike | None = None, *, latent: ArrayLike | None = None) -> Array:
        """Orthonormal basis (D, k) of the tangent space diag(f'(u)) W at one point, k ≤ d its rank.

        Given by the point y (D,) itself where f is strictly monotone and D ≥ d (|y| so close to saturation that f
        cannot be inverted raises), else by its `latent` z (d,).
        """
        if (y is None) == (latent is None):
            raise ValueError("y and latent: give one of them, the point or its latent coordinates")
        z = self._invert(y) if latent is None else points(latent, self.latent_dim, "latent")
        if len(z) != 1:
            raise ValueError("latent: must be one point")
        u = self.weights @ z[0] / math.sqrt(self.latent_dim)
        left, singular, _ = np.linalg.svd(self._slope(u)[:, None] * self.weights, full_matrices=False)
        return left[:, singular > 1e-12 * max(singular[0], 1e-300)]

    def _slope(self, u: Array) -> Array:
        slope = np.zeros_like(u)
        for branch in Activation(self.activation.given, max(LIMIT, 1.1 * float(np.abs(u).max()))).branches:
            inside = (u > branch.start) & (u < branch.end)
            slope[inside] = branch.slope(u[inside]) * branch.direction
        return slope

    def _invert(self, y: ArrayLike | None) -> Array:
        value = points(np.asarray(y, dtype=np.float64), self.ambient_dim, "y")
        wide = Activation(self.activation.given, 1.5 * LIMIT)
        if len(wide.branches) > 1 or self.ambient_dim < self.latent_dim or len(value) != 1:
            raise ValueError("y: only one point of a strictly monotone f with D ≥ d can be inverted; give its latent z")
        branch = wide.branches[0]
        u = branch.preimage(value[0], value[0])[0]
        for _ in range(4):
            slope = branch.slope(u) * branch.direction
            u = np.clip(
                u - (self.activation(u) - value[0]) / np.where(slope == 0, math.inf, slope), -wide.limit, wide.limit
            )
        z = np.linalg.lstsq(self.weights / math.sqrt(self.latent_dim), u, rcond=None)[0]
        if np.abs(self.embed(z) - value[0]).max() > 1e-6 * math.sqrt(self._variance_scale):
            raise ValueError("y: must be a point of the manifold (no latent z maps to it within 1e-6)")
        return np.asarray(z[None], dtype=np.float64)

    # what belongs to one noisy point has no replica average

    def _log_partition(self, z: Array, r: float) -> Array:
        raise ValueError(_AVERAGES_ONLY)

    def _posterior_mean(self, z: Array, r: float) -> Array:
        raise ValueError(_AVERAGES_ONLY)

    def _posterior_covariance(self, z: Array, r: float) -> Array:
        raise ValueError(_AVERAGES_ONLY)
