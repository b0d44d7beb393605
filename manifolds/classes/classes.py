"""The classes of a mixture: their posterior at a point, and what averages have to add to it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ...conventions.arguments import Array
from ...conventions.law import Energies
from ..manifold import Manifold

_REMEMBERED = 256  # averages that are kept


class ClassAverages(NamedTuple):
    """Averages over x = y + √s ξ of what the posterior of the class says."""

    gain: float  # E ln(P(k|x)/w_k) for x from class k, nats
    overlap: Array  # E P(j|x) P(k|x), shape (K, K)
    between: float  # E Σ_k P(k|x) |m_k - m|², squared spread of the class means of the posterior


class Classes(ABC):
    """K `components` of one ambient space with `weights` (K,) that add up to one; x (n, D) and r one number."""

    def __init__(self, components: tuple[Manifold, ...], weights: Array):
        self.components, self.weights = components, weights
        self.centres = np.stack([c.mean for c in components])  # (K, D)
        self.mean = weights @ self.centres
        self._remembered: dict[tuple[float, float], ClassAverages] = {}

    # at points: sums over classes

    def log_joint(self, x: Array, r: float) -> Array:
        """ln w_k + φ_k(x, r), shape (n, K)."""
        return np.stack([c.log_partition(x, r) for c in self.components], axis=1) + np.log(self.weights)

    def posterior(self, x: Array, r: float) -> Array:
        """P(k|x), shape (n, K)."""
        joint = self.log_joint(x, r)
        return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))

    def means(self, x: Array, r: float) -> Array:
        """m_k(x, r), shape (n, K, D)."""
        return np.stack([c.posterior_mean(x, r) for c in self.components], axis=1)

    def posterior_covariance(self, x: Array, r: float) -> Array:
        """C = Σ_k P(k|x) C_k + covariance of the class means, shape (n, D, D)."""
        posterior, means = self.posterior(x, r), self.means(x, r)
        centred = means - np.einsum("nk,nkd->nd", posterior, means)[:, None]
        between = np.einsum("nk,nkd,nke->nde", posterior, centred, centred, optimize=True)
        return self._with_spread(between, posterior, x, r)

    @abstractmethod
    def _with_spread(self, between: Array, posterior: Array, x: Array, r: float) -> Array:
        """`between` (n, D, D) plus Σ_k P(k|x) C_k."""

    def leading_posterior_variance(self, x: Array, r: float) -> float:
        """Largest eigenvalue of C(x, r) at one point x (1, D)."""
        return float(np.linalg.eigvalsh(self.posterior_covariance(x, r)[0])[-1])

    # the data

    @abstractmethod
    def points(self, labels: NDArray[np.int64], rng: np.random.Generator) -> Array:
        """A point of each of the classes `labels` (n,), shape (n, D)."""

    @cached_property
    def covariance_between(self) -> Array:
        """Covariance of the class means, (D, D)."""
        between = np.sqrt(self.weights)[:, None] * (self.centres - self.mean)
        return between.T @ between

    @cached_property
    def covariance_within(self) -> Array:
        """Mean over classes of the covariance within, (D, D)."""
        return np.einsum("k,kde->de", self.weights, np.stack([c.covariance() for c in self.components]))

    def covariance(self) -> Array:
        """Covariance of the data, (D, D): within classes plus between them."""
        return self.covariance_within + self.covariance_between

    def leading_variance(self) -> float:
        """Largest eigenvalue of the covariance."""
        return float(np.linalg.eigvalsh(self.covariance())[-1])

    @abstractmethod
    def direction(self, i: int) -> Array:
        """Unit vector (D,) of the i-th direction."""

    # averages

    def averages(self, r: float, noise: float) -> ClassAverages:
        """Averages over x = y + √s ξ, s = `noise`."""
        key = (r, noise)
        if key not in self._remembered:
            if len(self._remembered) == _REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = self._averages(r, noise)
        return self._remembered[key]

    @abstractmethod
    def _averages(self, r: float, noise: float) -> ClassAverages: ...

    @abstractmethod
    def mean_within(self, average: Callable[[Manifold], Array]) -> Array:
        """Σ_k w_k of an average of the classes."""

    @abstractmethod
    def signal(self, r: float) -> float:
        """Largest eigenvalue of the class-mean covariance, whitened by within-class covariance plus r."""

    @abstractmethod
    def energies(self) -> Energies | None:
        """The closed law of the energies, if there is one."""
