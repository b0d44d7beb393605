"""Smaller error bars from averages known to vanish: control variates of planted queries.

At x = y¹ + √r ξ the planted point is a draw of the posterior (Nishimori), so these vanish on average, exactly and at
any N: the surprise of the planted weight less the entropy, -ln w_1 - S; the planted square distance less its posterior
mean, r|ξ|² - Σ w |x-y|²; and |ξ|² - D.  They move with the observables: at large noise they take up nearly all of the
scatter of the information, near collapse little.
"""

import numpy as np
from numpy.typing import NDArray

from simulations.kernel import Sums
from theory.estimate import Estimate

Array = NDArray[np.float64]

_FEWEST = 32  # samples, below which coefficients are not worth fitting


def planted_controls(noise: Array, r: float, sums: Sums) -> Array:
    """The three controls (3, Q) of planted queries with unit noise (Q, D) at one noise ratio."""
    own = np.einsum("qd,qd->q", noise, noise)
    surprise = sums.log_sum + own / 2  # -ln w_1
    return np.stack([surprise - sums.entropy, own - sums.mean_square_distance / r, own - noise.shape[1]])


def controlled(samples: Array, controls: Array) -> Estimate:
    """Mean of `samples` (n,) less its regression on `controls` (c, n) of zero mean.

    The fitted coefficients bias the mean by O(c/n) standard errors; the error bar counts them.  Below 32 samples the
    plain mean.
    """
    n = samples.size
    moving = controls[controls.std(axis=1) > 0]
    if n < _FEWEST or len(moving) == 0 or samples.std() == 0:
        return Estimate.of(samples)
    scaled = (moving / moving.std(axis=1, keepdims=True)).T
    design = np.column_stack([np.ones(n), scaled])
    coefficients = np.linalg.lstsq(design, samples, rcond=1e-10)[0]
    plain = Estimate.of(samples - scaled @ coefficients[1:])
    freedom = np.sqrt((n - 1) / (n - design.shape[1]))
    return Estimate(plain.mean, plain.stderr * freedom)
