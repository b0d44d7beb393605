"""Queries in the units and on the axes of a tree."""

from math import sqrt
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ....conventions.arguments import Array
from ..compilation import with_lanes
from ..vectors.lanes import aligned
from .bounds import box_squares
from .rounding import LARGEST_QUERY
from .tree import Tree, box_axes, coordinate_rows

_ROTATED_TOGETHER = 8


class Queries(NamedTuple):
    """Queries on the axes of a tree; points beyond reach of single precision have `norm` infinite.

    `rows` (Q, width) like the rows of a block; `axes` (Q, box axes) the rows that boxes bound; `norm`
    and `blur` (Q,) float64; `first` (Q,) the block whose box is nearest, where to begin.
    """

    rows: NDArray[np.float32]
    axes: NDArray[np.float32]
    norm: Array
    blur: Array
    first: NDArray[np.int64]


def on_axes(tree: Tree, x: Array) -> Queries:
    """Queries x (Q, D) rotated in double precision, then rounded.  Not thread-safe by itself."""
    ends = tree.blocks.ends.tolist()
    used = box_axes(ends)
    rows = aligned((len(x), tree.blocks.rows.shape[1]))
    axes = aligned((len(x), used + (used < tree.ambient_dim)))
    norm, first = np.empty(len(x)), np.empty(len(x), np.int64)
    place = coordinate_rows(ends)
    _all_on_axes(tree.blocks, x, tree.mean, tree.axes, tree.scale, place, rows, axes, norm, first)
    slope, base = tree.blur
    return Queries(rows, axes, norm, (slope * norm + base) * (1 + 1e-6), first)


@njit(parallel=True, **with_lanes)
def _all_on_axes(blocks, x, mean, principal, scale, place, rows, axes, norm, first):
    n = _ROTATED_TOGETHER
    for part in prange((len(x) + n - 1) // n):
        _part_on_axes(blocks, x, mean, principal, scale, place, rows, axes, norm, first, part * n)


@njit(**with_lanes)
def _part_on_axes(blocks, x, mean, principal, scale, place, rows, axes, norm, first, start):
    stop = min(start + _ROTATED_TOGETHER, len(x))
    rotated = np.empty((stop - start, x.shape[1]))
    _rotate(principal, (x[start:stop] - mean) * scale, rotated)
    for i in range(start, stop):
        norm[i] = _round(rotated[i - start], blocks.ends, place, rows[i], axes[i])
        if norm[i] <= LARGEST_QUERY:
            first[i] = _nearest_box(blocks.boxes, blocks.cluster_boxes, axes, i)
        else:
            first[i], norm[i] = 0, np.inf


@njit(**with_lanes, fastmath={"reassoc", "contract"})
def _rotate(principal, difference, rotated):
    for i in range(len(principal)):
        axis = principal[i]
        for q in range(len(difference)):
            point, total = difference[q], 0.0
            for k in range(len(axis)):
                total += axis[k] * point[k]
            rotated[q, i] = total


@njit(**with_lanes)
def _round(rotated, ends, place, rows, axes):
    """Fill rows and box axes in single precision; return the norm."""
    square, last = 0.0, len(ends) - 1
    for segment in range(last, -1, -1):
        if segment < last:
            rows[ends[segment] + segment] = sqrt(square)
            if ends[segment] == len(axes) - 1:
                axes[-1] = sqrt(square)
        start = ends[segment - 1] if segment else 0
        for k in range(start, ends[segment]):
            rows[place[k]] = rotated[k]
            if k < len(axes):
                axes[k] = rotated[k]
            square += rotated[k] * rotated[k]
    return sqrt(square) * (1 + 1e-12)


@njit(**with_lanes)
def _nearest(boxes, start, stop, x, query, squares):
    best, lowest = start * 16, np.float32(np.inf)
    for group in range(start, stop):
        box_squares(boxes, group, x, query, squares)
        for i in range(16):
            if squares[i] < lowest:
                best, lowest = group * 16 + i, squares[i]
    return best


@njit(**with_lanes)
def _nearest_box(boxes, cluster_boxes, x, query):
    """The block with the nearest box in the cluster with the nearest box."""
    squares = np.empty(16, np.float32)
    cluster = _nearest(cluster_boxes, 0, len(cluster_boxes), x, query, squares)
    return _nearest(boxes, cluster, cluster + 1, x, query, squares)
