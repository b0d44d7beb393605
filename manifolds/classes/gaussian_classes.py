"""Gaussian classes that differ in their centres only: a Gaussian channel from the class to the point."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import Array
from ...theory.integrals.class_channel import class_averages
from ..linear import Linear
from ..manifold import Manifold
from .class_energies import ClassEnergies
from .classes import ClassAverages, Classes


class GaussianClasses(Classes):
    """`components` as `spread`, the first of them, shifted: only their centres send a signal.

    The averages are one-dimensional integrals, to 1e-13, for centres on a line, and otherwise Sobol sums, relative
    error about 1e-4 (`theory.integrals.class_channel`).
    """

    def __init__(self, components: tuple[Linear, ...], weights: Array):
        super().__init__(components, weights)
        self.spread = components[0]
        # class separations inside the directions that carry variance, and off them (K, span) and (K, D)
        self._inside = np.stack([self.spread.embedding.split(m)[0][0] for m in self.centres])
        self._outside = self.centres - self.spread.embedding.lift(self._inside)
        self._isotropic = np.ptp(self.spread.variances) == 0

    def points(self, labels: NDArray[np.int64], rng: np.random.Generator) -> Array:
        """A point of each of the classes `labels` (n,): one Gaussian sample, shifted."""
        return self.centres[labels] + self.spread.deviations(len(labels), rng)

    def direction(self, i: int) -> Array:
        """The i-th direction within a class, which all share."""
        return self.spread.direction(i)

    def _with_spread(self, between: Array, posterior: Array, x: Array, r: float) -> Array:
        return between + self.spread.posterior_covariance(self.centres[0], r)

    def leading_posterior_variance(self, x: Array, r: float) -> float:
        """Largest eigenvalue of C(x, r) at one point: isotropic within, so that only the centres' span counts."""
        if not self._isotropic or np.any(self._outside - self._outside[0]):
            return super().leading_posterior_variance(x, r)
        posterior, means = self.posterior(x, r)[0], self.means(x, r)[0]
        between = np.sqrt(posterior)[:, None] * (means - posterior @ means)
        return self.spread.leading_posterior_variance(x, r) + float(np.linalg.eigvalsh(between @ between.T)[-1])

    def leading_variance(self) -> float:
        """Largest eigenvalue of the covariance, within and between classes."""
        if not self._isotropic or self.spread.variances.size < self.spread.ambient_dim:
            return super().leading_variance()
        between = np.sqrt(self.weights)[:, None] * (self.centres - self.mean)
        return self.spread.leading_variance() + float(np.linalg.eigvalsh(between @ between.T)[-1])

    def _averages(self, r: float, noise: float) -> ClassAverages:
        variances = self.spread.variances
        inside = self._inside / np.sqrt(variances + r)
        width = (variances + noise) / (variances + r)
        off = self._outside / np.sqrt(r)
        gain, overlap = class_averages(
            np.hstack([inside, off]), self.weights, np.concatenate([width, np.full(off.shape[1], noise / r)])
        )
        squares = _pair_distances(self._inside * (r / (variances + r))) + _pair_distances(self._outside)
        return ClassAverages(gain, overlap, 0.5 * float(np.sum(overlap * squares)))

    def mean_within(self, average: Callable[[Manifold], Array]) -> Array:
        """One class speaks for all."""
        return average(self.spread)

    def signal(self, r: float) -> float:
        """Largest eigenvalue of the class-mean covariance, whitened by within-class covariance plus r."""
        centred = np.hstack([self._inside / np.sqrt(self.spread.variances + r), self._outside / np.sqrt(r)])
        centred = np.sqrt(self.weights)[:, None] * (centred - self.weights @ centred)
        return float(np.linalg.eigvalsh(centred @ centred.T)[-1])

    def energies(self) -> ClassEnergies:
        """Their law in the span of the centres and by the radii off it."""
        return self._energies

    @cached_property
    def _energies(self) -> ClassEnergies:
        return ClassEnergies(self.weights, self.spread.variances, self._inside, self._outside)


def _pair_distances(centres: Array) -> Array:
    """|p_j - p_k|², shape (K, K), by direct differences."""
    difference = centres[:, None] - centres[None]
    return np.einsum("jkd,jkd->jk", difference, difference)
