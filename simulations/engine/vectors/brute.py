"""Brute-force posterior sums in float32: the door.

Same results as `simulations.engine.kernel.posterior_sums`.  Not a bit of them depends on the number of threads. A
query meets the same instructions in any company, but for large sets a different order of sums among few than many.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from ....conventions.arguments import Array
from ..sums import PartialSums, Sums, batches, concatenated, part_size, together
from ..threading_layer import in_threads
from .brute_layout import PANEL, SMALL_DIM, TILE, Packed, pack, query_panels
from .brute_walk import State, walk, walk_small
from .lanes import LANES, LOWEST_EXPONENT

__all__ = ["Packed", "brute_sums", "gram_error", "pack"]

_LARGEST_CHUNK = 8  # panels of queries that share a tile of points in cache
_FEW_PANELS = 2  # up to so many panels of queries walk through the points in parts
_LOG2E = 1.4426950408889634


def brute_sums(packed: Packed, x: Array, r: Array, direct: bool = False) -> Sums:
    """Posterior sums of the centred queries x (Q, D), each at its own noise ratio r (Q,), as `Sums`.

    Up to SMALL_DIM dimensions always from differences x - y; beyond, from x·y - |y|²/2, whose error is
    `gram_error`, or from differences if `direct`: the rounding of D squares in float32 then moves ln w by
    about u |x-y|²/2r, u = 2^-24, measured for D from 9 to 1500; 1e-5 is reached up to D = 300 at the noise
    level.  Other errors, of the mean relative to the largest |y_i| and of the remaining sums, are below
    1e-5 (TILE weights are added in float32), besides the rounding of x and y to float32.  No weight falls
    below 2^-125.
    |x|, |y| ≤ 1e17 and 1e-30 ≤ r ≤ 1e30; the caller checks.  Runs on numba.get_num_threads() threads; safe
    to be called from several.  RuntimeError if LANES is 0.
    """
    if not LANES:
        raise RuntimeError("explicit vectors need a processor with AVX2 or AVX-512: use simulations.engine.kernel")
    direct = direct or packed.ambient_dim <= SMALL_DIM
    # each part begins anew to look for the nearest point, which many queries at once would pay for
    few = len(x) <= _FEW_PANELS * PANEL
    part = part_size(packed.n_points, packed.ambient_dim, TILE) if few else packed.n_points
    starts = range(0, packed.n_points, part)
    runs = batches(len(x), len(starts), packed.ambient_dim)
    return concatenated([_batch(packed, starts, x[run], r[run], direct) for run in runs])


def gram_error(largest: float, x: Array, r: Array) -> Array:
    """Estimated error of ln w from the float32 matrix product, for each query: u (|x| |y|_max + |y|²_max)/r.

    `largest` is |y|_max, u = 2^-24.
    A strict bound would be about D/2 times as large, but rounding errors have either sign:
    measured errors of mean and log density are below a fifth of the estimate plus 5e-6, what the sums in
    float32 leave (D from 9 to 1500; clusters, duplicates, outliers, power laws).  Where the estimate is
    ≤ 1e-5, `brute_sums` gives the mean within 1e-5 of the largest |y_i| and the log density within 1e-5
    relative.  One far outlier makes it large for all queries; differences are then the better choice.
    """
    return 2.0**-24 * (np.sqrt(np.einsum("qd,qd->q", x, x)) * largest + largest**2) / r


# ---- inner workings ---------------------------------------------------------------------------


def _batch(packed: Packed, starts: range, x: Array, r: Array, direct: bool) -> Sums:
    """Sums of some queries over the parts of the points that begin at `starts`."""
    n_queries, dim = x.shape
    panels = query_panels(x)
    n_panels, n_parts = len(panels), len(starts)
    padded = np.minimum(np.arange(n_panels * PANEL), n_queries - 1)
    ratios = r[padded].reshape(n_panels, PANEL)
    scale = (_LOG2E / (2 * ratios) if direct else _LOG2E / ratios).astype(np.float32)
    fresh = np.stack([np.full_like(scale, -np.inf), scale, np.float32(LOWEST_EXPONENT) / scale], axis=1)
    of_parts = State(
        np.repeat(fresh[None], n_parts, axis=0),
        np.zeros((n_parts, n_panels, dim, PANEL)),
        np.zeros((n_parts, n_panels, 3, PANEL)),
        np.full((n_parts, n_panels, PANEL), -1),
    )

    def work(task: tuple[int, int]) -> None:
        first, p = task
        these = slice(first, first + chunk)
        state = State._make(field[p, these] for field in of_parts)
        span = starts[p], min(starts[p] + starts.step, packed.n_points)
        if dim <= SMALL_DIM:
            walk_small(packed, *span, panels[these], state)
        else:
            walk(packed, *span, direct, panels[these], state)

    chunk = _chunk_size(n_panels)
    # Numba's own parallel loops would compile everything three times, and cannot be entered twice
    list(in_threads(work, [(first, p) for first in range(0, n_panels, chunk) for p in range(n_parts)]))
    return together(_partial(packed, x, r, direct, of_parts), r)


def _chunk_size(n_panels: int) -> int:
    """Panels per chunk, such that every thread gets equally many chunks."""
    threads = numba.get_num_threads()
    rounds = -(-n_panels // (_LARGEST_CHUNK * threads))
    return -(-n_panels // (rounds * threads))


def _partial(packed: Packed, x: Array, r: Array, direct: bool, of_parts: State) -> PartialSums:
    """Normalise, and refer to the distance of the nearest point, which is computed anew in float64."""
    _, mean, sums, nearest = of_parts
    n_queries, n_parts = len(x), len(mean)
    rest, squares, energy = sums.transpose(2, 0, 1, 3).reshape(3, n_parts, -1)[..., :n_queries]
    index = nearest.reshape(n_parts, -1)[:, :n_queries].copy()
    partition = 1 + rest
    excess = -energy / partition * (1 if direct else 2)  # <|x-y|²> - |x-y_nearest|²
    return PartialSums(
        mean.transpose(0, 1, 3, 2).reshape(n_parts, -1, mean.shape[2])[:, :n_queries] / partition[..., None],
        np.log1p(rest),
        (1 + squares) / partition**2,
        np.log1p(rest) + excess / (2 * r),
        index,
        np.stack([_square_distances(packed, x, one) for one in index]),
        excess,
    )


def _square_distances(packed: Packed, x: Array, index: NDArray[np.int64]) -> Array:
    """|x - y|² of one point for each query, in float64."""
    total = np.zeros(len(x))
    for slab, start in zip(packed.slabs, range(0, packed.ambient_dim, packed.width), strict=True):
        stop = min(start + packed.width, packed.ambient_dim)
        difference = x[:, start:stop] - slab[index, : stop - start]
        total += np.einsum("qd,qd->q", difference, difference)
    return total
