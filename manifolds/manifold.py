"""The door every data law stands behind: population quantities at any noise ratio, in ambient coordinates."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

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
from ..conventions.law import Draws, Energies
from ..conventions.score import LocalAverages
from .embedding import Embedding
from .value import Value


class Manifold(Value, ABC):
    """A data law ν on a manifold, embedded isometrically in D ambient dimensions (docs/theory.md §2).

    A new manifold states its law in the coordinates z (n, k) of its own span: `_sample`, `_log_partition`,
    `_posterior_mean`, `_posterior_covariance`, and the averages `free_energy_gap` and `dimension`; this class
    adds the embedding and everything that follows. Its constructor stores its parameters by `_set` (`Value`), and
    hands on an `Embedding`. What not every law has (exact draws of the posterior, energies, classes, geometry)
    raises ValueError unless it is stated as well.

    Points `x` have shape (D,) or (n, D), and results the matching shape; noise ratios `r` > 0 are one number or one
    for each point, (n,), and may be arrays of any shape in the averages. ValueError names a bad argument.
    """

    intrinsic_dim: int
    is_gaussian: bool = False
    smallest_ratio: float = 0.0
    n_classes: int = 1
    embedding: Embedding
    _drawn = ("basis",)

    def __init__(self, embedding: Embedding):
        self._set(embedding=embedding)

    def _parameter(self, name: str) -> Any:
        embedded = name in ("ambient_dim", "basis", "centre")
        return self.embedding.parameters()[name] if embedded else getattr(self, name)

    @property
    def ambient_dim(self) -> int:
        """D."""
        return self.embedding.ambient_dim

    @property
    def mean(self) -> Array:
        """E y, shape (D,)."""
        return self.embedding.lift(self._mean()[None])[0]

    # what a manifold must say, in the coordinates of its span

    @abstractmethod
    def _sample(self, n: int, rng: np.random.Generator) -> Array: ...

    @abstractmethod
    def _log_partition(self, z: Array, r: float) -> Array: ...

    @abstractmethod
    def _posterior_mean(self, z: Array, r: float) -> Array: ...

    @abstractmethod
    def _posterior_covariance(self, z: Array, r: float) -> Array: ...

    @abstractmethod
    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = E[-|x-y|²/2r - φ(x, r)] at x = y + √s ξ, in nats; r and s broadcast."""

    @abstractmethod
    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = E tr C(x, r)/r over x ~ p_r, the dimension seen at scale r."""

    @abstractmethod
    def leading_variance(self) -> float:
        """Largest eigenvalue Λ of the covariance of the data."""

    def _mean(self) -> Array:
        return np.zeros(self.embedding.span_dim)

    # what not every manifold has

    def _posterior_draws(self, x: Array, r: Array, rng: np.random.Generator) -> Draws:
        """One draw for each point x (n, D) and its noise ratio r (n,)."""
        raise fail("law", self, "has no exact draws from its posterior: sample it and use EmpiricalScore")

    def energies(self) -> Energies:
        """The closed law of |x-y|²/2r, for `theory.finite_size`."""
        known = "Linear, Sphere, products of them and Gaussian mixtures of one spread"
        raise fail("law", self, f"finite_size needs a law whose energies have a closed law ({known})")

    def class_signal(self, r: float) -> float:
        """How far the class means stand out (`theory.speciation`)."""
        raise fail("law", self, "has no classes")

    def class_overlap(self, r: float) -> Array:
        """E_x P(j|x) P(k|x), shape (K, K)."""
        raise fail("law", self, "has no classes")

    def tangent_basis(self, y: ArrayLike) -> Array:
        """Orthonormal basis (D, d) of the tangent space at one point y (D,) of the manifold."""
        raise fail("law", self, "has no tangent spaces")

    @property
    def volume(self) -> float:
        """V: length, area, …."""
        raise fail("law", self, "has no volume: not a density on a smooth manifold of known geometry")

    @property
    def entropy(self) -> float:
        """h = -E ln p with respect to volume, in nats; ln V for a uniform law."""
        return math.log(self.volume)

    @property
    def boundary_volume(self) -> float:
        """Number of end points, length of the edge, …: 0 for a closed manifold."""
        return 0.0

    @property
    def density_gradient_squared(self) -> float:
        """E |∇ ln p|² along the manifold: 0 for a uniform law."""
        return 0.0

    @property
    def mean_curvature_squared(self) -> float:
        """E |H|², H the trace of the second fundamental form."""
        raise fail("law", self, "has no known curvature")

    @property
    def second_fundamental_form_squared(self) -> float:
        """E |II|², II the second fundamental form."""
        raise fail("law", self, "has no known curvature")

    # what follows

    def draws(self, n: int, rng: np.random.Generator) -> Draws:
        """`n` independent points of ν; with their classes if the law has any."""
        return Draws(self.sample(n, rng))

    def posterior_draws(self, x: ArrayLike, r: ArrayLike, rng: np.random.Generator) -> Draws:
        """One independent exact draw of the posterior at each point x ((D,) or (n, D)), with its class if it has one.

        ValueError for a law without exact draws.
        """
        at = points(x, self.ambient_dim)
        return self._posterior_draws(at, np.broadcast_to(_ratios(x, r, len(at)), len(at)), generator(rng))

    def sample_posterior(self, x: ArrayLike, r: ArrayLike, rng: np.random.Generator) -> Array:
        """One independent exact draw of the posterior at each point x, shape (n, D); as `posterior_draws`."""
        return self.posterior_draws(x, r, rng).points

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """`n` points of ν, shape (n, D)."""
        return self.embedding.lift(self._sample(positive_integer(n, "n"), generator(rng)))

    def log_partition(self, x: ArrayLike, r: ArrayLike) -> Array:
        """φ(x, r) = ln E_{y~ν} exp(-|x-y|²/2r), shape () or (n,)."""

        def value(z: Array, outside: Array, ratio: float) -> Array:
            return self._log_partition(z, ratio) - outside / (2 * ratio)

        return at_points(x, r, value, *self.embedding.split(x))

    def log_density(self, x: ArrayLike, r: ArrayLike) -> Array:
        """ln p_r(x) = φ(x, r) - (D/2) ln 2πr."""
        ratio = positive(r, "r")
        return self.log_partition(x, r) - 0.5 * self.ambient_dim * np.log(2 * math.pi * ratio)

    def posterior_mean(self, x: ArrayLike, r: ArrayLike) -> Array:
        """m(x, r), the mean of the clean point given the noisy one, shape of x."""
        z, _ = self.embedding.split(x)
        return at_points(x, r, lambda z, ratio: self.embedding.lift(self._posterior_mean(z, ratio)), z)

    def posterior_covariance(self, x: ArrayLike, r: ArrayLike) -> Array:
        """C(x, r), the covariance of the clean point given the noisy one, shape (D, D) or (n, D, D)."""
        z, _ = self.embedding.split(x)
        return at_points(x, r, lambda z, ratio: self.embedding.lift_covariance(self._posterior_covariance(z, ratio)), z)

    def local_averages(self, x: ArrayLike, r: ArrayLike) -> LocalAverages:
        """tr C(x, r)/r at each point, and no participation."""
        return LocalAverages(np.trace(self.posterior_covariance(x, r), axis1=-2, axis2=-1) / np.asarray(r), None)

    def score(self, x: ArrayLike, r: ArrayLike) -> Array:
        """∇ ln p_r(x) = (m - x)/r, shape of x."""
        return (self.posterior_mean(x, r) - np.asarray(x, dtype=np.float64)) / np.asarray(r)[..., None]

    def jacobian_spectrum(self, x: ArrayLike, r: ArrayLike, k: int | None = None) -> Array:
        """Eigenvalues of the score's Jacobian J = -(1/r)(I - C/r), largest (most tangent) first.

        Shape (D,) or (n, D), or the `k` leading ones.
        """
        d = self.ambient_dim
        if k is not None and positive_integer(k, "k") > d:
            raise fail("k", k, f"must be ≤ {d}, the ambient dimension")
        ratio = positive(r, "r")[..., None]
        occupation = np.linalg.eigvalsh(self.posterior_covariance(x, r))[..., ::-1] / ratio
        return np.asarray((occupation - 1) / ratio, dtype=np.float64)[..., :k]

    def leading_posterior_variance(self, x: ArrayLike, r: float) -> float:
        """Largest eigenvalue of C(x, r) at one point."""
        z, _ = self.embedding.split(x)
        return float(np.linalg.eigvalsh(self._posterior_covariance(z, positive_scalar(r, "r"))[0])[-1])

    def covariance(self) -> Array:
        """Covariance of the data, (D, D): that of the posterior at noise far above it, to 1e-9."""
        return self.posterior_covariance(self.mean, 1e10 * max(self.leading_variance(), 1e-300))

    def local_divergence(self, x: ArrayLike, r: ArrayLike) -> Array:
        """K(x, r) = KL(posterior at x ‖ ν) = -E|x-y|²/2r - φ(x, r) in nats, shape () or (n,)."""
        z, _ = self.embedding.split(x)  # what lies off the span cancels between the two terms
        return at_points(x, r, self._local_divergence, z)

    def _local_divergence(self, z: Array, r: float) -> Array:
        mean, covariance = self._posterior_mean(z, r), self._posterior_covariance(z, r)
        distance = np.sum((z - mean) ** 2, axis=1) + np.trace(covariance, axis1=1, axis2=2)
        return np.maximum(-distance / (2 * r) - self._log_partition(z, r), 0.0)

    def information(self, r: ArrayLike) -> Array:
        """I(r) = I(y; y + √r ξ) in nats, decreasing in r."""
        return self.free_energy_gap(r, r)

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """E K(x, r) at x = y + √s ξ = G + ∂G/∂ln r at fixed s (five-point rule, relative error about 1e-10)."""
        ratio, s = positive(r, "r"), nonnegative(noise, "noise")
        h = 2e-3
        near = self.free_energy_gap(ratio * np.exp(h), s) - self.free_energy_gap(ratio * np.exp(-h), s)
        far = self.free_energy_gap(ratio * np.exp(2 * h), s) - self.free_energy_gap(ratio * np.exp(-2 * h), s)
        return self.free_energy_gap(ratio, s) + (8 * near - far) / (12 * h)

    def direction(self, i: int) -> Array:
        """Unit vector (D,) along the i-th axis of the span."""
        k = self.embedding.span_dim
        if not 0 <= i < k:
            raise fail("direction", i, f"must be an integer from 0 to {k - 1}")
        return self.embedding.lift_vectors(np.eye(k)[i])


def like_points(x: ArrayLike, batched: Array) -> Array:
    """The batch of one unpacked when a single point (D,) was given."""
    return batched[0] if np.ndim(x) == 1 else batched


def at_points(x: ArrayLike, r: ArrayLike, quantity: Callable[..., Array], *at: Array) -> Array:
    """quantity(*at, r) with the rows of `at` those of the points x: for one r, or by groups of equal r where r is (n,).

    ValueError unless r > 0 is one number or, for points x (n, D), one for each.
    """
    ratios = _ratios(x, r, len(at[0]))
    if ratios.ndim == 0:
        return like_points(x, quantity(*at, float(ratios)))
    different, group = np.unique(ratios, return_inverse=True)
    parts = [quantity(*(part[group == i] for part in at), float(ratio)) for i, ratio in enumerate(different)]
    return np.concatenate(parts)[np.argsort(np.argsort(group, kind="stable"), kind="stable")]


def _ratios(x: ArrayLike, r: ArrayLike, rows: int) -> Array:
    ratios = positive(r, "r")
    if ratios.ndim and (np.ndim(x) == 1 or ratios.shape != (rows,)):
        allowed = "a number" if np.ndim(x) == 1 else f"a number or an array of shape ({rows},)"
        raise ValueError(f"r has shape {ratios.shape}: must be {allowed}")
    return ratios


def over_noise(function: Callable[[float, float], float], r: ArrayLike, noise: ArrayLike) -> Array:
    """function(r, s) over broadcast noise ratios r > 0 and noise variances s ≥ 0."""
    return np.vectorize(function, otypes=[np.float64])(positive(r, "r"), nonnegative(noise, "noise"))[()]
