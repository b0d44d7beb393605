"""The door: posterior sums, or the surviving points themselves, certified, in the condensed phase."""

from typing import Any, NamedTuple

import numba
import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ....conventions import arguments
from ....conventions.arguments import Array
from ..compilation import with_lanes
from ..sums import Sums
from ..survivors import Survivors, spread, survivors
from ..threading_layer import in_threads, one_at_a_time
from .bounds import TOGETHER
from .integers import NO_INTEGERS, Integers, deepest
from .kept_sums import add_up, keep
from .machine_words import take_next
from .queries import Queries, on_axes
from .screening import BOXES, CHUNK, Walk, by_boxes, by_products, set_out
from .tree import Blocks, Tree


class Pruned(NamedTuple):
    """Posterior of Q queries from the points that carry it.

    `certified` (Q,): proven upper bound of the fraction of the weight that was left out.  `survivors`
    (Q,): number of points summed.  A query with more candidates than the budget is given up: its
    `certified` is 1, its `survivors` 0, and its row of `sums` means nothing.
    """

    sums: Sums
    certified: Array
    survivors: NDArray[np.int64]

    @property
    def finished(self) -> NDArray[np.bool_]:
        """(Q,) False for queries that were given up and want a brute-force sum."""
        return self.survivors > 0


class Search(NamedTuple):
    """What all threads read: the points, and queries in the order of the blocks where they begin.

    Query q, `walkers[q]` on its walk, is x[order[q]], at 1/2r = half_precision[order[q]] and 2r ln(N/ε) =
    spread[order[q]].  They are taken `chunk` at a time, with at most `capacity` candidates each.
    """

    blocks: Blocks
    integers: Integers
    points: Array
    queries: Queries
    walkers: NDArray[Any]
    order: NDArray[np.int64]
    x: Array
    half_precision: Array
    spread: Array
    depth: int
    chunk: int
    capacity: int


class Found(NamedTuple):
    """What threads write of each query: the sums over survivors, or the candidates in front of rows of `index`.

    `count` (Q,) of either, 0 of a query that is given up; `scalars` (Q, 5) as in `add_up`; `index` (Q, capacity).
    """

    count: NDArray[np.int64]  # type: ignore[assignment]
    mean: Array
    scalars: Array
    nearest: NDArray[np.int64]
    index: NDArray[np.int32]  # type: ignore[assignment]


def walks(tree: Tree) -> list[Walk]:
    """All ways to look for the candidates, with the same result."""
    return [BOXES, *(Walk(depth) for depth in range(deepest(tree.blocks.ends) + 1))]


