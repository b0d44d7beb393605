"""Products of queries with all points in 16-bit integers, half again as fast as in single precision.

The rows of a block are multiplied by 32000/(largest norm of the block) and rounded, the
queries by 32000/`LARGEST`; pairs of neighbouring rows make one 32-bit word.  Sums of products of such
integers are exact.  Rounding moves a vector of k rows by √k/2 units at most, hence the product by
|X| a_Y + |Y| a_X + a_X a_Y, with a the two displacements in units of the tree (`integer_slack`).
"""

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ....conventions.arguments import Array
from ..compilation import with_lanes
from .bounds import PANEL, TOGETHER, product_maxima, tail_product
from .rounding import LARGEST_NORM, UNIT

LARGEST = 2 * LARGEST_NORM  # norm of a query beyond which integers tell nothing
_STEPS = 32000.0
NO_POINT = -(2**30)  # where a block is not full: below all products of true points
_DEEPEST = 256  # coordinates of which products are taken block by block
_QUERY_STEPS = _STEPS / LARGEST


class Integers(NamedTuple):
    """The points in integers: `pairs` (blocks, 64/PANEL, pairs of rows, PANEL), two 16-bit numbers each.

    `pairs` ends with the row of norms after `ends[deepest(ends)]` coordinates; the rows beyond are in `tails`
    (blocks, 64, pairs of rows), point by point, since few points get so far.  `start` (blocks, 64) is -|Y|²/2
    in units of the products, `steps` (blocks,) what the rows were multiplied with.
    """

    pairs: NDArray[np.int32]
    tails: NDArray[np.int32]
    start: NDArray[np.int32]
    steps: Array


