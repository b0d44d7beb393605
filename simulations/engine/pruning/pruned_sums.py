"""The door: posterior sums, or the surviving points themselves, certified, in the condensed phase."""

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from ....conventions import arguments
from ..kernel import Sums
from ..threading_layer import in_threads, one_at_a_time
from ..vectors.lanes import compiled
from .integers import NO_INTEGERS, TOGETHER, deepest
from .machine_words import take_next
from .queries import on_axes
from .screening import CHUNK, by_boxes, by_products
from .survivors import add_up, keep, nearest, weigh
from .tree import Tree

Array = NDArray[np.float64]

BOXES = -1  # walk over boxes, where the depth of the products would stand


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


@dataclass(frozen=True, eq=False)
class Survivors:
    """Kept points of Q queries: those of query q are `index[start[q]:start[q+1]]`, with their `weight`.

    Weights of a query sum to 1; nothing is kept of one that was given up (`certified` 1).
    """

    start: NDArray[np.int64]
    index: NDArray[np.int32]
    weight: Array
    certified: Array

    def of(self, query: int) -> tuple[NDArray[np.int32], Array]:
        """Indices and weights of one query."""
        part = slice(self.start[query], self.start[query + 1])
        return self.index[part], self.weight[part]


def budget(n_points: int) -> int:
    """Candidates per query beyond which brute force is faster: N/32, or all of 4096 points."""
    return min(n_points, max(4096, n_points // 32))


def pruned_sums(tree: Tree, x: Array, r: Array, skipped: float = 1e-12, walk: int = BOXES) -> Pruned:
    """Posterior sums of the queries x (Q, D) at noise ratios r (Q,), from the points that carry them.

    Kept is every point with |x-y|² ≤ min + 2r ln(N/skipped), distances in float64.  The others weigh
    less than `skipped` together.  `walk`: `BOXES`, or the depth of the products (see `choice.choose`);
    the result does not depend on it.  Thread-safe.
    ValueError: x not (Q, D), r not (Q,) or not positive, `skipped` outside (0, 1), unknown walk.
    """
    x, r = _checked(tree, x, r, skipped, walk)
    n_queries = len(x)
    mean, scalars = np.zeros((n_queries, tree.ambient_dim)), np.zeros((n_queries, 5))
    closest, survivors = np.zeros(n_queries, np.int64), np.zeros(n_queries, np.int64)
    nothing = np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0)
    _walk(tree, x, r, skipped, walk, mean, scalars, closest, survivors, nothing)
    log_sum, participation, entropy, mean_square, weight = scalars.T.copy()
    sums = Sums(mean, log_sum, participation, entropy, closest, mean_square)
    return Pruned(sums, _certified(tree.n_points, survivors, weight, skipped), survivors)


def survivors_of(tree: Tree, x: Array, r: Array, skipped: float = 1e-12, walk: int = BOXES) -> Survivors:
    """The points that `pruned_sums` keeps, and their posterior weights; arguments and errors as there."""
    pruned = pruned_sums(tree, x, r, skipped, walk)
    start = np.concatenate([[0], np.cumsum(pruned.survivors)])
    index, weight = np.empty(start[-1], np.int32), np.empty(start[-1])
    scratch = np.empty((1, tree.ambient_dim)), np.empty((len(x), 5)), np.empty(len(x), np.int64)
    x, r = _checked(tree, x, r, skipped, walk)
    _walk(tree, x, r, skipped, walk, *scratch, pruned.survivors.copy(), (start, index, weight))
    return Survivors(start, index, weight, pruned.certified)


def _checked(tree: Tree, x: ArrayLike, r: ArrayLike, skipped: float, walk: int) -> tuple[Array, Array]:
    queries = np.ascontiguousarray(arguments.points(x, tree.ambient_dim))
    ratios = arguments.positive(r, "r")
    if ratios.shape != (len(queries),):
        raise ValueError(f"r has shape {ratios.shape}: must be ({len(queries)},)")
    ratios = np.ascontiguousarray(ratios)
    if not 0 < skipped < 1:
        raise arguments.fail("skipped", skipped, "must be between 0 and 1")
    arguments.one_of(walk, range(BOXES, deepest(tree.blocks.ends) + 1), "walk")
    return queries, ratios


def _certified(n_points: int, survivors: NDArray[np.int64], total: Array, skipped: float) -> Array:
    """Each of the N - n points left out weighs at most skipped/N times the nearest."""
    left_out = (n_points - survivors) * (skipped / n_points)
    return np.where(survivors > 0, left_out / np.maximum(total, 1.0), 1.0)


def _walk(
    tree: Tree,
    x: Array,
    r: Array,
    skipped: float,
    walk: int,
    mean: Array,
    scalars: Array,
    closest: NDArray[np.int64],
    survivors: NDArray[np.int64],
    kept: tuple[NDArray[np.int64], NDArray[np.int32], Array],
) -> None:
    """Hand out chunks of neighbouring queries to the threads."""
    spread = 2 * r * (np.log(tree.n_points) - np.log(skipped))
    integers = tree.integers if walk >= 0 else NO_INTEGERS
    with one_at_a_time:
        queries = on_axes(tree, x)
    order = np.argsort(queries.first, kind="stable")
    threads = numba.get_num_threads()
    chunk = min(CHUNK, TOGETHER * -(-len(x) // (TOGETHER * threads)))
    counter, capacity = np.zeros(1, np.int64), budget(tree.n_points)

    def work(_: int) -> None:
        _work(
            counter,
            tree.blocks,
            integers,
            tree.points,
            x,
            r,
            spread,
            tree.scale**2,
            queries,
            order,
            walk,
            chunk,
            capacity,
            mean,
            scalars,
            closest,
            survivors,
            *kept,
        )

    list(in_threads(work, range(threads if len(order) > chunk else 1)))


@njit(**compiled)
def _work(
    counter,
    blocks,
    integers,
    points,
    x,
    r,
    spread,
    unit,
    queries,
    order,
    walk,
    chunk,
    capacity,
    mean,
    scalars,
    closest,
    survivors,
    start,
    index,
    weight,
):
    """What one thread does: take the next chunk while there is one."""
    found, counts = np.empty((chunk, capacity), np.int32), np.empty(chunk, np.int64)
    squares, scaled_spread = np.empty(capacity), spread * unit
    n_groups = (chunk + TOGETHER - 1) // TOGETHER
    maxima = np.empty((len(blocks.rows) if walk >= 0 else 0, n_groups * TOGETHER), np.int32)
    while True:
        first = take_next(counter) * chunk
        if first >= len(order):
            return
        part = order[first : first + chunk]
        if walk < 0:
            by_boxes(blocks, queries, part, scaled_spread, found, counts)
        else:
            by_products(blocks, integers, queries, walk, part, scaled_spread, maxima, found, counts)
        for i in range(len(part)):
            q = part[i]
            if counts[i] > capacity:
                survivors[q] = 0
                continue
            candidates = found[i, : counts[i]]
            n = keep(points, blocks.order, x[q], spread[q], candidates, squares)
            survivors[q] = n
            if len(start):
                index[start[q] : start[q + 1]] = candidates[:n]
                weigh(squares[:n], 0.5 / r[q], weight[start[q] : start[q + 1]])
            else:
                closest[q] = candidates[nearest(candidates[:n], squares[:n])]
                scalars[q, 4] = add_up(points, candidates[:n], squares[:n], 0.5 / r[q], mean[q], scalars[q])
