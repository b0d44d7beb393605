"""Smaller error bars from averages known to vanish: control variates of planted queries.

At x = y¹ + √r ξ the planted point is a draw of the posterior (Nishimori).  So |ξ|² - D vanishes on average, and so
does the surprise of the planted weight less the entropy, -ln w_1 - S = ½|ξ|² - Σ w |x-y|²/2r, exactly and at any N.
At large noise they take up nearly all of the scatter of the information, near collapse little; where the weights
condense the surprise has rare large values and is left out.
"""

import numpy as np

from ...conventions.arguments import Array
from ...conventions.estimate import Estimate
from .sums import Sums

_FEWEST = 128  # samples, below which coefficients are not worth fitting
_BROAD = 0.5  # mean entropy over its largest value, above which the surprise is tame


def planted_controls(xi: Array, r: float, sums: Sums, n_points: int) -> Array:
    """The controls (1 or 2, Q) of planted queries with unit noise ξ (Q, D) at one noise ratio, among N points."""
    own = np.einsum("qd,qd->q", xi, xi)
    length = own - xi.shape[1]
    if sums.entropy.mean() <= _BROAD * np.log(n_points):
        return length[None]
    return np.stack([length, own - sums.mean_square_distance / r])


def controlled(samples: Array, controls: Array) -> Estimate:
    """Mean of `samples` (n,) less its regression on `controls` (c, n) of zero mean, with the error of that intercept.

    The fitted coefficients bias the mean by O(1/n).  Below 128 samples the plain mean.
    """
    n = samples.size
    moving = controls[controls.std(axis=1) > 0]
    if n < _FEWEST or len(moving) == 0 or samples.std() == 0:
        return Estimate.of(samples)
    design = np.column_stack([np.ones(n), (moving / moving.std(axis=1, keepdims=True)).T])
    axes, triangle = np.linalg.qr(design)
    along = axes.T @ samples
    coefficients = np.linalg.solve(triangle, along)
    variance = np.sum((samples - axes @ along) ** 2) / (n - design.shape[1])
    lever = np.linalg.solve(triangle.T, np.eye(design.shape[1])[0])  # (XᵀX)⁻¹₀₀ = |R⁻ᵀ e_0|²
    return Estimate(float(coefficients[0]), float(np.sqrt(variance * (lever @ lever))))
