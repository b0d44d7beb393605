"""Which points can be within √(min + 2r ln(N/ε)) of a query: a walk over boxes, blocks, points.

Two walks, for chunks of queries that lie close together:
- `by_boxes`: clusters whose box is in reach, then their blocks, then the points of these;
- `by_products`: the largest product x·y - |y|²/2 of every block over the first few rows, as a matrix
  product, then the points of the blocks in reach, in more than 256 dimensions by whole products.  It
  reads everything, but fast, and serves data in which boxes overlap too much.
Both list every point that the bounds of `rounding.py` cannot exclude.
"""

from math import sqrt
from typing import Any, NamedTuple

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


# A query on its walk: norm, blur and first block as in `Queries`, 2r ln(N/ε) in units of the tree, and what is known:
# the radius within which the survivors lie, the smallest squared distance, how many candidates are listed.  A count
# above their budget is an overflow, and the query is given up.  An array of records and not a tuple of arrays: Numba
# would count references to each of these, for every block and query, which takes as long as the bounds.
_FIELDS = {"norm": "f8", "blur": "f8", "first": "i8", "spread": "f8", "reach": "f4", "lowest": "f4", "count": "i8"}
ON_WALK = np.dtype(list(_FIELDS.items()), align=True)


class EachQuery(NamedTuple):
    """Queries in integers, each by itself: `lead` and `tail` of `words_of_each_query`; `values` (64,) is scratch."""

    lead: NDArray[np.int32]
    tail: NDArray[np.int32]
    norm_row: int
    values: NDArray[np.int32]


