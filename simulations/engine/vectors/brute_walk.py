"""The walk of a chunk of queries over the tiles of a part of the points.

An online log-sum-exp: sums are kept relative to the nearest point so far, whose own weight 1 is left out,
as in `simulations.engine.kernel`.  Sums over more than a tile are in float64.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ....conventions.arguments import Array
from ..compilation import with_lanes
from .brute_layout import KEYS, LOWEST_SIMILARITY, PANEL, TILE
from .brute_tile import (
    add_weighted,
    begin_products,
    begin_squares,
    continue_products,
    continue_squares,
    leading_weights,
    locate,
    prefetch,
    relevant,
    rises,
    small_leading_weights,
    small_squares,
    small_weights,
    weights,
)

_SEGMENT = 64  # squares summed in one go: sums of non-negative terms round more the longer they are
_TOP, _SCALE = 0, 1  # rows of the constants of a panel


class State(NamedTuple):
    """Panels of queries on their walk, relative to the nearest points so far; of one panel without the first axis.

    `constants` (panels, 3, PANEL) as in `brute_tile`; `mean` (panels, D, PANEL) is Σ e y; `sums` (panels, 3, PANEL)
    Σ e, Σ e², Σ e (s - s_max) without the nearest point; `nearest` (panels, PANEL) its index, -1 before the first.
    """

    constants: NDArray[np.float32]
    mean: Array
    sums: Array
    nearest: NDArray[np.int64]


@njit(**with_lanes)
def _aligned(size):
    raw = np.empty(size + 16, np.float32)
    first = (-raw.ctypes.data % 64) // 4
    return raw[first : first + size]


@njit(**with_lanes)
def _panel(state, p):
    return State(state.constants[p], state.mean[p], state.sums[p], state.nearest[p])


@njit(**with_lanes)
def _raise(highest, position, start, state, factor):
    """Refer the sums of a panel to its new nearest points, if any; the former ones join the rest."""
    constants, mean, sums, nearest = state
    for q in range(PANEL):
        factor[q] = 1.0
        if highest[q] > constants[_TOP, q]:
            factor[q] = 0.0
            if nearest[q] >= 0:
                drop = np.float64(highest[q]) - np.float64(constants[_TOP, q])
                factor[q] = np.exp2(-drop * constants[_SCALE, q])
                total = 1.0 + sums[0, q]
                sums[2, q] = factor[q] * (sums[2, q] - drop * total) if factor[q] > 0 else 0.0
                sums[0, q] = factor[q] * total
                sums[1, q] = factor[q] * factor[q] * (1.0 + sums[1, q])
            constants[_TOP, q] = highest[q]
            nearest[q] = start + np.int64(position[q])
        else:
            position[q] = -1.0
    for i in range(mean.shape[0]):
        for q in range(PANEL):
            mean[i, q] *= factor[q]


@njit(**with_lanes)
def _similarities(packed, direct, start, count, x, tiles, highest, partial, origin):
    """Similarities of a tile of points for all panels, slab by slab, and their maxima."""
    slabs, bias, width = packed.slabs, packed.bias, packed.width
    n_panels, dim = x.shape[0], x.shape[1]
    n_slabs, rows, stride = slabs.shape
    highest[:] = -np.inf
    for s in range(n_slabs):
        here = min(width, dim - s * width)
        # The slab needed next is fetched meanwhile, a few lines with every block of KEYS points.
        ahead = ((s + 1) % n_slabs * rows + start) * stride
        step = min(here, _SEGMENT) if direct else here
        for p in range(n_panels):
            for k in range(0, count, KEYS):
                if n_slabs > 1:
                    part = p * count + k
                    prefetch(slabs, ahead + part * stride // n_panels, ahead + (part + KEYS) * stride // n_panels)
                cell = (p * TILE + k) * PANEL
                for i in range(0, here, step):
                    row = (s * rows + start + k) * stride + i
                    column = (p * dim + s * width + i) * PANEL
                    size = min(step, here - i)
                    top = highest[p] if s * width + i + size == dim else partial
                    if direct and s + i == 0:
                        padded = KEYS if start + k + KEYS == rows else 0
                        begin_squares(slabs, row, stride, size, x, column, tiles, cell, top, origin, padded)
                    elif direct:
                        continue_squares(slabs, row, stride, size, x, column, tiles, cell, top, origin, 0)
                    elif s == 0:
                        begin_products(slabs, row, stride, size, x, column, tiles, cell, top, bias, start + k)
                    else:
                        continue_products(slabs, row, stride, size, x, column, tiles, cell, top, bias, start + k)


@njit(**with_lanes)
def _add_means(packed, start, count, tiles, relevant_panels, keep, mean):
    """mean += weights · points, slab by slab."""
    slabs, width = packed.slabs, packed.width
    n_panels, dim = mean.shape[0], mean.shape[1]
    n_slabs, rows, stride = slabs.shape
    for s in range(n_slabs):
        here = min(width, dim - s * width)
        groups = (here + KEYS - 1) // KEYS
        ahead = ((s + 1) * rows + start if s + 1 < n_slabs else start + TILE) * stride
        for p in range(n_panels):
            if not relevant_panels[p]:
                continue
            for g in range(groups):
                if n_slabs > 1:
                    part = p * groups + g
                    span = count * stride
                    parts = groups * n_panels
                    prefetch(slabs, ahead + part * span // parts, ahead + (part + 1) * span // parts)
                i = here * g // groups
                size = here * (g + 1) // groups - i
                row = (s * rows + start) * stride + i
                cell = (p * dim + s * width + i) * PANEL
                add_weighted(size, tiles, p * TILE * PANEL, count, slabs, row, stride, mean, cell, keep[p])


@njit(**with_lanes)
def walk_small(packed, first_point, last_point, x, state):
    """The points from the first to the last for one chunk of panels, up to SMALL_DIM coordinates."""
    n_panels, dim = x.shape[0], x.shape[1]
    slabs = packed.slabs
    tile, highest, position = _aligned(TILE * PANEL), _aligned(PANEL), _aligned(PANEL)
    keep, factor = np.empty(PANEL), np.empty(PANEL)
    for start in range(first_point, last_point, TILE):
        count = min(TILE, last_point - start)
        first = start * dim
        for p in range(n_panels):
            panel = _panel(state, p)
            constants, mean, sums, _ = panel
            highest[:] = -np.inf
            small_squares(dim, slabs, first, count, x[p], tile, highest)
            risen = rises(highest, constants)
            if risen:
                locate(tile, 0, count, highest, position)
                _raise(highest, position, start, panel, factor)
            if not relevant(highest, constants, keep):
                continue
            if risen:
                small_leading_weights(dim, tile, 0, count, constants, keep, position, sums, slabs, first, mean)
            else:
                small_weights(dim, tile, 0, count, constants, keep, position, sums, slabs, first, mean)


@njit(**with_lanes)
def walk(packed, first_point, last_point, direct, x, state):
    """The points from the first to the last for one chunk of panels.

    Panels go through a tile one after the other; with several slabs all together, slab by slab.
    """
    n_panels, n_slabs = x.shape[0], packed.slabs.shape[0]
    together = 1 if n_slabs == 1 else n_panels
    tiles = _aligned(together * TILE * PANEL)
    highest = _aligned(together * PANEL).reshape(together, PANEL)
    partial, position = _aligned(PANEL), _aligned(PANEL)
    keep, factor, counts = np.empty((together, PANEL)), np.empty(PANEL), np.empty(together, np.bool_)
    # where sums of squares start: at zero, but very low for the padding in the last KEYS rows
    origin = np.zeros(2 * KEYS, np.float32)
    origin[2 * KEYS - (packed.slabs.shape[1] - packed.n_points) :] = LOWEST_SIMILARITY
    for start in range(first_point, last_point, TILE):
        count = min(TILE, last_point - start)
        for p0 in range(0, n_panels, together):
            group = slice(p0, p0 + together)
            _similarities(packed, direct, start, count, x[group], tiles, highest, partial, origin)
            for p in range(together):
                panel, first = _panel(state, p0 + p), p * TILE * PANEL
                counts[p] = _weigh(tiles, first, start, count, highest[p], position, factor, panel, keep[p])
            _add_means(packed, start, count, tiles, counts, keep, state.mean[group])


@njit(**with_lanes)
def _weigh(tiles, first, start, count, highest, position, factor, panel, keep):
    """Turn the similarities of a tile and a panel into weights; False if none of them counts."""
    constants, mean, sums, _ = panel
    risen = rises(highest, constants)
    if risen:
        locate(tiles, first, count, highest, position)
        _raise(highest, position, start, panel, factor)
    if not relevant(highest, constants, keep):
        return False
    if risen:
        leading_weights(tiles, first, count, constants, keep, position, sums, tiles, 0, mean)
    else:
        weights(tiles, first, count, constants, keep, position, sums, tiles, 0, mean)
    return True