NO_INTEGERS = Integers(
    np.zeros((0, 64 // PANEL, 0, PANEL), np.int32),
    np.zeros((0, 64, 0), np.int32),
    np.zeros((0, 64), np.int32),
    np.zeros(0),
)


@njit(**with_lanes)
def deepest(ends):
    """Last segment whose rows are multiplied block by block; the tails of points come after it."""
    depth = 0
    while depth < len(ends) - 1 and ends[depth] < _DEEPEST:
        depth += 1
    return depth


def integers(
    rows: NDArray[np.float32],
    ends: NDArray[np.int64],
    place: NDArray[np.int64],
    n_points: int,
    norms: NDArray[np.float32],
) -> Integers:
    """Round the blocks of a tree: `place` the rows that are coordinates, others as in `tree.Blocks`."""
    n_blocks, width, _ = rows.shape
    lead = rows_of_depth(ends, deepest(ends))
    pairs = np.zeros((n_blocks, 64 // PANEL, (lead + 1) // 2, PANEL), np.int32)
    tails = np.zeros((n_blocks, 64, 16 * ((width - lead + 31) // 32)), np.int32)  # whole vectors
    start, steps = np.empty((n_blocks, 64), np.int32), _STEPS / np.maximum(norms.astype(np.float64), 1e-18)
    _fill(rows, lead, place, n_points, steps, pairs, tails, start)
    return Integers(pairs, tails, start, steps)


@njit(parallel=True, **with_lanes)
def _fill(rows, lead, place, n_points, steps, pairs, tails, start):
    for b in prange(len(rows)):
        _fill_block(rows[b], lead, place, min(64, n_points - 64 * b), steps[b], pairs[b], tails[b], start[b])


@njit(**with_lanes)
def _word(low, high):
    return np.int32((np.int32(high) << np.int32(16)) | (np.int32(low) & np.int32(0xFFFF)))


@njit(**with_lanes)
def _rounded(rows, row, stop, point, steps):
    return np.int32(np.rint(rows[row, point] * steps)) if row < stop else np.int32(0)


@njit(**with_lanes)
def _fill_block(rows, lead, place, valid, steps, pairs, tails, start):
    start[:] = NO_POINT
    for point in range(valid):
        square = 0.0
        for k in place:
            square += np.float64(rows[k, point]) ** 2
        start[point] = np.int32(np.rint(-0.5 * square * steps * _QUERY_STEPS))
        for pair in range(pairs.shape[1]):
            low = _rounded(rows, 2 * pair, lead, point, steps)
            high = _rounded(rows, 2 * pair + 1, lead, point, steps)
            pairs[point // PANEL, pair, point % PANEL] = _word(low, high)
        for pair in range((len(rows) - lead + 1) // 2):
            low = _rounded(rows, lead + 2 * pair, len(rows), point, steps)
            high = _rounded(rows, lead + 2 * pair + 1, len(rows), point, steps)
            tails[point, pair] = _word(low, high)


@njit(**with_lanes)
def rows_of_depth(ends, depth):
    """Rows of a block that hold the first ends[depth] coordinates and the norms after each segment."""
    return ends[depth] + min(depth + 1, len(ends) - 1)


@njit(**with_lanes)
def _round_query(query, norm, ends, depth, row):
    """A query in integers; of the norms only the one that closes the depth counts, those between become zero."""
    row[:] = 0
    if norm <= LARGEST:
        for k in range(len(query)):
            row[k] = np.rint(np.float64(query[k]) * _QUERY_STEPS)
        for j in range(len(ends) - 1):
            if j != depth:
                row[ends[j] + j] = 0


@njit(**with_lanes)
def words_of_queries(rows, norm, ends, depth, packed):
    """Queries side by side in groups, (groups, pairs of rows, TOGETHER); missing ones repeat the last."""
    n_rows = rows_of_depth(ends, depth)
    row = np.empty(rows.shape[1] + 1)
    for group in range(len(packed)):
        for i in range(TOGETHER):
            q = min(group * TOGETHER + i, len(rows) - 1)
            _round_query(rows[q], norm[q], ends, depth, row)
            row[n_rows:] = 0
            for pair in range(packed.shape[1]):
                packed[group, pair, i] = _word(np.int32(row[2 * pair]), np.int32(row[2 * pair + 1]))


@njit(**with_lanes)
def words_of_each_query(rows, norm, ends, depth, lead, tail):
    """Each query by itself: `lead` (n, pairs of rows) up to the norm after ends[depth], `tail` the rest."""
    n_rows, width = rows_of_depth(ends, depth), rows.shape[1]
    row = np.empty(width + 1)
    for i in range(len(rows)):
        _round_query(rows[i], norm[i], ends, depth, row)
        for pair in range(lead.shape[1]):
            high = row[2 * pair + 1] if 2 * pair + 1 < n_rows else 0.0
            lead[i, pair] = _word(np.int32(row[2 * pair]), np.int32(high))
        tail[i, :] = 0
        for pair in range((width - n_rows + 1) // 2):
            tail[i, pair] = _word(np.int32(row[n_rows + 2 * pair]), np.int32(row[n_rows + 2 * pair + 1]))


@njit(**with_lanes)
def all_maxima(integers, packed, maxima):
    """maxima[block, query]: the largest x·y - |y|²/2 of every block with every packed query."""
    for block in range(len(integers.pairs)):
        for group in range(len(packed)):
            some = maxima[block, group * TOGETHER : (group + 1) * TOGETHER]
            product_maxima(integers.pairs[block], integers.start[block], packed[group], packed.shape[1], some)


@njit(**with_lanes)
def _half(word, row):
    """The number of an even or odd row in a word."""
    return np.int32(word >> np.int32(16)) if row % 2 else np.int32(np.int32(word << np.int32(16)) >> np.int32(16))


@njit(**with_lanes)
def whole_product(pairs, tails, block, point, value, lead, tail, i, norm_row):
    """x·y - |y|²/2 over all coordinates: `value` less the product of the norms in `norm_row`, and the tails."""
    pair = norm_row // 2
    own = _half(pairs[block, point // PANEL, pair, point % PANEL], norm_row)
    norms = own * _half(lead[i, pair], norm_row)
    return value - norms + tail_product(tails, block * 64 + point, tail, i)


@njit(**with_lanes)
def product_unit(steps):
    """What one unit of the maxima of a block is worth."""
    return 1.0 / (steps * _QUERY_STEPS)


@njit(**with_lanes)
def integer_slack(n_rows, steps, query, largest):
    """Largest error of a product of a query of norm `query` with a point of a block, in units of the tree.

    The last term is for the norms, whose squares single precision has rounded.
    """
    if query > LARGEST:
        return np.inf
    block, own = 0.5 * np.sqrt(n_rows) / steps, 0.5 * np.sqrt(n_rows) / _QUERY_STEPS
    return query * block + largest * own + block * own + product_unit(steps) + 8 * UNIT * (query + largest) ** 2
