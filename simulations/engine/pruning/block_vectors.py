"""Lower bounds of the distances between one query and a block, a box, a group, by explicit vectors.

The meaning of each function is in `block_distances.py`, its plain twin.
"""

from typing import Any

import numpy as np
from numba import njit, types

from ..compilation import with_lanes
from ..vectors.lanes import LANES, instructions

PARTS = 64 // max(LANES, 1)


def _add_squares(v, rows, offset, n_rows, x, position, totals):
    """Totals (PARTS variables) += (y - x)² over `n_rows` rows of 64 from `offset`."""
    with v.loop(n_rows) as row:
        query = v.broadcast(x, v.sum(position, row))
        start = v.sum(offset, v.product(row, 64))
        for part, total in enumerate(totals):
            gap = v.subtract(v.load(rows, v.sum(start, part * v.lanes)), query)
            total.set(v.fma(gap, gap, total.get()))


@instructions
def _first_segment(v, rows, offset, n_rows, x, position, squares):
    totals = [v.variable(v.constant(0.0)) for _ in range(PARTS)]
    _add_squares(v, rows, offset, n_rows, x, position, totals)
    for part, total in enumerate(totals):
        v.store(total.get(), squares, part * v.lanes)


@instructions
def _next_segment(v, rows, offset, n_rows, x, position, squares):
    totals = [v.variable(v.load(squares, part * v.lanes)) for part in range(PARTS)]
    _add_squares(v, rows, offset, n_rows, x, position, totals)
    for part, total in enumerate(totals):
        v.store(total.get(), squares, part * v.lanes)


def _bits(v, masks):
    """Truth values of several vectors as one integer."""
    bits = v.index(0)
    for part, mask in enumerate(masks):
        shifted = v.builder.shl(v.mask_bits(mask), v.index(part * v.lanes))
        bits = v.builder.or_(bits, shifted)
    return bits


def _write_partly_within(v, squares, rows, offset, x, position, limit):
    """1 if some partial distance, with the least that the remaining coordinates add, is within the limit."""
    bound, query = v.splat(limit), v.broadcast(x, position)
    inside = None
    for part in range(PARTS):
        gap = v.subtract(v.load(rows, v.sum(offset, part * v.lanes)), query)
        square = v.fma(gap, gap, v.load(squares, part * v.lanes))
        mask = v.compare("<=", square, bound)
        inside = mask if inside is None else v.builder.or_(inside, mask)
    return v.mask_bits(inside)


def _write_within(v, squares, limit):
    bound = v.splat(limit)
    return _bits(v, [v.compare("<=", v.load(squares, part * v.lanes), bound) for part in range(PARTS)])


_partly_within: Any = instructions(_write_partly_within, types.int64)
_within: Any = instructions(_write_within, types.int64)


@njit(**with_lanes)
def scan(rows, block, x, query, ends, limit, squares):
    """Points of a block within √limit of a query, as bits; see `block_distances.scan`."""
    width = rows.shape[1]
    start, position = block * width * 64, query * width
    row = ends[0]
    _first_segment(rows, start, row, x, position, squares)
    for i in range(1, len(ends)):
        if _partly_within(squares, rows, start + row * 64, x, position + row, limit) == 0:
            return np.int64(0)
        length = ends[i] - ends[i - 1]
        _next_segment(rows, start + (row + 1) * 64, length, x, position + row + 1, squares)
        row += 1 + length
    return _within(squares, limit)


def _gaps(v, boxes, first, x, position, axes):
    """Squared distances to 16 boxes, as vectors."""
    totals = [v.variable(v.constant(0.0)) for _ in range(16 // v.lanes)]
    with v.loop(axes) as axis:
        query = v.broadcast(x, v.sum(position, axis))
        start = v.sum(first, v.product(axis, 32))
        for part, total in enumerate(totals):
            below = v.subtract(v.load(boxes, v.sum(start, part * v.lanes)), query)
            above = v.subtract(query, v.load(boxes, v.sum(start, 16 + part * v.lanes)))
            gap = v.maximum(v.maximum(below, above), v.constant(0.0))
            total.set(v.fma(gap, gap, total.get()))
    return [total.get() for total in totals]


def _write_boxes_within(v, boxes, first, x, position, axes, reach, factor):
    masks = []
    for part, square in enumerate(_gaps(v, boxes, first, x, position, axes)):
        blur = v.load(boxes, v.sum(first, v.product(axes, 32), part * v.lanes))
        radius = v.add(v.splat(reach), blur)
        masks.append(v.compare("<=", square, v.multiply(v.multiply(radius, radius), v.splat(factor))))
    return _bits(v, masks)


_boxes_within: Any = instructions(_write_boxes_within, types.int64)


@instructions
def _box_squares(v, boxes, first, x, position, axes, squares):
    for part, square in enumerate(_gaps(v, boxes, first, x, position, axes)):
        v.store(square, squares, part * v.lanes)


@njit(**with_lanes)
def box_squares(boxes, group, x, query, squares):
    """Least squared distances to 16 boxes; see `block_distances.box_squares`."""
    axes = x.shape[1]
    _box_squares(boxes, group * (32 * axes + 16), x, query * axes, axes, squares)


@njit(**with_lanes)
def boxes_within(boxes, group, x, query, reach, factor):
    """Which of 16 boxes are in reach, as bits; see `block_distances.boxes_within`."""
    axes = x.shape[1]
    return _boxes_within(boxes, group * (32 * axes + 16), x, query * axes, axes, reach, factor)
