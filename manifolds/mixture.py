"""Mixtures: classes with weights, and when they become distinguishable."""

from collections.abc import Callable, Sequence
from typing import TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from ..conventions.arguments import (
    Array,
    fail,
    generator,
    nonnegative,
    nonnegative_scalar,
    points,
    positive,
    positive_integer,
    positive_scalar,
)
from ..conventions.law import Draws, Energies
from .classes.classes import ClassAverages, Classes
from .classes.gaussian_classes import GaussianClasses
from .classes.planted_classes import PlantedClasses
from .embedding import Embedding
from .linear import Linear
from .manifold import Manifold, at_points


class Mixture(Manifold):
    """ν = Σ_k w_k ν_k, classes on manifolds of any kind in the same ambient space.

    `components`: manifolds of one `ambient_dim`; `weights` (K,) > 0, normalised here, default equal. Pointwise
    quantities are as good as those of the components, and the chain rule I = Σ_k w_k I_k + I(class; x) is exact.
    The class part of the averages: `Linear` components that differ in their centres only are a Gaussian channel,
    a one-dimensional integral to 1e-13 for centres on a line (two classes always) and otherwise a Sobol sum,
    relative error about 1e-4; components of other kinds are summed over 4096 planted points of each class, fixed
    and antithetic in the noise, error about 5e-3 nats (1e-2 in G off r = s). docs/theory.md §2, §4.
    """

    components: tuple[Manifold, ...]
    weights: Array
    classes: Classes

    def __init__(self, components: Sequence[Manifold], weights: ArrayLike | None = None):
        components = tuple(components)
        _check(components)
        count = len(components)
        values = np.ones(count) if weights is None else positive(weights, "weights")
        if values.shape != (count,):
            raise ValueError(f"weights has shape {values.shape}: must have one weight for each of {count} components")
        super().__init__(Embedding(components[0].ambient_dim))  # a mixture speaks in ambient coordinates
        self._set(components=components, weights=values / values.sum(), _given_weights=values)
        kind = GaussianClasses if _one_spread(components) else PlantedClasses
        self._set(classes=kind(components, self.weights), n_classes=count)  # type: ignore[arg-type]
        self._set(intrinsic_dim=max(c.intrinsic_dim for c in components))

    _given_weights: Array

    def _parameter(self, name: str) -> object:
        if name != "weights":
            return super()._parameter(name)
        return None if np.all(self._given_weights == 1) else self._given_weights

    @classmethod
    def two_gaussians(cls, dim: int, separation: float = 1.0, variance: float = 1.0) -> "Mixture":
        """Centres ±m with m = separation·(1, …, 1), |m|² = dim·separation²; isotropic `variance` ≥ 0.

        The data of arXiv 2402.18491 (separation = variance = 1).
        """
        dim, separation = positive_integer(dim, "dim"), positive_scalar(separation, "separation")
        variance, centre = nonnegative_scalar(variance, "variance"), np.full(dim, separation)
        law = cls([Linear([variance] * dim, centre=centre), Linear([variance] * dim, centre=-centre)])
        return law.made_by("two_gaussians", dim=dim, separation=separation, variance=variance)

    @property
    def centres(self) -> Array:
        """Means of the classes, (K, D)."""
        return self.classes.centres

    def _mean(self) -> Array:
        return self.classes.mean

    def direction(self, i: int) -> Array:
        """Unit vector (D,): the i-th direction within a class where all share it, else the i-th principal axis."""
        return self.classes.direction(i)

    def covariance(self) -> Array:
        """Covariance of the data, (D, D): within classes plus between them."""
        return self.classes.covariance()

    def leading_variance(self) -> float:
        """Largest eigenvalue of the covariance, within and between classes."""
        return self.classes.leading_variance()

    # draws

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        return self.sample_labelled(n, rng)[0]

    def sample_labelled(self, n: int, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        """`n` points, shape (n, D), and their classes 0 … K-1, shape (n,)."""
        n, rng = positive_integer(n, "n"), generator(rng)
        labels = rng.choice(len(self.weights), size=n, p=self.weights)
        return self.classes.points(labels, rng), labels

    def draws(self, n: int, rng: np.random.Generator) -> Draws:
        """`n` independent points with their classes."""
        y, labels = self.sample_labelled(n, rng)
        return Draws(y, label=labels)

    def _posterior_draws(self, x: Array, r: Array, rng: np.random.Generator) -> Draws:
        """A class with P(k|x), then a draw of its posterior."""
        cumulative = np.cumsum(self.class_posterior(x, r), axis=1)
        labels = np.sum(cumulative[:, :-1] <= rng.random((len(x), 1)) * cumulative[:, -1:], axis=1)
        y = np.empty(x.shape)
        for k in np.unique(labels):
            at = labels == k
            y[at] = self.components[k].sample_posterior(x[at], r[at], rng)
        return Draws(y, label=labels)

    # pointwise: sums over classes

    def class_posterior(self, x: ArrayLike, r: ArrayLike) -> Array:
        """P(k|x), shape (K,) or (n, K)."""
        return at_points(x, r, self.classes.posterior, points(x, self.ambient_dim))

    def _log_partition(self, z: Array, r: float) -> Array:
        """φ = ln Σ_k w_k e^{φ_k}."""
        return logsumexp(self.classes.log_joint(z, r), axis=1)

    def _posterior_mean(self, z: Array, r: float) -> Array:
        """m = Σ_k P(k|x) m_k."""
        return np.einsum("nk,nkd->nd", self.classes.posterior(z, r), self.classes.means(z, r))

    def _posterior_covariance(self, z: Array, r: float) -> Array:
        return self.classes.posterior_covariance(z, r)

    def leading_posterior_variance(self, x: ArrayLike, r: float) -> float:
        """Largest eigenvalue of C(x, r) at one point."""
        return self.classes.leading_posterior_variance(points(x, self.ambient_dim), positive_scalar(r, "r"))

    def _local_divergence(self, z: Array, r: float) -> Array:
        """K = Σ_k P(k|x) [K_k(x) + ln P(k|x)/w_k]."""
        joint = self.classes.log_joint(z, r)
        log_posterior = joint - logsumexp(joint, axis=1, keepdims=True)
        within = np.stack([c.local_divergence(z, r) for c in self.components], axis=1)
        values = np.sum(np.exp(log_posterior) * (within + log_posterior - np.log(self.weights)), axis=1)
        return np.maximum(values, 0.0)

    # averages

    def _of_classes(self, r: ArrayLike, noise: ArrayLike, part: Callable[[ClassAverages], float]) -> Array:
        values = np.vectorize(lambda a, s: part(self.classes.averages(a, s)), otypes=[np.float64])
        return values(positive(r, "r"), nonnegative(noise, "noise"))

    def class_information(self, r: ArrayLike) -> Array:
        """I(class; x) in nats, from the entropy of the weights down to 0."""
        return self._of_classes(r, r, lambda averages: averages.gain)[()]

    def information(self, r: ArrayLike) -> Array:
        """I(r) = Σ_k w_k I_k + I(class; x) in nats."""
        return (self.classes.mean_within(lambda c: c.information(r)) + self.class_information(r))[()]

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = Σ_k w_k G_k + E ln(P(k|x)/w_k)."""
        gain = self._of_classes(r, noise, lambda averages: averages.gain)
        return (self.classes.mean_within(lambda c: c.free_energy_gap(r, noise)) + gain)[()]

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = Σ_k w_k d_k + E tr(covariance of the class means of the posterior)/r."""
        between = self._of_classes(r, r, lambda averages: averages.between) / positive(r, "r")
        return (self.classes.mean_within(lambda c: c.dimension(r)) + between)[()]

    # capabilities

    def class_signal(self, r: float) -> float:
        """Largest eigenvalue of the class-mean covariance, whitened by within-class covariance plus r."""
        return self.classes.signal(positive_scalar(r, "r"))

    def class_overlap(self, r: float) -> Array:
        """E_x P(j|x) P(k|x), shape (K, K)."""
        r = positive_scalar(r, "r")
        return self.classes.averages(r, r).overlap

    def energies(self) -> Energies:
        """Closed where all classes share one Gaussian spread; ValueError elsewhere."""
        return self.classes.energies() or super().energies()


def _check(components: tuple[Manifold, ...]) -> None:
    if not components or not all(isinstance(c, Manifold) for c in components):
        raise fail("components", components, "must be one or more manifolds")
    if len({c.ambient_dim for c in components}) > 1:
        raise fail("components", components, "must share their ambient_dim")


def _one_spread(components: tuple[Manifold, ...]) -> TypeGuard[tuple[Linear, ...]]:
    """Whether all classes are Gaussian and differ in their centres only."""
    first = components[0]
    return isinstance(first, Linear) and all(
        isinstance(other, Linear)
        and np.array_equal(first.variances, other.variances)
        and _same_basis(first.embedding.basis, other.embedding.basis)
        for other in components[1:]
    )


def _same_basis(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
