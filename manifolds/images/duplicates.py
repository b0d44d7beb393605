"""Equal and nearly equal points of a data set: every pair is compared, none is missed."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...conventions.arguments import Array
from ...conventions.progress import tracked

_ENTRIES = 2**23  # distances held at once, 64 MB


def near_duplicates(points: Array, tolerance: float) -> list[NDArray[np.int64]]:
    """Groups of rows of `points` (N, D) linked by |y - y'|/√D ≤ tolerance: increasing positions, groups of ≥ 2.

    Exact: distances that the fast product leaves in doubt are computed again by differences. Equal rows are found
    by hashing when tolerance = 0, N D operations; otherwise N² D.
    """
    return _groups(_equal(points) if tolerance == 0 else _linked(points, tolerance))


def _equal(points: Array) -> NDArray[np.int64]:
    """For each row the position of the first row equal to it."""
    first: dict[bytes, int] = {}
    rows = (row + 0.0 for row in points)  # -0.0 equals 0.0 but has other bytes
    return np.array([first.setdefault(row.tobytes(), i) for i, row in enumerate(rows)])


def _linked(points: Array, tolerance: float) -> NDArray[np.int64]:
    """For each row the position of the first of the rows linked to it."""
    count, dim = points.shape
    centred = points - points.mean(axis=0)  # smaller squares, less cancellation
    group = np.arange(count)
    step = max(1, _ENTRIES // count)
    for start in tracked(range(0, count, step), "duplicates"):
        pairs = _close_pairs(points, centred, slice(start, min(start + step, count)), tolerance**2 * dim)
        ends = np.concatenate([pairs, [np.arange(count), group]], axis=1)
        graph = coo_array((np.ones(ends.shape[1], dtype=bool), tuple(ends)), shape=(count, count))
        group = _first_of_each(connected_components(graph, directed=False)[1])
    return group


def _close_pairs(points: Array, centred: Array, here: slice, limit: float) -> NDArray[np.int64]:
    """Pairs (2, m) of a row of the block and a row not before the block, at squared distance ≤ limit."""
    squares = np.einsum("ij,ij->i", centred, centred)
    distance = centred[here] @ centred[here.start :].T
    distance *= -2
    distance += squares[here, None]
    distance += squares[here.start :]
    doubt = 16 * np.finfo(float).eps * points.shape[1] * squares.max()  # rounding of D products, in any order
    pairs = np.array(np.nonzero(distance <= limit + doubt))
    doubtful = np.flatnonzero(distance[*pairs] > limit - doubt)
    pairs += here.start
    exact = np.array([np.sum((points[i] - points[j]) ** 2) for i, j in pairs[:, doubtful].T])
    return np.delete(pairs, doubtful[exact > limit], axis=1)


def _first_of_each(number: NDArray[np.int32]) -> NDArray[np.int64]:
    """Group numbers replaced by the position of the group's first member."""
    _, first, inverse = np.unique(number, return_index=True, return_inverse=True)
    return first[inverse]


def _groups(group: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    order = np.argsort(group, kind="stable")
    runs = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return sorted((run for run in runs if len(run) > 1), key=lambda run: run[0])
