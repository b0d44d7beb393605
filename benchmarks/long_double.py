"""The empirical posterior by brute force in extended precision: all weights at once, no online sums."""

from typing import NamedTuple

import numpy as np


class Reference(NamedTuple):
    """Posterior of one query in long double; `deviations` y - m (N, D)."""

    weights: np.ndarray
    mean: np.ndarray
    log_density: np.longdouble
    participation: np.longdouble
    entropy: np.longdouble
    nearest: int
    mean_square_distance: np.longdouble
    deviations: np.ndarray

    def covariance(self):
        """Σ w (y - m)(y - m)ᵀ, (D, D), float64."""
        return ((self.weights[:, None] * self.deviations).T @ self.deviations).astype(float)


def posterior(y, x, r):
    """Posterior of one query x (D,) over the points y (N, D), everything in long double."""
    y, x, r = (np.asarray(value, np.longdouble) for value in (y, x, r))
    n_points, dim = y.shape
    square = np.sum((y - x) ** 2, axis=1)
    energy = square / (2 * r)
    boltzmann = np.exp(energy.min() - energy)
    weights = boltzmann / boltzmann.sum()
    # 1 - w of the leading point, without cancellation, for the logarithm of its weight
    leader = int(np.argmin(square))
    log_partition = np.log1p(np.delete(boltzmann, leader).sum())
    mean = weights @ y
    normalization = np.log(np.longdouble(n_points)) + dim * np.log(2 * np.longdouble(np.pi) * r) / 2
    return Reference(
        weights,
        mean,
        log_partition - energy[leader] - normalization,
        np.sum(weights**2),
        np.sum(weights * (energy - energy[leader] + log_partition)),
        leader,
        weights @ square,
        y - mean,
    )
