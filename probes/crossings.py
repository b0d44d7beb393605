"""Where a measured curve over r crosses a level: the noise ratio of a collapse, read off."""

import numpy as np

from ..conventions.arguments import Array


def half_crossing(r: Array, share: Array) -> float | None:
    """Largest r below which `share` (m,) lies under one half, r (m,) increasing, linear in ln r; None if it never does.

    `share` is a curve in units of what it should be: d(r) over that of the population, or 1 - participation.
    """
    below = np.flatnonzero(share < 0.5)
    if not len(below) or below[-1] == len(r) - 1:
        return None
    i = below[-1]
    weight = (0.5 - share[i]) / (share[i + 1] - share[i])
    return float(np.exp(np.log(r[i]) + weight * np.log(r[i + 1] / r[i])))
