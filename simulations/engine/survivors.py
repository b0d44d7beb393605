"""Which points survive at a query: those within |x-y|² ≤ min + 2r ln(N/ε).  The others weigh less than ε together.

The one definition for pruning and for second moments: distances are summed in float64 from direct differences, always
by `square_distance`, so that the same points survive, with the same weights, whoever looks for them and however.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ...conventions.arguments import Array
from .compilation import compiled, reordered
from .threading_layer import one_at_a_time


class Survivors(NamedTuple):
    """The points that survive at one query x, by index: their posterior weights, of sum 1, and |x - y|²."""

    index: NDArray[np.integer]  # type: ignore[assignment]
    weights: Array
    square_distances: Array


def spread(n_points: int, r: Array | float, skipped: float) -> Array:
    """2r ln(N/ε), how much farther than the nearest in |x-y|² a point may be; `skipped` = ε."""
    return 2 * np.asarray(r) * (np.log(n_points) - np.log(skipped))


def survivors(points: Array, x: Array, r: float, skipped: float) -> Survivors:
    """The survivors at the query x (D,) among all points (N, D)."""
    squares = np.empty(len(points))
    with one_at_a_time:
        _square_distances(points, x, squares)
    index = np.flatnonzero(squares <= farthest(squares.min(), float(spread(len(points), r, skipped)), x.size))
    return weighed(index, squares[index], r)


def weighed(index: NDArray[np.integer], squares: Array, r: float) -> Survivors:
    """The survivors of given index and |x - y|², in any order."""
    order = np.argsort(index)
    index, squares = index[order], squares[order]
    weights = np.exp((squares.min(initial=np.inf) - squares) / (2 * r))
    return Survivors(index, weights / weights.sum(), squares)


@njit(**reordered)
def square_distance(x, y):
    """|x - y|²."""
    total = 0.0
    for k in range(len(x)):
        total += (x[k] - y[k]) * (x[k] - y[k])
    return total


@njit(parallel=True, **compiled)
def _square_distances(points, x, squares):
    for n in prange(len(points)):
        squares[n] = square_distance(points[n], x)


@njit(**compiled)
def farthest(lowest, spread, dim):
    """Largest |x - y|² of a survivor, given the smallest; the second factor makes up for the rounding of both."""
    return (lowest + spread) * (1 + dim * 2.0**-50)


@njit(**compiled)
def keep(points, x, spread, found, squares):
    """Survivors among the points `found`, moved to its front; returns their number.  `squares` become their |x-y|²."""
    lowest = 1e308
    for i in range(len(found)):
        squares[i] = square_distance(x, points[found[i]])
        lowest = min(lowest, squares[i])
    largest = farthest(lowest, spread, len(x))
    kept = 0
    for i in range(len(found)):
        if squares[i] <= largest:
            found[kept], squares[kept] = found[i], squares[i]
            kept += 1
    return kept
