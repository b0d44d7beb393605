"""How points and queries lie in memory for the brute-force sums.

Lanes run over *queries*: a vector holds one coordinate, distance or weight of neighbouring queries, and
a point enters as numbers broadcast to all lanes.  So the points stay in their natural order, one float32
copy serves both matrix products (logits and mean), and maxima and sums need no step across lanes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....conventions.arguments import Array
from .lanes import LANES, aligned

PANEL = 2 * LANES  # queries that go through the points together
KEYS = 8 if LANES == 16 else 6  # points whose products with a panel fill the registers
FEWEST = 4  # D ≥ 9 coordinates always divide into groups of FEWEST to KEYS
LOWEST_SIMILARITY = -3e38  # of padding: never nearest, finite
TILE = 240  # points between two visits of the sums; a multiple of KEYS
SMALL_DIM = 8  # up to this dimension all coordinates of a point or panel fit in registers
_SLAB = 256  # coordinates whose panel of queries stays in the first-level cache
_LINE = 16  # float32 numbers in a cache line


class Packed(NamedTuple):
    """Centred points for `brute_sums`; made by `pack`.

    `slabs` (S, N', K) float32: the coordinates in S slabs of `width`, the last may be narrower; rows are
    padded to K and the points to N', a multiple of KEYS.  `bias` (N',) float32: -|y|²/2, and very low on
    padding.  `largest_norm` is max |y|.
    """

    slabs: NDArray[np.float32]
    bias: NDArray[np.float32]
    width: int
    n_points: int
    ambient_dim: int
    largest_norm: float


def pack(points: Array) -> Packed:
    """Centred points (N, D) in the layout of the kernel: one float32 copy, half the bytes of `points`.

    Works block by block, without a temporary of the size of the data.  |y| must be below 1e18, so that
    squares stay finite in float32; the caller checks.
    """
    n_points, dim = points.shape
    n_slabs = -(-dim // _SLAB)
    width = -(-dim // n_slabs)
    rows = -(-n_points // KEYS) * KEYS
    slabs = aligned((n_slabs, rows, _stride(width)))
    bias = aligned((rows,))
    bias[n_points:] = LOWEST_SIMILARITY
    largest = 0.0
    for start in range(0, n_points, TILE):
        part = slice(start, min(start + TILE, n_points))
        for slab, columns in zip(slabs, range(0, dim, width), strict=True):
            block = points[part, columns : columns + width]
            slab[part, : block.shape[1]] = block
        squares = np.einsum("nd,nd->n", points[part], points[part])
        bias[part] = -0.5 * squares
        largest = max(largest, squares.max())
    return Packed(slabs, bias, width, n_points, dim, float(np.sqrt(largest)))


def query_panels(x: Array) -> NDArray[np.float32]:
    """Queries (Q, D) as panels (⌈Q/PANEL⌉, D, PANEL), the last query repeated to fill the last panel."""
    n_queries, dim = x.shape
    n_panels = -(-n_queries // PANEL)
    panels = aligned((n_panels, dim, PANEL))
    for p, panel in enumerate(panels):
        rows = np.minimum(np.arange(p * PANEL, (p + 1) * PANEL), n_queries - 1)
        panel[:] = x[rows].T
    return panels


def _stride(width: int) -> int:
    """Row length: wide rows take an odd number of cache lines, or columns would fall on one cache set."""
    if width < 64:
        return width
    lines = -(-width // _LINE)
    return _LINE * (lines + 1 - lines % 2)
