"""One pass over the training points: everything the empirical posterior says about a query.

The posterior over N training points y^μ given a noisy query x is w_μ ∝ exp(-|x - y^μ|²/2r)
(docs/theory.md §3).  The kernel below walks once through the points with an online log-sum-exp and
returns the mean, log-partition, participation, entropy, nearest point and mean squared distance.
Nothing of size N is stored per query.

How it is laid out
- Points are read transposed, in panels [D][B]: the inner loops run over B neighbouring points and the
  compiler turns them into vector instructions by itself.  Large sets are transposed on the way.
- Four queries share each load of a panel; a chunk of up to 64 queries shares a panel in cache.
- Distances are direct differences, never |x|² - 2x·y + |y|²: at r = 1e-8 the latter is noise.
- A block is skipped for a query when all its logits lie more than 60 + ln N below the largest one
  so far.  What is neglected is then at most N e^{-60 - ln N} = e^{-60} < 1e-26 of the total weight.
- Sums are kept relative to the *nearest* point, whose own weight 1 is left out: with
  Z = 1 + rest, log1p(rest) and Σ e t (all terms of one sign) stay accurate when rest → 0.
- Each query is computed by the same instructions whatever its chunk, and the points are walked through
  in parts that depend on N and D alone (`sums`), so the number of threads cannot change a bit of the result.
"""

from math import exp, log, log1p
from typing import Any

import numba
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ...conventions import arguments
from ...conventions.arguments import Array
from .compilation import compiled, contracted, reordered
from .exponential import exponential
from .sums import PartialSums, Sums, batches, concatenated, part_size, together
from .threading_layer import one_at_a_time

GROUP = 4  # queries that share one load of a panel
LARGEST_CHUNK = 64  # queries that share one panel in cache
STRIP = 64  # coordinates transposed at a time
SEGMENT = 16  # coordinates summed in the dtype of the panels before float64 takes over
SKIP_BELOW = 60.0  # see the bound in the module docstring
_PANEL_BYTES = 2**19  # a panel and the running means of a chunk fit in the second-level cache
_LARGEST_COPY = 2**26  # bytes of points that are also kept in panels
_FORGOTTEN = 700.0  # e^-700: what lies so far below a new maximum is dropped altogether


# ---- one panel --------------------------------------------------------------------------------


@njit(**contracted)
def _boltzmann(square_distances, lowest, half_precision, floor, t, weights):
    """Fill t = (lowest - |x-y|²)/2r and weights = exp(t); both t = floor and weight 0 below `floor`."""
    for b in range(weights.size):
        t[b] = max((lowest - square_distances[b]) * half_precision, floor)  # float64, then rounded
    for b in range(weights.size):
        e = exponential(t[b])
        weights[b] = e if t[b] > floor else e - e


@njit(**contracted)
def _transpose(points, panel):
    """Points (b, D) into the columns of a panel (D, B ≥ b), in its precision; further columns stay as they are."""
    dim = points.shape[1]
    for first in range(0, dim, STRIP):
        for b in range(points.shape[0]):
            for i in range(first, min(first + STRIP, dim)):
                panel[i, b] = points[b, i]


@njit(**contracted)
def _partial_distances(panel, x, d0, d1, d2, d3):
    """|x_q - y_b|² of four queries (4, k) to the B points of a panel (k, B), in the panel's dtype."""
    width = d0.size
    for b in range(width):
        d0[b] = d1[b] = d2[b] = d3[b] = 0
    for i in range(panel.shape[0]):
        row, x0, x1, x2, x3 = panel[i], x[0, i], x[1, i], x[2, i], x[3, i]
        for b in range(width):
            y = row[b]
            d0[b] += (y - x0) * (y - x0)
            d1[b] += (y - x1) * (y - x1)
            d2[b] += (y - x2) * (y - x2)
            d3[b] += (y - x3) * (y - x3)


@njit(**contracted)
def _square_distances(panel, x, partial, distances):
    """Square distances (4, B) in float64, summed over segments of coordinates.

    In float32 a single running sum over D = 784 coordinates would be wrong by 1e-6, and ln w by
    1e-6 D/2; a short segment is not, and the segments are added in float64.
    """
    distances[:] = 0
    for start in range(0, panel.shape[0], SEGMENT):
        segment = slice(start, min(start + SEGMENT, panel.shape[0]))
        _partial_distances(panel[segment], x[:, segment], partial[0], partial[1], partial[2], partial[3])
        for q in range(GROUP):
            for b in range(partial.shape[1]):
                distances[q, b] += partial[q, b]


@njit(**compiled)
def _minimum(values, scratch):
    """Smallest value, by halving: a plain loop of minima would not vectorise without 'nnan'."""
    half = values.size // 2
    for b in range(half):
        scratch[b] = min(values[b], values[half + b])
    while half > 1:
        half //= 2
        for b in range(half):
            scratch[b] = min(scratch[b], scratch[half + b])
    return scratch[0]


