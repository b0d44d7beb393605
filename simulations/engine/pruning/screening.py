"""Which points can be within √(min + 2r ln(N/ε)) of a query: a walk over boxes, blocks, points.

Two walks, for chunks of queries that lie close together:
- `by_boxes`: clusters whose box is in reach, then their blocks, then the points of these;
- `by_products`: the largest product x·y - |y|²/2 of every block over the first few rows, as a matrix
  product, then the points of the blocks in reach, in more than 256 dimensions by whole products.  It
  reads everything, but fast, and serves data in which boxes overlap too much.
Both list every point that the bounds of `rounding.py` cannot exclude.
"""

from math import sqrt

import numpy as np
from numba import njit

from ..vectors.lanes import LANES, compiled
from .integers import (
    NO_POINT,
    TOGETHER,
    all_maxima,
    deepest,
    integer_slack,
    pack,
    pack_whole,
    product_unit,
    rows_of_depth,
    whole_product,
)
from .machine_words import lowest_bit
from .rounding import LARGEST_REACH, stretch

if LANES:
    from .block_vectors import boxes_within, scan
    from .product_vectors import block_products
else:
    from .block_distances import block_products, boxes_within, scan

CHUNK = 6 * TOGETHER  # queries that share a walk


@njit(**compiled)
def _reach(square, blurs, own_blur, spread, factor):
    """Radius within which the kept points lie, given a computed squared distance to some point."""
    distance = sqrt(square * factor + 1e-40) + blurs
    reach = sqrt(distance * distance + spread) + own_blur
    return np.float32(min(reach, LARGEST_REACH) * (1 + 1e-6))


@njit(**compiled)
def _limit(reach, blur, factor):
    """What a computed squared distance must not exceed, for a point of a block with this blur."""
    radius = np.float64(reach) + blur
    return np.float32((radius * radius + 1e-36) * factor)


