"""Where a measured curve crosses a level."""

import numpy as np

from ..conventions.arguments import Array


def half_crossing(r: Array, share: Array) -> float | None:
    """Largest r below which `share` lies under one half, linear in ln r; None if it never does."""
    below = np.flatnonzero(share < 0.5)
    if not len(below) or below[-1] == len(r) - 1:
        return None
    i = below[-1]
    weight = (0.5 - share[i]) / (share[i + 1] - share[i])
    return float(np.exp(np.log(r[i]) + weight * np.log(r[i + 1] / r[i])))
