"""Mixtures: classes with weights, and when they become distinguishable."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from manifolds.embedding import Embedding
from manifolds.linear import Linear
from manifolds.manifold import Manifold, like_points
from theory.class_channel import ClassAverages, class_averages
from theory.validation import (
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


class Mixture(Manifold):
    """ν = Σ_k w_k ν_k for Gaussian classes that differ in their centres only.

    `components`: `Linear` manifolds with the same variances and basis and different `centre`s; `weights` (K,)
    > 0, normalised here, default equal. Pointwise quantities are closed. The chain rule
    I = Σ_k w_k I_k + I(class; x) is exact, and the class information is a one-dimensional integral for centres
    on a line (two classes always), to 1e-13; otherwise a Sobol sum, relative error about 1e-4.
    Theory notes §2 and §4.
    """

    def __init__(self, components: Sequence[Linear], weights: ArrayLike | None = None):
        self.components = tuple(components)
        self._check_components()
        count = len(self.components)
        values = np.ones(count) if weights is None else positive(weights, "weights")
        if values.shape != (count,):
            raise ValueError(f"weights has shape {values.shape}: must have one weight for each of {count} components")
        self.weights = values / values.sum()
        first = self.components[0]
        super().__init__(Embedding(first.ambient_dim))  # a mixture speaks in ambient coordinates
        self._within = first
        self.centres = np.stack([c.mean for c in self.components])  # (K, D)
        self.intrinsic_dim = first.intrinsic_dim
        # class separations inside the directions that carry variance, and off them (K, span) and (K, D)
        inside = np.stack([c.embedding.split(m)[0][0] for c, m in zip([first] * count, self.centres, strict=True)])
        self._inside = inside
        self._outside = self.centres - first.embedding.lift(inside)
        self._averages = lru_cache(maxsize=256)(self._class_averages)

    def _check_components(self) -> None:
        if not self.components or not all(isinstance(c, Linear) for c in self.components):
            raise fail("components", self.components, "must be one or more Linear manifolds")
        first = self.components[0]
        for other in self.components[1:]:
            same = (
                first.ambient_dim == other.ambient_dim
                and np.array_equal(first.variances, other.variances)
                and _same_basis(first.embedding.basis, other.embedding.basis)
            )
            if not same:
                raise fail("components", self.components, "must share ambient_dim, variances and basis")

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
        return f"Mixture({len(self.components)} × {self._within!r})"

    def _mean(self) -> Array:
        return self.weights @ self.centres

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        return self.sample_labelled(n, rng)[0]

    def direction(self, i: int) -> Array:
        """Unit vector (D,) along the i-th direction within a class."""
        return self._within.direction(i)

    def sample_labelled(self, n: int, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        """`n` points, shape (n, D), and their classes 0 … K-1, shape (n,)."""
        n, rng = positive_integer(n, "n"), generator(rng)
        labels = rng.choice(len(self.weights), size=n, p=self.weights)
        spread = self._within.embedding.lift_vectors(self._within._sample(n, rng))
        return self.centres[labels] + spread, labels

    # pointwise: sums over classes

    def _log_joint(self, x: ArrayLike, r: float) -> Array:
        """ln w_k + φ_k(x, r), shape (n, K)."""
        x = points(x, self.ambient_dim)
        return np.stack([c.log_partition(x, r) for c in self.components], axis=1) + np.log(self.weights)

    def class_posterior(self, x: ArrayLike, r: float) -> Array:
        """P(k|x), shape (K,) or (n, K)."""
        joint = self._log_joint(x, r)
        return like_points(x, np.exp(joint - logsumexp(joint, axis=1, keepdims=True)))

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
        within = self._within.posterior_covariance(self.centres[0], r)
        return within + np.einsum("nk,nkd,nke->nde", posterior, centred, centred, optimize=True)

    def leading_posterior_variance(self, x: ArrayLike, r: float) -> float:
        """Largest eigenvalue of C(x, r) at one point."""
        if np.ptp(self._within.variances) > 0 or np.any(self._outside - self._outside[0]):
            return super().leading_posterior_variance(x, r)
        z = points(x, self.ambient_dim)
        posterior, means = self.class_posterior(z, r)[0], self._class_means(z, r)[0]
        between = np.sqrt(posterior)[:, None] * (means - posterior @ means)
        return self._within.leading_posterior_variance(x, r) + float(np.linalg.eigvalsh(between @ between.T)[-1])

    def leading_variance(self) -> float:
        """Largest eigenvalue of the covariance, within and between classes."""
        between = np.sqrt(self.weights)[:, None] * (self.centres - self.mean)
        if np.ptp(self._within.variances) == 0 and self._within.variances.size == self.ambient_dim:
            return self._within.leading_variance() + float(np.linalg.eigvalsh(between @ between.T)[-1])
        within = self._within.embedding.lift_covariance(np.diag(self._within.variances)[None])[0]
        return float(np.linalg.eigvalsh(within + between.T @ between)[-1])

    def local_divergence(self, x: ArrayLike, r: float) -> Array:
        """K = Σ_k P(k|x) [K_k(x) + ln P(k|x)/w_k], shape () or (n,)."""
        joint = self._log_joint(x, r)
        log_posterior = joint - logsumexp(joint, axis=1, keepdims=True)
        z = points(x, self.ambient_dim)
        within = np.stack([c.local_divergence(z, r) for c in self.components], axis=1)
        values = np.sum(np.exp(log_posterior) * (within + log_posterior - np.log(self.weights)), axis=1)
        return like_points(x, np.maximum(values, 0.0))

    # averages: the class channel

    def _class_averages(self, r: float, noise: float) -> ClassAverages:
        variances = self._within.variances
        inside = self._inside / np.sqrt(variances + r)
        spread = (variances + noise) / (variances + r)
        off = self._outside / np.sqrt(r)
        return class_averages(
            np.hstack([inside, off]), self.weights, np.concatenate([spread, np.full(off.shape[1], noise / r)])
        )

    def class_information(self, r: ArrayLike) -> Array:
        """I(class; x) in nats, from the entropy of the weights down to 0."""
        return np.vectorize(lambda ratio: self._averages(ratio, ratio).gain, otypes=[np.float64])(positive(r, "r"))[()]

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = G within a class + E ln(P(k|x)/w_k)."""
        ratio, s = np.broadcast_arrays(positive(r, "r"), nonnegative(noise, "noise"))
        gain = np.vectorize(lambda a, b: self._averages(a, b).gain, otypes=[np.float64])(ratio, s)
        return (self._within.free_energy_gap(ratio, s) + gain)[()]

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = d within a class + E tr(covariance of the class means of the posterior)/r."""

        def between(ratio: float) -> float:
            overlap = self._averages(ratio, ratio).overlap
            shrunk = self._inside * (ratio / (self._within.variances + ratio))
            squares = _pair_distances(shrunk) + _pair_distances(self._outside)
            return 0.5 * float(np.sum(overlap * squares)) / ratio

        ratios = positive(r, "r")
        return (self._within.dimension(ratios) + np.vectorize(between, otypes=[np.float64])(ratios))[()]

    # speciation

    def class_signal(self, r: float) -> float:
        """Largest eigenvalue of the class-mean covariance, whitened by within-class variance plus r."""
        r = positive_scalar(r, "r")
        centred = np.hstack([self._inside / np.sqrt(self._within.variances + r), self._outside / np.sqrt(r)])
        centred = np.sqrt(self.weights)[:, None] * (centred - self.weights @ centred)
        return float(np.linalg.eigvalsh(centred @ centred.T)[-1])

    def class_overlap(self, r: float) -> Array:
        """E_x P(j|x) P(k|x), shape (K, K)."""
        r = positive_scalar(r, "r")
        return self._averages(r, r).overlap


def _same_basis(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)


def _pair_distances(centres: Array) -> Array:
    """|p_j - p_k|², shape (K, K), by direct differences."""
    difference = centres[:, None] - centres[None]
    return np.einsum("jkd,jkd->jk", difference, difference)
