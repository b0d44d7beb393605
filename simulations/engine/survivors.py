"""Which points survive at a query: those within |x-y|² ≤ min + 2r ln(N/ε).  The others weigh less than ε together.

One definition, for pruning and for second moments.  Distances are sums of squared differences in float64.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ...conventions.arguments import Array
from .compilation import compiled, reordered
from .threading_layer import one_at_a_time


class Survivors(NamedTuple):
    """The points that survive at one query x, by index: their posterior weights, of sum 1, and |x - y|²."""

    index: NDArray[np.int64]  # type: ignore[assignment]
    weights: Array
    square_distances: Array


def spread(n_points: int, r: Any, skipped: float) -> Any:
    """2r ln(N/ε), how much farther than the nearest in |x-y|² a point may be; `skipped` = ε."""
    return 2 * r * (np.log(n_points) - np.log(skipped))


@njit(**compiled)
def farthest(lowest, spread, dim):
    """Largest |x - y|² of a survivor, given the smallest; the second factor makes up for the rounding of both."""
    return (lowest + spread) * (1 + dim * 2.0**-50)


def survivors(
    points: Array, x: Array, r: float, skipped: float, among: NDArray[np.integer[Any]] | None = None
) -> Survivors:
    """The survivors at the query x (D,) of all points (N, D), to be found `among` those of given index.

    To the last bit the same for any candidates that hold them all; of none, none.
    """
    index = np.arange(len(points)) if among is None else np.sort(among).astype(np.int64)
    squares = np.empty(len(index))
    with one_at_a_time:
        _square_distances(points, index, x, squares)
    lowest = squares.min(initial=np.inf)
    kept = squares <= farthest(lowest, spread(len(points), r, skipped), x.size)
    index, squares = index[kept], squares[kept]
    weights = np.exp((lowest - squares) / (2 * r))
    return Survivors(index, weights / weights.sum(), squares)


@njit(parallel=True, **reordered)
def _square_distances(points, index, x, out):
    for n in prange(index.size):
        point, total = points[index[n]], 0.0
        for i in range(x.size):
            difference = point[i] - x[i]
            total += difference * difference
        out[n] = total
