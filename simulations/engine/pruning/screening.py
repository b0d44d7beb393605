"""Which points can be within √(min + 2r ln(N/ε)) of a query: a walk over boxes, blocks, points.

Two walks, for chunks of queries that lie close together:
- `by_boxes`: clusters whose box is in reach, then their blocks, then the points of these;
- `by_products`: the largest product x·y - |y|²/2 of every block over the first few rows, as a matrix
  product, then the points of the blocks in reach, in more than 256 dimensions by whole products.  It
  reads everything, but fast, and serves data in which boxes overlap too much.
Both list every point that the bounds of `rounding.py` cannot exclude.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ....conventions.arguments import Array
from ..compilation import with_lanes
from .bounds import TOGETHER, block_products, boxes_within, scan
from .integers import (
    NO_POINT,
    all_maxima,
    deepest,
    integer_slack,
    product_unit,
    rows_of_depth,
    whole_product,
    words_of_each_query,
    words_of_queries,
)
from .machine_words import lowest_bit
from .queries import Queries
from .rounding import LARGEST_REACH, stretch

CHUNK = 6 * TOGETHER  # queries that share a walk


class Walk(NamedTuple):
    """How candidates are looked for: by products over the coordinates of the segments 0 … `depth`, or by boxes, -1."""

    depth: int


BOXES = Walk(-1)


class Chunk(NamedTuple):
    """The n queries of a walk, and what it has found so far.

    `spread` (n,) is 2r ln(N/ε) in units of the tree.  `found` (n, most) lists candidates, the first `counts` (n,) of
    each row; a count above `most` is an overflow, and the query is given up.  `reach` (n,) is the radius within which
    the survivors lie by all that is known, `lowest` (n,) the smallest squared distance; `squares` (64,) is scratch.
    """

    queries: Queries
    spread: Array
    found: NDArray[np.int32]
    counts: NDArray[np.int64]
    reach: NDArray[np.float32]
    lowest: NDArray[np.float32]
    squares: NDArray[np.float32]


class EachQuery(NamedTuple):
    """Queries in integers, each by itself: `lead` and `tail` of `words_of_each_query`; `values` (64,) is scratch."""

    lead: NDArray[np.int32]
    tail: NDArray[np.int32]
    norm_row: int
    values: NDArray[np.int32]


@njit(**with_lanes)
def new_chunk(queries, spread, found, counts):
    """A walk that begins; of queries beyond the reach of single precision it ends at once."""
    n = len(counts)
    for i in range(n):
        counts[i] = 0 if queries.norm[i] < np.inf else found.shape[1] + 1
    reach, lowest = np.empty(n, np.float32), np.full(n, np.float32(np.inf))
    return Chunk(queries, spread, found, counts, reach, lowest, np.empty(64, np.float32))


@njit(**with_lanes)
def _reach(square, blurs, own_blur, spread, factor):
    """Radius within which the kept points lie, given a computed squared distance to some point."""
    distance = sqrt(square * factor + 1e-40) + blurs
    reach = sqrt(distance * distance + spread) + own_blur
    return np.float32(min(reach, LARGEST_REACH) * (1 + 1e-6))


@njit(**with_lanes)
def _limit(reach, blur, factor):
    """What a computed squared distance must not exceed, for a point of a block with this blur."""
    radius = np.float64(reach) + blur
    return np.float32((radius * radius + 1e-36) * factor)


@njit(**with_lanes)
def _reach_from(blocks, block, chunk, i, factor):
    """Reach of query i from the points of one block."""
    queries = chunk.queries
    scan(blocks.rows, block, queries.rows, i, blocks.ends, np.float32(3e38), chunk.squares)
    blurs = blocks.boxes[block // 16, -1, block % 16] + queries.blur[i]
    return _reach(chunk.squares.min(), blurs, queries.blur[i], chunk.spread[i], factor)


@njit(**with_lanes)
def _reach_from_nearby(blocks, chunk, i, factor):
    """Reach of query i from the blocks in reach of the cluster where it begins: most have found their nearest."""
    block = chunk.queries.first[i]
    reach = _reach_from(blocks, block, chunk, i, factor)
    bits = boxes_within(blocks.boxes, block // 16, chunk.queries.axes, i, reach, np.float32(factor * (1 + 1e-6)))
    while bits != 0:
        other = block // 16 * 16 + lowest_bit(bits)
        bits &= bits - 1
        if other != block:
            reach = min(reach, _reach_from(blocks, other, chunk, i, factor))
    return reach


@njit(**with_lanes)
def _scan_block(blocks, block, blur, chunk, i, factor):
    """List the points of a block, of this blur, in reach of query i."""
    queries, squares, reach = chunk.queries, chunk.squares, chunk.reach[i]
    bits = scan(blocks.rows, block, queries.rows, i, blocks.ends, _limit(reach, blur, factor), squares)
    if bits == 0:
        return
    own_blur, lowest, count = queries.blur[i], chunk.lowest[i], chunk.counts[i]
    while bits != 0:
        point = lowest_bit(bits)
        bits &= bits - 1
        if count < chunk.found.shape[1]:
            chunk.found[i, count] = block * 64 + point
        count += 1
        if squares[point] < lowest:
            lowest = squares[point]
            reach = min(reach, _reach(lowest, blur + own_blur, own_blur, chunk.spread[i], factor))
    chunk.reach[i], chunk.lowest[i], chunk.counts[i] = reach, lowest, count


# ---- boxes ------------------------------------------------------------------------------------


@njit(**with_lanes)
def by_boxes(blocks, chunk):
    """Candidates of all queries, blocks in order.

    Queries are the innermost loop, so that a block is read from memory once for all of them.
    """
    axes, reach, counts = chunk.queries.axes, chunk.reach, chunk.counts
    factor = stretch(blocks.rows.shape[1])
    factor32 = np.float32(factor * (1 + 1e-6))
    n, capacity = len(counts), chunk.found.shape[1]
    clusters, children, inside = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        reach[i] = _reach_from_nearby(blocks, chunk, i, factor)
    for group in range(len(blocks.cluster_boxes)):
        any_cluster = np.int64(0)
        for i in range(n):
            clusters[i] = boxes_within(blocks.cluster_boxes, group, axes, i, reach[i], factor32)
            any_cluster |= clusters[i]
        while any_cluster != 0:
            place = lowest_bit(any_cluster)
            any_cluster &= any_cluster - 1
            cluster = group * 16 + place
            n_inside, any_child = 0, np.int64(0)
            for i in range(n):
                if clusters[i] >> place & 1 and counts[i] <= capacity:
                    bits = boxes_within(blocks.boxes, cluster, axes, i, reach[i], factor32)
                    if bits != 0:
                        inside[n_inside], children[n_inside] = i, bits
                        any_child |= bits
                        n_inside += 1
            while any_child != 0:
                child = lowest_bit(any_child)
                any_child &= any_child - 1
                blur = np.float64(blocks.boxes[cluster, -1, child])
                for j in range(n_inside):
                    if children[j] >> child & 1:
                        _scan_block(blocks, cluster * 16 + child, blur, chunk, inside[j], factor)


# ---- products ---------------------------------------------------------------------------------


@njit(**with_lanes)
def _best_blocks(maxima, steps, best):
    """The block with the largest product of each query."""
    highest = np.full(len(best), -np.inf)
    best[:] = 0
    for block in range(len(maxima)):
        unit = product_unit(steps[block])
        for i in range(len(best)):
            product = maxima[block, i] * unit
            if product > highest[i]:
                highest[i], best[i] = product, block


@njit(**with_lanes)
def _least(reach, norm, blur, slack):
    """Product below which no point of a block can be in reach, in units of the tree."""
    radius = np.float64(reach) + blur
    return 0.5 * (norm * norm - radius * radius) - slack


@njit(**with_lanes)
def _reach_from_product(product, slack, norm, own_blur, blur, spread):
    """Radius within which the kept points lie, given a computed product with some point."""
    square = max(norm * norm - 2 * (product - slack), 0.0)
    return _reach(square * (1 + 1e-6), blur + own_blur, own_blur, spread, 1.0)


@njit(**with_lanes)
def _scan_products(integers, block, blur, largest, chunk, i, each):
    """List the points of a block, of this blur and largest norm, whose whole product with query i is large enough.

    For points with tails: first the products with the norm of the tail, then with the tail itself.
    """
    queries, pairs, tails, lead, tail = chunk.queries, integers.pairs, integers.tails, each.lead, each.tail
    norm, own_blur, reach, count = queries.norm[i], queries.blur[i], chunk.reach[i], chunk.counts[i]
    unit = product_unit(integers.steps[block])
    slack = integer_slack(2 * lead.shape[1] + 2 * tail.shape[1], integers.steps[block], norm, largest)
    least = np.floor(_least(reach, norm, blur, slack) / unit)
    whole = np.int64(min(max(least, -(2.0**31)), 2.0**31 - 1))
    bits = block_products(pairs, block, integers.start, lead, i, whole, each.values)
    while bits != 0:
        point = lowest_bit(bits)
        bits &= bits - 1
        product = whole_product(pairs, tails, block, point, each.values[point], lead, tail, i, each.norm_row)
        if product < least or integers.start[block, point] == NO_POINT:
            continue
        if count < chunk.found.shape[1]:
            chunk.found[i, count] = block * 64 + point
        count += 1
        nearer = _reach_from_product(product * unit, slack, norm, own_blur, blur, chunk.spread[i])
        if nearer < reach:
            reach = nearer
            least = np.floor(_least(reach, norm, blur, slack) / unit)
    chunk.reach[i], chunk.counts[i] = reach, count


@njit(**with_lanes)
def by_products(blocks, integers, depth, chunk, maxima):
    """Candidates as in `by_boxes`; products over the first ends[depth] coordinates exclude blocks."""
    queries, ends, reach, counts = chunk.queries, blocks.ends, chunk.reach, chunk.counts
    factor = stretch(blocks.rows.shape[1])
    n, n_rows, capacity = len(counts), rows_of_depth(ends, depth), chunk.found.shape[1]
    words = np.empty((-(-n // TOGETHER), (n_rows + 1) // 2, TOGETHER), np.int32)
    words_of_queries(queries.rows, queries.norm, ends, depth, words)
    all_maxima(integers, words, maxima)
    best = np.empty(n, np.int64)
    _best_blocks(maxima, integers.steps, best)
    for i in range(n):
        reach[i] = _reach_from(blocks, best[i], chunk, i, factor)
    has_tails, last = integers.tails.shape[2] > 0, deepest(ends)
    lead = np.empty((n, integers.pairs.shape[2]), np.int32)
    tail = np.empty((n, integers.tails.shape[2]), np.int32)
    each = EachQuery(lead, tail, rows_of_depth(ends, last) - 1, np.empty(64, np.int32))
    if has_tails:
        words_of_each_query(queries.rows, queries.norm, ends, last, lead, tail)
    least = np.empty(n)
    for block in range(len(blocks.rows)):
        blur, largest = np.float64(blocks.boxes[block // 16, -1, block % 16]), np.float64(blocks.norms[block])
        steps = integers.steps[block]
        unit, near = product_unit(steps), 0
        for i in range(n):
            slack = integer_slack(n_rows, steps, queries.norm[i], largest)
            least[i] = _least(reach[i], queries.norm[i], blur, slack) / unit
            near += maxima[block, i] >= least[i]
        if near == 0:
            continue
        for i in range(n):
            if maxima[block, i] < least[i] or counts[i] > capacity:
                continue
            if has_tails:
                _scan_products(integers, block, blur, largest, chunk, i, each)
            else:
                _scan_block(blocks, block, blur, chunk, i, factor)