@njit(**compiled)
def _begin(rows, boxes, ends, queries, q, block, spread, factor, squares):
    """Reach of query q from the points of one block."""
    scan(rows, block, queries.rows, q, ends, np.float32(3e38), squares)
    blurs = boxes[block // 16, -1, block % 16] + queries.blur[q]
    return _reach(squares.min(), blurs, queries.blur[q], spread, factor)


@njit(**compiled)
def _begin_nearby(rows, boxes, ends, queries, q, spread, factor, squares):
    """Reach of query q from the blocks in reach of the cluster where it begins: most have found their nearest."""
    block = queries.first[q]
    reach = _begin(rows, boxes, ends, queries, q, block, spread, factor, squares)
    bits = boxes_within(boxes, block // 16, queries.axes, q, reach, np.float32(factor * (1 + 1e-6)))
    while bits != 0:
        other = block // 16 * 16 + lowest_bit(bits)
        bits &= bits - 1
        if other != block:
            reach = min(reach, _begin(rows, boxes, ends, queries, q, other, spread, factor, squares))
    return reach


@njit(**compiled)
def _scan_block(
    rows, block, blur, ends, query_rows, q, own_blur, spread, factor, reach, lowest, squares, found, i, count
):
    """List the points of a block in reach of query q in found[i]; return the new (reach, lowest, count).

    `lowest` is the smallest squared distance so far.  A count above the size of `found` is an overflow.
    """
    bits = scan(rows, block, query_rows, q, ends, _limit(reach, blur, factor), squares)
    while bits != 0:
        point = lowest_bit(bits)
        bits &= bits - 1
        if count < found.shape[1]:
            found[i, count] = block * 64 + point
        count += 1
        if squares[point] < lowest:
            lowest = squares[point]
            reach = min(reach, _reach(lowest, blur + own_blur, own_blur, spread, factor))
    return reach, lowest, count


# ---- boxes ------------------------------------------------------------------------------------


@njit(**compiled)
def by_boxes(blocks, queries, part, spread, found, counts):
    """Candidates found[i, :counts[i]] of the queries part[i], blocks in order; counts too large: given up.

    Queries are the innermost loop, so that a block is read from memory once for all of them.
    """
    rows, ends, boxes, cluster_boxes = blocks.rows, blocks.ends, blocks.boxes, blocks.cluster_boxes
    query_rows, axes, blurs = queries.rows, queries.axes, queries.blur
    factor = stretch(rows.shape[1])
    factor32 = np.float32(factor * (1 + 1e-6))
    n, capacity = len(part), found.shape[1]
    squares = np.empty(64, np.float32)
    reach, lowest = np.empty(n, np.float32), np.full(n, np.float32(np.inf))
    clusters, children, inside = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        q = part[i]
        counts[i] = 0 if queries.norm[q] < np.inf else capacity + 1
        reach[i] = _begin_nearby(rows, boxes, ends, queries, q, spread[q], factor, squares)
    for group in range(len(cluster_boxes)):
        any_cluster = np.int64(0)
        for i in range(n):
            clusters[i] = boxes_within(cluster_boxes, group, axes, part[i], reach[i], factor32)
            any_cluster |= clusters[i]
        while any_cluster != 0:
            place = lowest_bit(any_cluster)
            any_cluster &= any_cluster - 1
            cluster = group * 16 + place
            n_inside, any_child = 0, np.int64(0)
            for i in range(n):
                if clusters[i] >> place & 1 and counts[i] <= capacity:
                    bits = boxes_within(boxes, cluster, axes, part[i], reach[i], factor32)
                    if bits != 0:
                        inside[n_inside], children[n_inside] = i, bits
                        any_child |= bits
                        n_inside += 1
            while any_child != 0:
                child = lowest_bit(any_child)
                any_child &= any_child - 1
                blur = np.float64(boxes[cluster, -1, child])
                for j in range(n_inside):
                    if children[j] >> child & 1:
                        i = inside[j]
                        q = part[i]
                        reach[i], lowest[i], counts[i] = _scan_block(
                            rows,
                            cluster * 16 + child,
                            blur,
                            ends,
                            query_rows,
                            q,
                            blurs[q],
                            spread[q],
                            factor,
                            reach[i],
                            lowest[i],
                            squares,
                            found,
                            i,
                            counts[i],
                        )


# ---- products ---------------------------------------------------------------------------------


@njit(**compiled)
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


@njit(**compiled)
def _least_products(steps, blur, largest, n_rows, norm, reach, least):
    """Product below which no point of a block can be in reach, for each query of a chunk."""
    unit = product_unit(steps)
    for i in range(len(reach)):
        radius = np.float64(reach[i]) + blur
        product = 0.5 * (norm[i] * norm[i] - radius * radius) - integer_slack(n_rows, steps, norm[i], largest)
        least[i] = product / unit


@njit(**compiled)
def _reach_from_product(product, slack, norm, own_blur, blur, spread):
    """Radius within which the kept points lie, given a computed product with some point."""
    square = max(norm * norm - 2 * (product - slack), 0.0)
    return _reach(square * (1 + 1e-6), blur + own_blur, own_blur, spread, 1.0)


@njit(**compiled)
def _scan_products(
    pairs,
    tails,
    start,
    steps,
    block,
    blur,
    largest,
    lead,
    tail,
    norm_row,
    norm,
    own_blur,
    spread,
    reach,
    values,
    found,
    i,
    count,
):
    """List the points of a block whose whole product is large enough, in found[i]; return (reach, count).

    For points with tails: first the products with the norm of the tail, then with the tail itself.
    """
    unit = product_unit(steps)
    slack = integer_slack(2 * lead.shape[1] + 2 * tail.shape[1], steps, norm, largest)
    radius = np.float64(reach) + blur
    least = np.floor((0.5 * (norm * norm - radius * radius) - slack) / unit)
    bits = block_products(pairs, block, start, lead, i, np.int64(min(max(least, -(2.0**31)), 2.0**31 - 1)), values)
    while bits != 0:
        point = lowest_bit(bits)
        bits &= bits - 1
        product = whole_product(pairs, tails, block, point, values[point], lead, tail, i, norm_row)
        if product < least or start[block, point] == NO_POINT:
            continue
        if count < found.shape[1]:
            found[i, count] = block * 64 + point
        count += 1
        nearer = _reach_from_product(product * unit, slack, norm, own_blur, blur, spread)
        if nearer < reach:
            reach = nearer
            radius = np.float64(reach) + blur
            least = np.floor((0.5 * (norm * norm - radius * radius) - slack) / unit)
    return reach, count


@njit(**compiled)
def by_products(blocks, integers, queries, depth, part, spread, maxima, found, counts):
    """Candidates as in `by_boxes`; products over the first ends[depth] coordinates exclude blocks."""
    rows, ends, boxes = blocks.rows, blocks.ends, blocks.boxes
    query_rows, blurs = queries.rows, queries.blur
    factor = stretch(rows.shape[1])
    n, n_rows, capacity = len(part), rows_of_depth(ends, depth), found.shape[1]
    packed = np.empty((-(-n // TOGETHER), (n_rows + 1) // 2, TOGETHER), np.int32)
    pack(query_rows, queries.norm, part, ends, depth, packed)
    all_maxima(integers, packed, maxima)
    best = np.empty(n, np.int64)
    _best_blocks(maxima, integers.steps, best)
    squares = np.empty(64, np.float32)
    reach, lowest = np.empty(n, np.float32), np.full(n, np.float32(np.inf))
    norm, least = queries.norm[part], np.empty(n)
    for i in range(n):
        q = part[i]
        counts[i] = 0 if norm[i] < np.inf else capacity + 1
        reach[i] = _begin(rows, boxes, ends, queries, q, best[i], spread[q], factor, squares)
    pairs, tails, steps = integers.pairs, integers.tails, integers.steps
    has_tails = tails.shape[2] > 0
    lead = np.empty((n, pairs.shape[2]), np.int32)
    tail, values = np.empty((n, tails.shape[2]), np.int32), np.empty(64, np.int32)
    last = deepest(ends)
    if has_tails:
        pack_whole(query_rows, queries.norm, part, ends, last, lead, tail)
    for block in range(len(rows)):
        blur, largest = np.float64(boxes[block // 16, -1, block % 16]), np.float64(blocks.norms[block])
        _least_products(steps[block], blur, largest, n_rows, norm, reach, least)
        near = 0
        for i in range(n):
            near += maxima[block, i] >= least[i]
        if near == 0:
            continue
        for i in range(n):
            if maxima[block, i] < least[i] or counts[i] > capacity:
                continue
            q = part[i]
            if has_tails:
                reach[i], counts[i] = _scan_products(
                    pairs,
                    tails,
                    integers.start,
                    steps[block],
                    block,
                    blur,
                    largest,
                    lead,
                    tail,
                    rows_of_depth(ends, last) - 1,
                    norm[i],
                    blurs[q],
                    spread[q],
                    reach[i],
                    values,
                    found,
                    i,
                    counts[i],
                )
            else:
                reach[i], lowest[i], counts[i] = _scan_block(
                    rows,
                    block,
                    blur,
                    ends,
                    query_rows,
                    q,
                    blurs[q],
                    spread[q],
                    factor,
                    reach[i],
                    lowest[i],
                    squares,
                    found,
                    i,
                    counts[i],
                )