@njit(**compiled)
def _first(values, value):
    """Lowest index at which `value` stands."""
    for b in range(values.size):
        if values[b] == value:
            return b
    return -1


@njit(**reordered)
def _moments(weights, t):
    """Σ e, Σ e², Σ e t over a panel."""
    zero = weights.dtype.type(0)
    total, squares, energy = zero, zero, zero
    for b in range(weights.size):
        total += weights[b]
        squares += weights[b] * weights[b]
        energy += weights[b] * t[b]
    return total, squares, energy


@njit(**reordered)
def _add_weighted_points(panel, e0, e1, e2, e3, factor, mean):
    """mean_q ← factor_q mean_q + Σ_b e_qb y_b for four queries."""
    zero = e0.dtype.type(0)
    for i in range(panel.shape[0]):
        row = panel[i]
        s0, s1, s2, s3 = zero, zero, zero, zero
        for b in range(e0.size):
            y = row[b]
            s0 += e0[b] * y
            s1 += e1[b] * y
            s2 += e2[b] * y
            s3 += e3[b] * y
        mean[0, i] = factor[0] * mean[0, i] + s0
        mean[1, i] = factor[1] * mean[1, i] + s1
        mean[2, i] = factor[2] * mean[2, i] + s2
        mean[3, i] = factor[3] * mean[3, i] + s3


# ---- online log-sum-exp -----------------------------------------------------------------------


@njit(**compiled)
def _absorb(square_distances, start, half_precision, cutoff, lowest, nearest, sums, t, weights, scratch):
    """Add a panel to the sums of one query; fill its weights; return (new lowest, nearest, factor).

    `sums` holds Σ e, Σ e² and Σ e t over all points but the nearest one, e = exp(t),
    t = (lowest - |x-y|²)/2r.  `factor` is what sums over the earlier panels must be multiplied with;
    it is negative when the panel was skipped.
    """
    low = _minimum(square_distances, scratch)
    if (low - lowest) * half_precision > cutoff:
        weights[:] = 0
        return lowest, nearest, -1.0
    factor = 1.0
    position = -1
    if low < lowest:
        drop = (lowest - low) * half_precision
        if drop < _FORGOTTEN:
            # The former nearest point, weight 1 and t = 0, joins the rest.
            factor = exp(-drop)
            sums[2] = factor * (sums[2] - drop * (1.0 + sums[0]))
            sums[0] = factor * (1.0 + sums[0])
            sums[1] = factor * factor * (1.0 + sums[1])
        else:
            factor = 0.0
            sums[:] = 0.0
        position = _first(square_distances, low)
        lowest, nearest = low, start + position
    floor = -_FORGOTTEN if weights.itemsize == 8 else -87.0
    _boltzmann(square_distances, lowest, half_precision, floor, t, weights)
    if position >= 0:
        weights[position] = 0
    total, squares, energy = _moments(weights, t)
    if position >= 0:
        weights[position] = 1
    sums[0] += total
    sums[1] += squares
    sums[2] += energy
    return lowest, nearest, factor


