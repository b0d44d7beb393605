"""The two nearest points of a set: exact distances, by direct differences, nothing of size N × Q.

The functions live in one file on purpose: Numba's cache does not notice a change in another one.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from ..conventions import arguments
from ..conventions.arguments import Array
from .engine.threading_layer import one_at_a_time

BLOCK = 256  # points that a chunk of queries shares in cache
CHUNK = 32

_compiled: Any = {"cache": True, "error_model": "numpy", "nogil": True}
_contracted: Any = {**_compiled, "fastmath": {"contract"}}


class Neighbours(NamedTuple):
    """Indices `which` (n, 2) of the nearest and second nearest points, the lowest first on ties; distances (n, 2)."""

    which: NDArray[np.int64]
    distance: Array


@njit(**_contracted)
def _square_distances(panel, x, squares):
    """|x - y_b|² of one query x (D,) to the points of a panel (D, B)."""
    squares[:] = 0
    for i in range(x.size):
        row, coordinate = panel[i], x[i]
        for b in range(squares.size):
            squares[b] += (row[b] - coordinate) * (row[b] - coordinate)


@njit(**_compiled)
def _insert(squares, offset, lowest, index):
    """Enter the points of a panel into the two lowest of one query, in place."""
    for b in range(squares.size):
        if squares[b] < lowest[1]:
            if squares[b] < lowest[0]:
                lowest[1], index[1] = lowest[0], index[0]
                lowest[0], index[0] = squares[b], offset + b
            else:
                lowest[1], index[1] = squares[b], offset + b


@njit(**_compiled)
def _chunk(points, x, lowest, index):
    n_points, dim = points.shape
    panel, buffer = np.empty((dim, BLOCK)), np.empty(BLOCK)
    for first in range(0, n_points, BLOCK):
        block = points[first : min(first + BLOCK, n_points)]
        transposed, squares = panel[:, : len(block)], buffer[: len(block)]
        transposed[:] = block.T
        for q in range(x.shape[0]):
            _square_distances(transposed, x[q], squares)
            _insert(squares, first, lowest[q], index[q])


@njit(parallel=True, **_compiled)
def _all_chunks(points, x, lowest, index):
    n_queries = x.shape[0]
    for c in prange((n_queries + CHUNK - 1) // CHUNK):
        part = slice(c * CHUNK, min((c + 1) * CHUNK, n_queries))
        _chunk(points, x[part], lowest[part], index[part])


def two_nearest(x: ArrayLike, y: ArrayLike) -> Neighbours:
    """The two points of `y` (N, D) nearest to each of `x` (n, D), Euclidean, float64; ties go to the lowest index.

    ValueError: N < 2, shapes that do not fit, numbers that are not finite.
    """
    points = arguments.numbers(y, "y")
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f"y has shape {points.shape}: must have shape (N, D) with N ≥ 2")
    queries = arguments.points(x, points.shape[1])
    squares, index = np.full((len(queries), 2), np.inf), np.zeros((len(queries), 2), np.int64)
    with one_at_a_time:
        _all_chunks(np.ascontiguousarray(points), np.ascontiguousarray(queries), squares, index)
    return Neighbours(index, np.sqrt(squares))