def budget(n_points: int) -> int:
    """Candidates per query beyond which brute force is faster: N/32, or all of 4096 points."""
    return min(n_points, max(4096, n_points // 32))


def pruned_sums(tree: Tree, x: Array, r: Array, skipped: float = 1e-12, walk: Walk = BOXES) -> Pruned:
    """Posterior sums of the queries x (Q, D) at noise ratios r (Q,), from the points that carry them.

    Kept is every point with |x-y|² ≤ min + 2r ln(N/skipped), distances in float64.  The others weigh
    less than `skipped` together.  `walk`: one of `walks`, see `prices`; the result does not depend on it.  Thread-safe.
    ValueError: x not (Q, D), r not (Q,) or not positive, `skipped` outside (0, 1), unknown walk.
    """
    kept, mean, scalars, nearest, _ = _search(tree, x, r, skipped, walk, listed=False)
    log_sum, participation, entropy, mean_square, weight = scalars.T.copy()
    sums = Sums(mean, log_sum, participation, entropy, nearest, mean_square)
    # each of the N - n points left out weighs at most skipped/N times the nearest
    left_out = (tree.n_points - kept) * (skipped / tree.n_points)
    return Pruned(sums, np.where(kept > 0, left_out / np.maximum(weight, 1.0), 1.0), kept)


def survivors_of(tree: Tree, x: Array, r: Array, skipped: float = 1e-12, walk: Walk = BOXES) -> list[Survivors]:
    """The points that `pruned_sums` keeps of each query, none of one that is given up; arguments and errors as there.

    Memory: 4 bytes for each candidate in the `budget` of every query.
    """
    found = _search(tree, x, r, skipped, walk, listed=True)
    rows = zip(x, r, found.index, found.count, strict=True)
    return [survivors(tree.points, query, ratio, skipped, among[:n]) for query, ratio, among, n in rows]


def _search(tree: Tree, x: ArrayLike, r: ArrayLike, skipped: float, walk: Walk, listed: bool) -> Found:
    """Hand out chunks of neighbouring queries to the threads; survivors are summed, or candidates `listed`."""
    queries, ratios = _checked(tree, x, r, skipped, walk)
    n_queries, capacity = len(queries), budget(tree.n_points)
    rows, places = (n_queries, 0) if listed else (0, n_queries)
    found = Found(
        np.zeros(n_queries, np.int64),
        np.zeros((places, tree.ambient_dim)),
        np.zeros((places, 5)),
        np.zeros(places, np.int64),
        np.empty((rows, capacity), np.int32),
    )
    distance = spread(tree.n_points, ratios, skipped)
    with one_at_a_time:
        placed = on_axes(tree, queries)
    order = np.argsort(placed.first, kind="stable")
    placed = Queries._make(field[order] for field in placed)
    threads = numba.get_num_threads()
    search = Search(
        tree.blocks,
        NO_INTEGERS if walk == BOXES else tree.integers,
        tree.points,
        placed,
        set_out(placed, distance[order] * tree.scale**2, capacity),
        order,
        queries,
        0.5 / ratios,
        distance,
        walk.depth,
        min(CHUNK, TOGETHER * -(-n_queries // (TOGETHER * threads))),
        capacity,
    )
    counter = np.zeros(1, np.int64)
    list(in_threads(lambda _: _work(search, found, counter), range(threads if n_queries > search.chunk else 1)))
    return found


def _checked(tree: Tree, x: ArrayLike, r: ArrayLike, skipped: float, walk: Walk) -> tuple[Array, Array]:
    queries = np.ascontiguousarray(arguments.points(x, tree.ambient_dim))
    ratios = arguments.positive(r, "r")
    if ratios.shape != (len(queries),):
        raise ValueError(f"r has shape {ratios.shape}: must be ({len(queries)},)")
    if not 0 < skipped < 1:
        raise arguments.fail("skipped", skipped, "must be between 0 and 1")
    arguments.one_of(walk, walks(tree), "walk")
    return queries, np.ascontiguousarray(ratios)


@njit(**with_lanes)
def _neighbours(queries, these):
    rows, axes, norm, blur, first = queries
    return Queries(rows[these], axes[these], norm[these], blur[these], first[these])


@njit(**with_lanes)
def _work(search, found, counter):
    """What one thread does: take the next chunk while there is one; sum its survivors, or list candidates."""
    blocks, points, x, half_precision = search.blocks, search.points, search.x, search.half_precision
    candidates, squares = np.empty((search.chunk, search.capacity), np.int32), np.empty(search.capacity)
    n_groups = (search.chunk + TOGETHER - 1) // TOGETHER
    maxima = np.empty((len(blocks.rows) if search.depth >= 0 else 0, n_groups * TOGETHER), np.int32)
    while True:
        first = take_next(counter) * search.chunk
        last = min(first + search.chunk, len(search.order))
        if first >= last:
            return
        these = slice(first, last)
        queries, walkers, row = _neighbours(search.queries, these), search.walkers[these], candidates[: last - first]
        if search.depth < 0:
            by_boxes(blocks, queries, walkers, row)
        else:
            by_products(blocks, search.integers, search.depth, queries, walkers, row, maxima)
        for i in range(last - first):
            if walkers[i].count > search.capacity:
                continue
            q, index = search.order[first + i], row[i, : walkers[i].count]
            for k in range(len(index)):
                index[k] = blocks.order[index[k]]
            if len(found.index):
                found.count[q], found.index[q, : len(index)] = len(index), index
            else:
                found.count[q] = n = keep(points, x[q], search.spread[q], index, squares)
                totals = found.mean[q], found.scalars[q]
                found.nearest[q] = add_up(points, index[:n], squares[:n], half_precision[q], *totals)
