"""Classes of any kind: what the posterior of the class says is summed over planted points."""

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.special import logsumexp

from ...conventions.arguments import Array, fail
from ..manifold import Manifold
from .classes import ClassAverages, Classes

_NODES = 2048  # planted points of each class


class PlantedClasses(Classes):
    """The averages are sums over 4096 planted points of each class, fixed and antithetic in the noise.

    Error about 5e-3 nats (1e-2 in the gain off r = s).
    """

    def points(self, labels: NDArray[np.int64], rng: np.random.Generator) -> Array:
        """A point of each of the classes `labels` (n,), drawn class by class."""
        y = np.empty((len(labels), self.centres.shape[1]))
        for k in np.unique(labels):
            y[labels == k] = self.components[k].sample(int(np.sum(labels == k)), rng)
        return y

    def direction(self, i: int) -> Array:
        """The i-th principal axis."""
        dim = self.centres.shape[1]
        if not 0 <= i < dim:
            raise fail("direction", i, f"must be an integer from 0 to {dim - 1}")
        return np.asarray(np.linalg.eigh(self.covariance())[1][:, ::-1][:, i], dtype=np.float64)

    def _with_spread(self, between: Array, posterior: Array, x: Array, r: float) -> Array:
        for k, component in enumerate(self.components):
            between += posterior[:, k, None, None] * component.posterior_covariance(x, r)
        return between

    def _averages(self, r: float, noise: float) -> ClassAverages:
        """At s = r the posterior is calibrated, E P(k|x) = w_k, which is used twice:

        the gain is the mean divergence E Σ_k P(k|x) ln P(k|x)/w_k, and P(k|x) - w_k are control variates.
        """
        y, xi, label, weight = self._planted
        x = y + math.sqrt(noise) * xi
        joint = self.log_joint(x, r)
        log_ratio = joint - logsumexp(joint, axis=1, keepdims=True) - np.log(self.weights)
        posterior, means = np.exp(log_ratio) * self.weights, self.means(x, r)
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
        return ClassAverages(float(mean[0]), mean[2:].reshape(products.shape[1:]), float(mean[1]))

    @cached_property
    def _planted(self) -> tuple[Array, Array, NDArray[np.int64], Array]:
        """Fixed points y of all classes (n, D), noise ξ beside -ξ, their classes (n,) and weights (n,)."""
        rng, count = np.random.default_rng(0), len(self.weights)
        y = np.vstack([component.sample(_NODES, rng) for component in self.components])
        xi = rng.standard_normal(y.shape)
        label = np.repeat(np.arange(count), _NODES)
        weight = self.weights[label] / (2 * _NODES)
        return np.vstack([y, y]), np.vstack([xi, -xi]), np.tile(label, 2), np.tile(weight, 2)

    def mean_within(self, average: Callable[[Manifold], Array]) -> Array:
        """Σ_k w_k of an average of the classes."""
        return np.tensordot(self.weights, np.stack([average(c) for c in self.components]), axes=1)

    def signal(self, r: float) -> float:
        """Largest eigenvalue of the class-mean covariance, whitened by within-class covariance plus r."""
        within = self.covariance_within + r * np.eye(self.centres.shape[1])
        return float(eigh(self.covariance_between, within, eigvals_only=True)[-1])

    def energies(self) -> None:
        """No closed law."""
