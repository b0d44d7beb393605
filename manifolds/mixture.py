"""Mixtures: classes with weights, and when they become distinguishable."""

import math
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh
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
from ..conventions.law import Draws
from ..theory.integrals.class_channel import class_averages
from .class_energies import ClassEnergies
from .embedding import Embedding
from .linear import Linear
from .manifold import Manifold, at_points

_NODES = 2048  # planted points of each class, where class averages are sums


class Classes(NamedTuple):
    """Averages over x = y + √s ξ of what the posterior of the class says."""

    gain: float  # E ln(P(k|x)/w_k) for x from class k, nats
    overlap: Array  # E P(j|x) P(k|x), shape (K, K)
    between: float  # E Σ_k P(k|x) |m_k - m|², squared spread of the class means of the posterior


class Mixture(Manifold):
    """ν = Σ_k w_k ν_k, classes on manifolds of any kind in the same ambient space.

    `components`: manifolds of one `ambient_dim`; `weights` (K,) > 0, normalised here, default equal. Pointwise
    quantities are as good as those of the components, and the chain rule I = Σ_k w_k I_k + I(class; x) is exact.
    The class part of the averages: `Linear` components that differ in their centres only are a Gaussian channel,
    a one-dimensional integral to 1e-13 for centres on a line (two classes always) and otherwise a Sobol sum,
    relative error about 1e-4; components of other kinds are summed over 4096 planted points of each class, fixed
    and antithetic in the noise, error about 5e-3 nats (1e-2 in G off r = s). docs/theory.md §2, §4.
    """

    def __init__(self, components: Sequence[Manifold], weights: ArrayLike | None = None):
        self.components = tuple(components)
        self._check_components()
        count = len(self.components)
        values = np.ones(count) if weights is None else positive(weights, "weights")
        if values.shape != (count,):
            raise ValueError(f"weights has shape {values.shape}: must have one weight for each of {count} components")
        self.weights = values / values.sum()
        super().__init__(Embedding(self.components[0].ambient_dim))  # a mixture speaks in ambient coordinates
        self.centres = np.stack([c.mean for c in self.components])  # (K, D)
        self.n_classes = count
        self.intrinsic_dim = max(c.intrinsic_dim for c in self.components)
        self.n_classes = len(self.components)
        self._within = self._shared_spread()
        self._averages = lru_cache(maxsize=256)(self._class_channel if self._within else self._class_sums)

    def _check_components(self) -> None:
        if not self.components or not all(isinstance(c, Manifold) for c in self.components):
            raise fail("components", self.components, "must be one or more manifolds")
        if len({c.ambient_dim for c in self.components}) > 1:
            raise fail("components", self.components, "must share their ambient_dim")

    def _shared_spread(self) -> Linear | None:
        """The law within a class where all classes are Gaussian and differ in their centres only."""
        first = self.components[0]
        if not isinstance(first, Linear):
            return None
        for other in self.components[1:]:
            same = (
                isinstance(other, Linear)
                and np.array_equal(first.variances, other.variances)
                and _same_basis(first.embedding.basis, other.embedding.basis)
            )
            if not same:
                return None
        # class separations inside the directions that carry variance, and off them (K, span) and (K, D)
        self._inside = np.stack([first.embedding.split(m)[0][0] for m in self.centres])
        self._outside = self.centres - first.embedding.lift(self._inside)
        return first

    @classmethod
    def two_gaussians(cls, dim: int, separation: float = 1.0, variance: float = 1.0) -> "Mixture":
        """Centres ±m with m = separation·(1, …, 1), |m|² = dim·separation²; isotropic `variance` ≥ 0.

        The data of arXiv 2402.18491 (separation = variance = 1).
        """
        dim = positive_integer(dim, "dim")
        centre = np.full(dim, positive_scalar(separation, "separation"))
        spread = [nonnegative_scalar(variance, "variance")] * dim
        return cls([Linear(spread, centre=centre), Linear(spread, centre=-centre)])

    def __repr__(self) -> str:
        if self._within:
            return f"Mixture({len(self.components)} × {self._within!r})"
        return f"Mixture({', '.join(map(repr, self.components))})"

    def _mean(self) -> Array:
        return self.weights @ self.centres

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        return self.sample_labelled(n, rng)[0]

    def direction(self, i: int) -> Array:
        """Unit vector (D,): the i-th direction within a class where all share it, else the i-th principal axis."""
        if self._within:
            return self._within.direction(i)
        if not 0 <= i < self.ambient_dim:
            raise fail("direction", i, f"must be an integer from 0 to {self.ambient_dim - 1}")
        return np.asarray(np.linalg.eigh(self.covariance())[1][:, ::-1][:, i], dtype=np.float64)

    def sample_labelled(self, n: int, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        """`n` points, shape (n, D), and their classes 0 … K-1, shape (n,)."""
        n, rng = positive_integer(n, "n"), generator(rng)
        labels = rng.choice(len(self.weights), size=n, p=self.weights)
        if self._within:
            return self.centres[labels] + self._within.embedding.lift_vectors(self._within._sample(n, rng)), labels
        y = np.empty((n, self.ambient_dim))
        for k in np.unique(labels):
            y[labels == k] = self.components[k].sample(int(np.sum(labels == k)), rng)
        return y, labels

    def draws(self, n: int, rng: np.random.Generator) -> Draws:
        """`n` independent points of ν with their classes."""
        y, label = self.sample_labelled(n, rng)
        return Draws(y, label=label)

    def posterior_draws(self, x: ArrayLike, r: ArrayLike, rng: np.random.Generator) -> Draws:
        """One draw of the posterior at each x (n, D): a class with P(k|x), then a draw within it."""
        r, rng = positive_scalar(r, "r"), generator(rng)
        x = points(x, self.ambient_dim)
        cumulative = np.cumsum(self.class_posterior(x, r), axis=1)
        label = np.sum(cumulative[:, :-1] <= rng.random((len(x), 1)) * cumulative[:, -1:], axis=1)
        y = np.empty(x.shape)
        for k in np.unique(label):
            y[label == k] = self.components[k].posterior_draws(x[label == k], r, rng).points
        return Draws(y, label=label)

    # pointwise: sums over classes

    def _log_joint(self, x: ArrayLike, r: float) -> Array:
        """ln w_k + φ_k(x, r), shape (n, K)."""
        x = points(x, self.ambient_dim)
        return np.stack([c.log_partition(x, r) for c in self.components], axis=1) + np.log(self.weights)

    def class_posterior(self, x: ArrayLike, r: ArrayLike) -> Array:
        """P(k|x), shape (K,) or (n, K)."""
        return at_points(x, r, self._class_posterior, points(x, self.ambient_dim))

    def _class_posterior(self, z: Array, r: float) -> Array:
        joint = self._log_joint(z, r)
        return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))

    def _log_partition(self, z: Array, r: float) -> Array:
        """φ = ln Σ_k w_k e^{φ_k}."""
        return logsumexp(self._log_joint(z, r), axis=1)

    def _posterior_mean(self, z: Array, r: float) -> Array:
        """m = Σ_k P(k|x) m_k."""
        return np.einsum("nk,nkd->nd", self.class_posterior(z, r), self._class_means(z, r))

    def _class_means(self, z: Array, r: float) -> Array:
        return np.stack([c.posterior_mean(z, r) for c in self.components], axis=1)

    def _posterior_covariance(self, z: Array, r: float) -> Array:
        """C = Σ_k P(k|x) C_k + covariance of the class means."""
        posterior, means = self.class_posterior(z, r), self._class_means(z, r)
        centred = means - np.einsum("nk,nkd->nd", posterior, means)[:, None]
        between = np.einsum("nk,nkd,nke->nde", posterior, centred, centred, optimize=True)
        if self._within:
            return between + self.components[0].posterior_covariance(self.centres[0], r)
        for k, component in enumerate(self.components):
            between += posterior[:, k, None, None] * component.posterior_covariance(z, r)
        return between

    def leading_posterior_variance(self, x: ArrayLike, r: float) -> float:
        """Largest eigenvalue of C(x, r) at one point."""
        if not self._within or np.ptp(self._within.variances) > 0 or np.any(self._outside - self._outside[0]):
            return super().leading_posterior_variance(x, r)
        z, r = points(x, self.ambient_dim), positive_scalar(r, "r")
        posterior, means = self._class_posterior(z, r)[0], self._class_means(z, r)[0]
        between = np.sqrt(posterior)[:, None] * (means - posterior @ means)
        return self._within.leading_posterior_variance(x, r) + float(np.linalg.eigvalsh(between @ between.T)[-1])

    def _between_covariance(self) -> Array:
        """Covariance of the class means, (D, D)."""
        between = np.sqrt(self.weights)[:, None] * (self.centres - self.mean)
        return between.T @ between

    def _within_covariance(self) -> Array:
        """Mean over classes of the covariance within, (D, D)."""
        return np.einsum("k,kde->de", self.weights, np.stack([c.covariance() for c in self.components]))

    def covariance(self) -> Array:
        """Covariance of the data, (D, D): within classes plus between them."""
        return self._within_covariance() + self._between_covariance()

    def leading_variance(self) -> float:
        """Largest eigenvalue of the covariance, within and between classes."""
        within = self._within
        if within and np.ptp(within.variances) == 0 and within.variances.size == self.ambient_dim:
            between = np.sqrt(self.weights)[:, None] * (self.centres - self.mean)
            return within.leading_variance() + float(np.linalg.eigvalsh(between @ between.T)[-1])
        return float(np.linalg.eigvalsh(self.covariance())[-1])

    def _local_divergence(self, z: Array, r: float) -> Array:
        """K = Σ_k P(k|x) [K_k(x) + ln P(k|x)/w_k]."""
        joint = self._log_joint(z, r)
        log_posterior = joint - logsumexp(joint, axis=1, keepdims=True)
        within = np.stack([c.local_divergence(z, r) for c in self.components], axis=1)
        values = np.sum(np.exp(log_posterior) * (within + log_posterior - np.log(self.weights)), axis=1)
        return np.maximum(values, 0.0)

    # averages: the class channel, or sums over planted points

    def _class_channel(self, r: float, noise: float) -> Classes:
        """Classes of one Gaussian spread: only their centres send a signal."""
        assert self._within is not None
        variances = self._within.variances
        inside = self._inside / np.sqrt(variances + r)
        spread = (variances + noise) / (variances + r)
        off = self._outside / np.sqrt(r)
        gain, overlap = class_averages(
            np.hstack([inside, off]), self.weights, np.concatenate([spread, np.full(off.shape[1], noise / r)])
        )
        squares = _pair_distances(self._inside * (r / (variances + r))) + _pair_distances(self._outside)
        return Classes(gain, overlap, 0.5 * float(np.sum(overlap * squares)))

    def _class_sums(self, r: float, noise: float) -> Classes:
        """Sums over planted points. At s = r the posterior is calibrated, E P(k|x) = w_k, which is used twice:

        the gain is the mean divergence E Σ_k P(k|x) ln P(k|x)/w_k, and P(k|x) - w_k are control variates.
        """
        y, xi, label, weight = self._planted
        x = y + math.sqrt(noise) * xi
        joint = self._log_joint(x, r)
        log_ratio = joint - logsumexp(joint, axis=1, keepdims=True) - np.log(self.weights)
        posterior, means = np.exp(log_ratio) * self.weights, self._class_means(x, r)
        centred = means - np.einsum("nk,nkd->nd", posterior, means)[:, None]
        between = np.einsum("nk,nkd->n", posterior, centred**2)
        products = posterior[:, :, None] * posterior[:, None, :]
        calibrated = noise == r
        gain = np.sum(posterior * log_ratio, axis=1) if calibrated else log_ratio[np.arange(len(x)), label]
        values = np.column_stack([gain, between, products.reshape(len(x), -1)])
        mean = weight @ values
        if calibrated:
            controls = posterior - self.weights
            root, bias = np.sqrt(weight)[:, None], weight @ controls
            mean = mean - bias @ np.linalg.lstsq(root * (controls - bias), root * (values - mean))[0]
        return Classes(float(mean[0]), mean[2:].reshape(products.shape[1:]), float(mean[1]))

    @cached_property
    def _planted(self) -> tuple[Array, Array, NDArray[np.int64], Array]:
        """Fixed points y of all classes (n, D), noise ξ beside -ξ, their classes (n,) and weights (n,)."""
        rng, count = np.random.default_rng(0), len(self.weights)
        y = np.vstack([component.sample(_NODES, rng) for component in self.components])
        xi = rng.standard_normal(y.shape)
        label = np.repeat(np.arange(count), _NODES)
        weight = self.weights[label] / (2 * _NODES)
        return np.vstack([y, y]), np.vstack([xi, -xi]), np.tile(label, 2), np.tile(weight, 2)

    def _mean_within(self, average: Callable[[Manifold], Array]) -> Array:
        """Σ_k w_k of an average of the classes; one class speaks for all that differ in their centres only."""
        if self._within:
            return average(self._within)
        return np.tensordot(self.weights, np.stack([average(c) for c in self.components]), axes=1)

    def _of_classes(self, r: ArrayLike, noise: ArrayLike, part: Callable[[Classes], float]) -> Array:
        values = np.vectorize(lambda a, s: part(self._averages(a, s)), otypes=[np.float64])
        return values(positive(r, "r"), nonnegative(noise, "noise"))

    def class_information(self, r: ArrayLike) -> Array:
        """I(class; x) in nats, from the entropy of the weights down to 0."""
        return self._of_classes(r, r, lambda classes: classes.gain)[()]

    def information(self, r: ArrayLike) -> Array:
        """I(r) = Σ_k w_k I_k + I(class; x) in nats."""
        return (self._mean_within(lambda c: c.information(r)) + self.class_information(r))[()]

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = Σ_k w_k G_k + E ln(P(k|x)/w_k)."""
        gain = self._of_classes(r, noise, lambda classes: classes.gain)
        return (self._mean_within(lambda c: c.free_energy_gap(r, noise)) + gain)[()]

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = Σ_k w_k d_k + E tr(covariance of the class means of the posterior)/r."""
        between = self._of_classes(r, r, lambda classes: classes.between) / positive(r, "r")
        return (self._mean_within(lambda c: c.dimension(r)) + between)[()]

    # speciation

    def class_signal(self, r: float) -> float:
        """Largest eigenvalue of the class-mean covariance, whitened by within-class covariance plus r."""
        r = positive_scalar(r, "r")
        if not self._within:
            spread = self._within_covariance() + r * np.eye(self.ambient_dim)
            return float(eigh(self._between_covariance(), spread, eigvals_only=True)[-1])
        centred = np.hstack([self._inside / np.sqrt(self._within.variances + r), self._outside / np.sqrt(r)])
        centred = np.sqrt(self.weights)[:, None] * (centred - self.weights @ centred)
        return float(np.linalg.eigvalsh(centred @ centred.T)[-1])

    def class_overlap(self, r: float) -> Array:
        """E_x P(j|x) P(k|x), shape (K, K)."""
        r = positive_scalar(r, "r")
        return self._averages(r, r).overlap

    # the law of the energies, for theory.finite_size.averages: closed where all classes share one Gaussian spread

    @cached_property
    def _energies(self) -> ClassEnergies:
        if not self._within:
            raise AttributeError("the energies of these classes have no closed law")
        return ClassEnergies(self.weights, self._within.variances, self._inside, self._outside)

    @property
    def energy_dim(self) -> int:
        """The span of one class and the directions off it in which centres differ."""
        return self._energies.energy_dim

    @property
    def radial_dim(self) -> int:
        """The class, coordinates in the span of the centres, radii across; AttributeError if there is no closed law."""
        return self._energies.radial_dim

    def noisy_radii(self, noise: float, scores: Array) -> Array:
        """Coordinates in the span of the centres and squared radii across them at x = y + √s ξ (n, g)."""
        return self._energies.noisy_radii(noise, scores)

    def log_energy_moment(self, radii: Array, r: float, k: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """ln E_y exp(-k|x-y|²/2r) at complex k, Re k > 0, for `radii` (n, g) and k (m,) → (n, m)."""
        return self._energies.log_energy_moment(radii, r, k)


def _same_basis(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)


def _pair_distances(centres: Array) -> Array:
    """|p_j - p_k|², shape (K, K), by direct differences."""
    difference = centres[:, None] - centres[None]
    return np.einsum("jkd,jkd->jk", difference, difference)
