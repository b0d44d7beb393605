"""What the ways to a posterior sum cost at one noise ratio: a pilot of a few queries tells whether pruning pays."""

from typing import NamedTuple

import numpy as np
from numba import njit

from ....conventions.arguments import Array
from ..compilation import with_lanes
from ..survivors import spread
from ..threading_layer import one_at_a_time
from .bounds import boxes_within
from .integers import deepest, rows_of_depth
from .machine_words import lowest_bit
from .pruned_sums import pruned_sums, walks
from .queries import on_axes
from .rounding import stretch
from .screening import BOXES, Walk
from .tree import Tree

_PILOT = 8

# Nanoseconds on one core with eight lanes, fitted to timings at D = 8 … 784.  Only ratios matter.
_BOXES = 30.0  # sixteen boxes
_SCAN, _SCAN_ROW = 60.0, 4.5  # a block and a query: entering, and each row of 64 points
_PRODUCT_ROW, _PRODUCT_BLOCK = 1.1, 4.0  # the same in a product
_TAIL, _TAIL_ROW = 500.0, 1.3  # the tails of a block, of which some 25 points get so far
_SURVIVOR, _SURVIVOR_ROW = 80.0, 1.5  # double precision
_BRUTE, _BRUTE_ROW = 60.0, 3.0  # 64 points and a query in the brute-force sums


class Prices(NamedTuple):
    """Nanoseconds per query and core, as estimated, of `brute_force` by explicit vectors and of each of the `walks`.

    No walk where most of the pilot was given up.  `survivors`: the mean number kept in the pilot; `finished`: the
    fraction of it within the budget.
    """

    brute_force: float
    walks: dict[Walk, float]
    survivors: float
    finished: float

    @property
    def cheapest(self) -> Walk | None:
        """The walk to take if any."""
        return min(self.walks, key=self.walks.__getitem__, default=None)


def prices(tree: Tree, x: Array, r: Array, skipped: float = 1e-12) -> Prices:
    """The prices for the queries x (Q, D) at noise ratios r (Q,), from eight of them.

    The pilot finds the nearest point of each, counts the blocks that boxes and partial distances leave,
    and prices them.  Deterministic; costs about as much as eight brute-force queries.
    Errors as in `pruned_sums`.
    """
    chosen = np.unique(np.linspace(0, len(x) - 1, _PILOT).astype(int))
    x, r = np.asarray(x, np.float64)[chosen], np.broadcast_to(np.asarray(r, np.float64), len(x))[chosen]
    ways = walks(tree) if tree.ambient_dim > 8 else [BOXES]
    pruned = pruned_sums(tree, x, r, skipped, ways[-1])
    brute_force = len(tree.blocks.rows) * (_BRUTE + _BRUTE_ROW * tree.ambient_dim)
    finished = pruned.finished
    if finished.mean() <= 0.5:
        return Prices(brute_force, {}, float(tree.n_points), float(finished.mean()))
    nearest = np.sum((x - tree.points[pruned.sums.nearest]) ** 2, axis=1)
    radius = np.sqrt(nearest + spread(tree.n_points, r, skipped)) * tree.scale
    counts = _pilot_counts(tree, x, radius)[finished].mean(axis=0)
    survivors = float(pruned.survivors[finished].mean())
    sums = survivors * (_SURVIVOR + _SURVIVOR_ROW * tree.ambient_dim) + (1 - finished.mean()) * brute_force
    return Prices(
        brute_force, {walk: sums + _price(tree, counts, walk) for walk in ways}, survivors, float(finished.mean())
    )


def _price_of_scans(tree: Tree, entered: float, alive: Array, depth: int) -> float:
    """Scans of `entered` blocks, of which alive[i] are left after segment i; all pass up to `depth`."""
    ends = tree.blocks.ends
    price, left = entered * _SCAN, entered
    for i, length in enumerate(np.diff(ends, prepend=0)):
        price += left * (length + 2) * _SCAN_ROW
        left = left if i < depth else min(left, alive[i])
    return price


def _price(tree: Tree, counts: Array, walk: Walk) -> float:
    """What it costs to find the candidates, given the mean `_pilot_counts`."""
    ends, depth, (clusters, blocks), alive = tree.blocks.ends, walk.depth, counts[:2], counts[2:]
    if walk == BOXES:
        tests = (len(tree.blocks.cluster_boxes) + clusters) * _BOXES
        return tests + _price_of_scans(tree, blocks, alive, 0)
    products = len(tree.blocks.rows) * (_PRODUCT_BLOCK + _PRODUCT_ROW * rows_of_depth(ends, depth))
    last = deepest(ends)
    if last == len(ends) - 1:
        return products + _price_of_scans(tree, alive[depth], alive, depth)
    lead, rest = rows_of_depth(ends, last), tree.ambient_dim - ends[last]
    # where most blocks pass, the block to begin with is a poor guess, and tails are multiplied in vain
    reached = alive[depth] if 2 * alive[depth] > len(tree.blocks.rows) else alive[last]
    return products + alive[depth] * (_SCAN + lead) + reached * (_TAIL + _TAIL_ROW * rest)


def _pilot_counts(tree: Tree, x: Array, radius: Array) -> Array:
    """Per query: clusters and blocks whose box is within `radius`, and blocks left after each segment."""
    counts = np.zeros((len(x), 2 + len(tree.blocks.ends)))
    with one_at_a_time:
        queries = on_axes(tree, x)
    for q in range(len(x)):
        if queries.norm[q] < np.inf:
            _count_boxes(tree.blocks, queries, q, radius[q] + queries.blur[q], counts[q])
            _count_segments(tree.blocks, queries, q, radius[q] + queries.blur[q], counts[q])
    return counts


@njit(**with_lanes)
def _count_boxes(blocks, queries, q, reach, counts):
    factor = np.float32(stretch(blocks.rows.shape[1]))
    for group in range(len(blocks.cluster_boxes)):
        clusters = boxes_within(blocks.cluster_boxes, group, queries.axes, q, np.float32(reach), factor)
        while clusters != 0:
            cluster = group * 16 + lowest_bit(clusters)
            clusters &= clusters - 1
            counts[0] += 1
            bits = boxes_within(blocks.boxes, cluster, queries.axes, q, np.float32(reach), factor)
            while bits != 0:
                bits &= bits - 1
                counts[1] += 1


@njit(**with_lanes)
def _count_segments(blocks, queries, q, reach, counts):
    rows, ends, squares, limit = blocks.rows, blocks.ends, np.empty(64, np.float32), np.float32(reach * reach)
    for block in range(len(rows)):
        squares[:] = 0
        row, start = 0, 0
        for segment in range(len(ends)):
            for _ in range(start, ends[segment]):
                value = queries.rows[q, row]
                for i in range(64):
                    squares[i] += (rows[block, row, i] - value) * (rows[block, row, i] - value)
                row += 1
            start, within = ends[segment], 0
            rest = np.float32(0) if row == rows.shape[1] else queries.rows[q, row]
            for i in range(64):
                gap = np.float32(0) if row == rows.shape[1] else rows[block, row, i] - rest
                within += squares[i] + gap * gap <= limit
            row += 1
            if within == 0:
                break
            counts[2 + segment] += 1
