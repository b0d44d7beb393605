"""How well N noised training points describe fresh ones: cross-entropy and the noise ratio that is best."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate
from .empirical_score import EmpiricalScore


def cross_entropy(empirical: EmpiricalScore, held_out: ArrayLike, r: ArrayLike) -> Estimate:
    """-E ln p_emp,r(x) in nats over clean fresh points x (n, D) = KL(ν ‖ p_emp,r) + entropy of ν, shape of r.

    Differences between noise ratios, or between training sets, are differences of KL; on a manifold the entropy of ν
    is infinite, these are not. Mean over the held-out points at fixed training points. ValueError: r ≤ 0, n < 2.
    Source: arXiv 2502.09578; docs/theory.md §4.
    """
    x, ratios = _fresh(empirical, held_out), arguments.positive(r, "r")
    values = np.array([-empirical.log_density(x, float(ratio)) for ratio in ratios.flat])
    return Estimate.of(values.reshape(*ratios.shape, len(x)))


def best_noise(empirical: EmpiricalScore, held_out: ArrayLike) -> Estimate:
    """r_g, the noise ratio of least `cross_entropy`, where E <|x-y|²>_{x,r} = D r; with its standard error.

    The first minimum above r = E min|x-y|²/D, below which the cross-entropy falls with r. The error is that over the
    held-out points, se[<|x-y|²>/Dr] over the slope of its mean; compare `theory.generalization` (leading order) and
    `finite_size.generalization` (mean over data sets: use `over_data_sets`).
    ValueError: n < 2, held-out points that are training points (r_g = 0). Source: arXiv 2502.09578; docs/theory.md §4.
    """
    x = _fresh(empirical, held_out)

    def excess(log_r: float) -> Array:
        """<|x-y|²>/Dr - 1 at each x: -(2/D) ∂/∂ln r of the cross-entropy there."""
        r = float(np.exp(log_r))
        return np.asarray(empirical.observe(x, r).mean_square_distance) / (empirical.ambient_dim * r) - 1

    nearest = _nearest_square_distance(empirical, x)
    if nearest <= 1e-26 * float(np.mean(np.sum(x**2, axis=1))):  # training points are returned to rounding
        raise ValueError("held_out must not be training points: the best noise ratio would be 0")
    low = high = np.log(nearest / empirical.ambient_dim)
    while excess(high).mean() > 0:
        low, high = high, high + 0.5
    log_r = low if low == high else float(brentq(lambda u: excess(u).mean(), low, high, xtol=1e-10))
    slope = (excess(log_r + 1e-3).mean() - excess(log_r - 1e-3).mean()) / 2e-3
    r = float(np.exp(log_r))
    return Estimate(r, float(r * Estimate.of(excess(log_r)).stderr / abs(slope)))


def _nearest_square_distance(empirical: EmpiricalScore, x: Array) -> float:
    """E min_μ |x-y^μ|²."""
    y = empirical.training_points(np.asarray(empirical.nearest(x)))
    return float(np.mean(np.sum((x - y) ** 2, axis=1)))


def _fresh(empirical: EmpiricalScore, held_out: ArrayLike) -> Array:
    x = arguments.points(held_out, empirical.ambient_dim, "held_out")
    if len(x) < 2:
        raise ValueError(f"held_out has shape {np.shape(held_out)}: must be two or more points, for an error bar")
    return x
