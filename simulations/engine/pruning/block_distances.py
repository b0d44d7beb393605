"""Lower bounds of the distances between one query and a block, a box, a group: the plain version.

`block_vectors.py` computes the same with explicit vectors; `screening.py` takes the one that suits the
processor.  All numbers are float32, in the layout of `tree.Blocks`.
"""

import numpy as np
from numba import njit

from ..compilation import contracted

PANEL = 16  # points whose pairs of rows lie side by side
TOGETHER = 6  # queries that share each load of a panel


@njit(**contracted)
def scan(rows, block, x, query, ends, limit, squares):
    """Points of rows[block] (width, 64) within √limit of the query x[query] (width,), as the bits of an integer.

    `squares` (64,) then holds the squared distances of these.  Returns 0 as soon as the partial
    distances, with what the norms of the remaining coordinates add at least, all exceed the limit.
    """
    squares[:] = 0
    row, start, width = 0, 0, rows.shape[1]
    for end in ends:
        for _ in range(start, end):
            y, value = rows[block, row], x[query, row]
            for i in range(64):
                squares[i] += (y[i] - value) * (y[i] - value)
            row += 1
        start = end
        within = 0
        if row < width:
            rest, value = rows[block, row], x[query, row]
            for i in range(64):
                within += squares[i] + (rest[i] - value) * (rest[i] - value) <= limit
            row += 1
        else:
            for i in range(64):
                within += squares[i] <= limit
        if within == 0:
            return np.int64(0)
    bits = np.int64(0)
    for i in range(64):
        bits |= np.int64(squares[i] <= limit) << np.int64(i)
    return bits


@njit(**contracted)
def box_squares(boxes, group, x, query, squares):
    """Least squared distances (16,) of the query x[query] (axes,) to the points in each of 16 boxes."""
    squares[:] = 0
    for a in range(x.shape[1]):
        low, high, value = boxes[group, 2 * a], boxes[group, 2 * a + 1], x[query, a]
        for i in range(16):
            gap = max(max(low[i] - value, value - high[i]), np.float32(0))
            squares[i] += gap * gap


@njit(**contracted)
def boxes_within(boxes, group, x, query, reach, factor):
    """Which of the boxes[group] (2 axes + 1, 16) come within `reach` + blur of x[query] (axes,), as bits."""
    squares = np.empty(16, np.float32)
    box_squares(boxes, group, x, query, squares)
    bits = np.int64(0)
    for i in range(16):
        radius = reach + boxes[group, -1, i]
        bits |= np.int64(squares[i] <= radius * radius * factor) << np.int64(i)
    return bits


@njit(**contracted)
def _high(word):
    return np.int32(word >> np.int32(16))


@njit(**contracted)
def _low(word):
    return np.int32(np.int32(word << np.int32(16)) >> np.int32(16))


@njit(**contracted)
def product_maxima(pairs, start, x, n_pairs, maxima):
    """maxima[q] = the largest x_q·y - |y|²/2 in a block, for the queries `x` (pairs of rows, TOGETHER).

    `pairs` (64/PANEL, pairs, PANEL) and x hold two 16-bit integers per word (see `integers.py`).
    """
    values = np.empty(PANEL, np.int32)
    for q in range(TOGETHER):
        largest = np.int32(-(2**31))
        for panel in range(len(pairs)):
            values[:] = start[panel * PANEL : (panel + 1) * PANEL]
            for pair in range(n_pairs):
                y, low, high = pairs[panel, pair], _low(x[pair, q]), _high(x[pair, q])
                for i in range(PANEL):
                    values[i] += _low(y[i]) * low + _high(y[i]) * high
            for i in range(PANEL):
                largest = max(largest, values[i])
        maxima[q] = largest


@njit(**contracted)
def block_products(pairs, block, start, x, query, least, values):
    """values (64,) = x[query]·y - |y|²/2 of the points of a block; those ≥ `least` as the bits of an integer."""
    values[:] = start[block]
    for panel in range(pairs.shape[1]):
        for pair in range(x.shape[1]):
            y, low, high = pairs[block, panel, pair], _low(x[query, pair]), _high(x[query, pair])
            for i in range(PANEL):
                values[panel * PANEL + i] += _low(y[i]) * low + _high(y[i]) * high
    bits = np.int64(0)
    for i in range(64):
        bits |= np.int64(values[i] >= least) << np.int64(i)
    return bits


@njit(**contracted)
def tail_product(tails, point, x, query):
    """Product of the tails of a point, counted through all blocks, and of x[query]."""
    y, total = tails[point // 64, point % 64], np.int32(0)
    for i in range(x.shape[1]):
        total += _low(y[i]) * _low(x[query, i]) + _high(y[i]) * _high(x[query, i])
    return total