def set_out(queries: Queries, spread: Array, capacity: int) -> NDArray[Any]:
    """The queries before they walk; those beyond the reach of single precision are given up at once."""
    walkers = np.zeros(len(spread), ON_WALK)
    walkers["norm"], walkers["blur"], walkers["first"], walkers["spread"] = *queries[2:], spread
    walkers["lowest"], walkers["count"] = np.inf, np.where(queries.norm < np.inf, 0, capacity + 1)
    return walkers


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
def _reach_from(rows, boxes, ends, block, query_rows, i, walker, squares, factor):
    """Reach of query i from the points of one block."""
    scan(rows, block, query_rows, i, ends, np.float32(3e38), squares)
    blurs = boxes[block // 16, -1, block % 16] + walker.blur
    return _reach(squares.min(), blurs, walker.blur, walker.spread, factor)


@njit(**with_lanes)
def _reach_from_nearby(rows, boxes, ends, queries, i, walker, squares, factor):
    """Reach of query i from the blocks in reach of the cluster where it begins: most have found their nearest."""
    block = walker.first
    reach = _reach_from(rows, boxes, ends, block, queries.rows, i, walker, squares, factor)
    bits = boxes_within(boxes, block // 16, queries.axes, i, reach, np.float32(factor * (1 + 1e-6)))
    while bits != 0:
        other = block // 16 * 16 + lowest_bit(bits)
        bits &= bits - 1
        if other != block:
            reach = min(reach, _reach_from(rows, boxes, ends, other, queries.rows, i, walker, squares, factor))
    return reach


@njit(**with_lanes)
def _scan_block(rows, ends, block, blur, query_rows, i, walker, squares, found, factor):
    """List the points of a block, of this blur, in reach of query i in found[i]."""
    bits = scan(rows, block, query_rows, i, ends, _limit(walker.reach, blur, factor), squares)
    count = walker.count
    while bits != 0:
        point = lowest_bit(bits)
        bits &= bits - 1
        if count < found.shape[1]:
            found[i, count] = block * 64 + point
        count += 1
        if squares[point] < walker.lowest:
            walker.lowest = squares[point]
            reach = _reach(walker.lowest, blur + walker.blur, walker.blur, walker.spread, factor)
            walker.reach = min(walker.reach, reach)
    walker.count = count


# ---- boxes ------------------------------------------------------------------------------------


@njit(**with_lanes)
def by_boxes(blocks, queries, walkers, found):
    """Candidates found[i, : walkers[i].count] of the queries, blocks in order.

    Queries are the innermost loop, so that a block is read from memory once for all of them.
    """
    rows, ends, boxes, cluster_boxes = blocks.rows, blocks.ends, blocks.boxes, blocks.cluster_boxes
    query_rows, axes, squares = queries.rows, queries.axes, np.empty(64, np.float32)
    factor = stretch(rows.shape[1])
    factor32 = np.float32(factor * (1 + 1e-6))
    n, capacity = found.shape
    clusters, children, inside = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        walkers[i].reach = _reach_from_nearby(rows, boxes, ends, queries, i, walkers[i], squares, factor)
    for group in range(len(cluster_boxes)):
        any_cluster = np.int64(0)
        for i in range(n):
            clusters[i] = boxes_within(cluster_boxes, group, axes, i, walkers[i].reach, factor32)
            any_cluster |= clusters[i]
        while any_cluster != 0:
            place = lowest_bit(any_cluster)
            any_cluster &= any_cluster - 1
            cluster = group * 16 + place
            n_inside, any_child = 0, np.int64(0)
            for i in range(n):
                if clusters[i] >> place & 1 and walkers[i].count <= capacity:
                    bits = boxes_within(boxes, cluster, axes, i, walkers[i].reach, factor32)
                    if bits != 0:
                        inside[n_inside], children[n_inside] = i, bits
                        any_child |= bits
                        n_inside += 1
            while any_child != 0:
                child = lowest_bit(any_child)
                any_child &= any_child - 1
                block, blur = cluster * 16 + child, np.float64(boxes[cluster, -1, child])
                for j in range(n_inside):
                    if children[j] >> child & 1:
                        i = inside[j]
                        _scan_block(rows, ends, block, blur, query_rows, i, walkers[i], squares, found, factor)


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
def _least_products(n_rows, steps, blur, largest, norm, reach, least):
    """The same for all queries, in units of the products."""
    unit = product_unit(steps)
    for i in range(len(least)):
        slack = integer_slack(n_rows, steps, norm[i], largest)
        least[i] = _least(reach[i], norm[i], blur, slack) / unit


@njit(**with_lanes)
def _reach_from_product(product, slack, norm, own_blur, blur, spread):
    """Radius within which the kept points lie, given a computed product with some point."""
    square = max(norm * norm - 2 * (product - slack), 0.0)
    return _reach(square * (1 + 1e-6), blur + own_blur, own_blur, spread, 1.0)


@njit(**with_lanes)
def _scan_products(integers, block, blur, largest, each, i, walker, found):
    """List the points of a block, of this blur and largest norm, whose whole product with query i is large enough.

    For points with tails: first the products with the norm of the tail, then with the tail itself.
    """
    pairs, tails, lead, tail = integers.pairs, integers.tails, each.lead, each.tail
    unit = product_unit(integers.steps[block])
    slack = integer_slack(2 * lead.shape[1] + 2 * tail.shape[1], integers.steps[block], walker.norm, largest)
    least = np.floor(_least(walker.reach, walker.norm, blur, slack) / unit)
    whole = np.int64(min(max(least, -(2.0**31)), 2.0**31 - 1))
    bits = block_products(pairs, block, integers.start, lead, i, whole, each.values)
    while bits != 0:
        point = lowest_bit(bits)
        bits &= bits - 1
        product = whole_product(pairs, tails, block, point, each.values[point], lead, tail, i, each.norm_row)
        if product < least or integers.start[block, point] == NO_POINT:
            continue
        if walker.count < found.shape[1]:
            found[i, walker.count] = block * 64 + point
        walker.count += 1
        nearer = _reach_from_product(product * unit, slack, walker.norm, walker.blur, blur, walker.spread)
        if nearer < walker.reach:
            walker.reach = nearer
            least = np.floor(_least(nearer, walker.norm, blur, slack) / unit)


@njit(**with_lanes)
def by_products(blocks, integers, depth, queries, walkers, found, maxima):
    """Candidates as in `by_boxes`; products over the first ends[depth] coordinates exclude blocks."""
    rows, ends, boxes, steps = blocks.rows, blocks.ends, blocks.boxes, integers.steps
    query_rows, norm, squares = queries.rows, queries.norm, np.empty(64, np.float32)
    factor = stretch(rows.shape[1])
    n, capacity = found.shape
    n_rows = rows_of_depth(ends, depth)
    words = np.empty((-(-n // TOGETHER), (n_rows + 1) // 2, TOGETHER), np.int32)
    words_of_queries(query_rows, norm, ends, depth, words)
    all_maxima(integers, words, maxima)
    best, reach, least = np.empty(n, np.int64), np.empty(n, np.float32), np.empty(n)
    _best_blocks(maxima, steps, best)
    for i in range(n):
        reach[i] = walkers[i].reach = _reach_from(
            rows, boxes, ends, best[i], query_rows, i, walkers[i], squares, factor
        )
    has_tails, last = integers.tails.shape[2] > 0, deepest(ends)
    lead = np.empty((n, integers.pairs.shape[2]), np.int32)
    tail = np.empty((n, integers.tails.shape[2]), np.int32)
    each = EachQuery(lead, tail, rows_of_depth(ends, last) - 1, np.empty(64, np.int32))
    if has_tails:
        words_of_each_query(query_rows, norm, ends, last, lead, tail)
    for block in range(len(rows)):
        blur, largest = np.float64(boxes[block // 16, -1, block % 16]), np.float64(blocks.norms[block])
        _least_products(n_rows, steps[block], blur, largest, norm, reach, least)
        near = 0
        for i in range(n):
            near += maxima[block, i] >= least[i]
        if near == 0:
            continue
        for i in range(n):
            if maxima[block, i] < least[i] or walkers[i].count > capacity:
                continue
            if has_tails:
                _scan_products(integers, block, blur, largest, each, i, walkers[i], found)
            else:
                _scan_block(rows, ends, block, blur, query_rows, i, walkers[i], squares, found, factor)
            reach[i] = walkers[i].reach