@njit(**compiled)
def _chunk(points, panels, first_point, last_point, x, half_precision, mean, scalars, nearest):
    """One part of the points for one chunk of queries: x, mean (q, D), half_precision (q,) = 1/2r, scalars (5, q)."""
    dim = points.shape[1]
    n_queries, width = x.shape[0], panels.shape[2]
    cutoff = SKIP_BELOW + log(len(points))
    panel = np.zeros((dim, width), x.dtype)
    partial = np.empty((GROUP, width), x.dtype)
    distances = np.empty((GROUP, width))
    weights = np.empty((GROUP, width), x.dtype)
    t = np.empty(width, x.dtype)
    scratch = np.empty(width)
    factor = np.empty(GROUP)
    sums = np.zeros((n_queries, 3))
    lowest = np.full(n_queries, np.inf)
    for start in range(first_point, last_point, width):
        valid = min(width, last_point - start)
        if panels.shape[0] > 0:
            panel = panels[start // width]
        else:
            _transpose(points[start : start + valid], panel)
        for first in range(0, n_queries, GROUP):
            group = x[first : first + GROUP]
            _square_distances(panel, group, partial, distances)
            if valid < width:
                distances[:, valid:] = np.inf
            skipped = 0
            for q in range(GROUP):
                j = first + q
                known = lowest[j], nearest[j], sums[j]
                lowest[j], nearest[j], factor[q] = _absorb(
                    distances[q], start, half_precision[j], cutoff, *known, t, weights[q], scratch
                )
                if factor[q] < 0:
                    factor[q] = 1.0
                    skipped += 1
            if skipped < GROUP:
                e0, e1, e2, e3 = weights[0], weights[1], weights[2], weights[3]
                _add_weighted_points(panel, e0, e1, e2, e3, factor, mean[first : first + GROUP])
    for j in range(n_queries):
        partition = 1.0 + sums[j, 0]
        energy = sums[j, 2] / partition
        mean[j] /= partition
        scalars[0, j] = log1p(sums[j, 0])
        scalars[1, j] = (1.0 + sums[j, 1]) / (partition * partition)
        scalars[2, j] = log1p(sums[j, 0]) - energy
        scalars[3, j] = lowest[j]
        scalars[4, j] = -energy / half_precision[j]


@njit(parallel=True, **compiled)
def _all_chunks(points, panels, part, x, half_precision, chunk, mean, scalars, nearest):
    n_queries, n_parts = x.shape[0], mean.shape[0]
    for task in prange((n_queries + chunk - 1) // chunk * n_parts):
        c, p = task // n_parts, task % n_parts
        these = slice(c * chunk, min((c + 1) * chunk, n_queries))
        first, last = p * part, min((p + 1) * part, len(points))
        results = mean[p, these], scalars[:, p, these], nearest[p, these]
        _chunk(points, panels, first, last, x[these], half_precision[these], *results)


# ---- door -------------------------------------------------------------------------------------


def _chunk_size(n_queries: int) -> int:
    """Queries per chunk: a multiple of GROUP that gives every thread equally many chunks."""
    threads = numba.get_num_threads()
    rounds = -(-n_queries // (LARGEST_CHUNK * threads))
    return GROUP * -(-n_queries // (rounds * threads * GROUP))


def block_size(n_points: int, dim: int, dtype: str, block: int | None = None) -> int:
    """Points per panel: `block` if given, a power of two ≥ 8, else what suits the second-level cache."""
    if block is None:
        fits = _PANEL_BYTES // (dim * np.dtype(dtype).itemsize)
        enough = max(8, 1 << (n_points - 1).bit_length())
        return min(enough, max(32, min(256, 1 << max(fits, 1).bit_length() - 1)))
    block = arguments.positive_integer(block, "block")
    if block < 8 or block & (block - 1):
        raise arguments.fail("block", block, "must be a power of two ≥ 8")
    return block


def in_panels(points: Array, width: int, dtype: str) -> NDArray[Any]:
    """Points (N, D) as panels (⌈N/width⌉, D, width), zero beyond N; none, (0, D, width), of more than 64 MB.

    Panels save each chunk of queries the transposition: a few per cent for many queries, most of the time for one.
    """
    n_points, dim = points.shape
    count = -(-n_points // width) if points.nbytes <= _LARGEST_COPY else 0
    panels = np.zeros((count, dim, width), dtype)
    for p, panel in enumerate(panels):
        part = points[p * width : (p + 1) * width]
        panel[:, : len(part)] = part.T
    return panels


def posterior_sums(points: Array, panels: NDArray[Any], x: Array, r: Array) -> Sums:
    """Posterior sums of the queries x (Q, D) over the points (N, D), each at its own noise ratio r (Q,).

    `panels` = in_panels(points, …), empty or not.  `log_sum` is ln Σ_μ exp(-|x-y^μ|²/2r); ties in `nearest` go to the
    lowest index.  Differences, exponentials and sums within a panel are in the dtype of the panels, all longer sums
    in float64.  Thread-safe.
    """
    part = part_size(len(points), x.shape[1], panels.shape[2])
    n_parts = -(-len(points) // part)
    runs = batches(len(x), n_parts, x.shape[1])
    return concatenated([_batch(points, panels, part, n_parts, x[run], r[run]) for run in runs])


def _batch(
    points: Array,
    panels: NDArray[Any],
    part: int,
    n_parts: int,
    x: Array,
    r: Array,
) -> Sums:
    n_queries, dim = x.shape
    padded = np.minimum(np.arange(-(-n_queries // GROUP) * GROUP), n_queries - 1)
    queries = x[padded].astype(panels.dtype)
    mean, scalars = np.zeros((n_parts, len(padded), dim)), np.empty((5, n_parts, len(padded)))
    nearest = np.zeros((n_parts, len(padded)), np.int64)
    chunk = _chunk_size(len(padded))
    with one_at_a_time:
        _all_chunks(points, panels, part, queries, 0.5 / r[padded], chunk, mean, scalars, nearest)
    log_rest, participation, entropy, lowest, excess = scalars[:, :, :n_queries]
    means, index = mean[:, :n_queries], nearest[:, :n_queries]
    return together(PartialSums(means, log_rest, participation, entropy, index, lowest, excess), r)
