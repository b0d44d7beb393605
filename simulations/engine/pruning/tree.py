"""The points once more: on their principal axes, in single precision, in blocks with bounding boxes."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ....conventions import arguments
from ....conventions.arguments import Array
from ..compilation import compiled
from ..threading_layer import one_at_a_time
from ..vectors.lanes import aligned
from .integers import Integers, integers
from .rounding import LARGEST_NORM, PADDING, blur_coefficients

BLOCK = 64  # points per block
FAMILY = 16  # blocks per cluster, clusters per group: boxes are tested 16 at a time
CLUSTER = BLOCK * FAMILY
_BOX_AXES = 16
_SAMPLE = 20000  # points from which the principal axes are found
_PIECE_BYTES = 2**22
_FAR = 1e19  # a box no query reaches


class Blocks(NamedTuple):
    """What the compiled code reads; float32 but `order` and `ends`.

    `rows` (blocks, width, 64): coordinates on the principal axes; after the coordinates 1 … k of each
    entry k < D of `ends` comes a row with the norms of what remains, |Y_{>k}|.
    `boxes` (clusters, 2 axes + 1, 16): of each block of the cluster
    the lowest and highest value per axis, and last its blur; `cluster_boxes` the same of 16 clusters.
    `norms` (blocks,) the largest |Y|.  `order` (blocks · 64,) the index of each point, -1 for padding.
    """

    rows: NDArray[np.float32]
    boxes: NDArray[np.float32]
    cluster_boxes: NDArray[np.float32]
    norms: NDArray[np.float32]
    order: NDArray[np.int32]
    ends: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tree:
    """Search tree over N points (N, D) in float64, which it keeps by reference: do not change them.

    Besides `points` it holds a float32 copy (half their memory, and about a tenth more) and boxes.
    `axes` (D, D) has the principal axes as rows, largest variance first; `scale` is a power of two.
    ValueError: points not (N, D), empty or not finite; more than 2^31 of them.
    """

    points: Array
    mean: Array
    axes: Array
    variances: Array
    scale: float
    blur: tuple[float, float]
    blocks: Blocks

    @classmethod
    def of(cls, points: Array) -> "Tree":
        """Build the tree: O(N D²) for the rotation and O(N D log N) for the order."""
        points = np.ascontiguousarray(arguments.numbers(points, "points"))
        if points.ndim != 2 or points.size == 0 or len(points) >= 2**31:
            raise ValueError(f"points has shape {points.shape}: must be (N, D) with 1 ≤ N < 2^31, D ≥ 1")
        mean, axes, variances = _principal_axes(points)
        scale = _scale(points, mean)
        blur = blur_coefficients(points.shape[1], scale * float(np.linalg.norm(mean)))
        return cls(points, mean, axes, variances, scale, blur, _blocks(points, mean, axes, scale, blur))

    @cached_property
    def integers(self) -> Integers:
        """The points in 16-bit integers, a quarter of their memory, made when first asked for."""
        place = coordinate_rows(self.blocks.ends.tolist())
        with one_at_a_time:
            return integers(self.blocks.rows, self.blocks.ends, place, self.n_points, self.blocks.norms)

    def release(self) -> None:
        """Give back what can be made again: the integers."""
        self.__dict__.pop("integers", None)

    @property
    def n_points(self) -> int:
        """N."""
        return self.points.shape[0]

    @property
    def ambient_dim(self) -> int:
        """D."""
        return self.points.shape[1]


def segment_ends(dim: int) -> list[int]:
    """Numbers of leading coordinates after which a partial distance is looked at; the last is D."""
    ends = [end for end in range(8, 33, 8)]
    while ends[-1] < dim:
        ends += [ends[-1] * 3 // 2, ends[-1] * 2]
    return [end for end in ends if end + 4 <= dim] + [dim]


def coordinate_rows(ends: list[int]) -> NDArray[np.int64]:
    """Row of each coordinate; one row is left free after each segment but the last."""
    row = np.arange(ends[-1])
    return row + np.searchsorted(np.asarray(ends[:-1]), row, side="right")


def box_axes(ends: list[int]) -> int:
    """Number of leading coordinates in a box; if others remain, their norm is one more axis."""
    return max(end for end in ends if end <= _BOX_AXES or end == ends[0])


def _principal_axes(points: Array) -> tuple[Array, Array, Array]:
    """Mean, principal axes as rows and their variances, from at most 20000 evenly spaced points."""
    mean = points.mean(axis=0)
    sample = points[:: -(-len(points) // _SAMPLE)] - mean
    largest = np.abs(sample).max() or 1.0
    sample /= largest
    variances, axes = np.linalg.eigh(sample.T @ sample / len(sample))
    return mean, np.ascontiguousarray(axes[:, ::-1].T), np.maximum(variances[::-1], 0.0) * largest**2


def _scale(points: Array, mean: Array) -> float:
    """Power of two that brings the largest norm to LARGEST_NORM, or just below."""
    largest = 0.0
    for part in _pieces(points):
        difference = points[part] - mean
        unit = np.abs(difference).max()
        if unit > 0:  # the square of a norm may overflow or vanish
            largest = max(largest, float(unit * np.sqrt(((difference / unit) ** 2).sum(axis=1).max())))
    # not beyond 2^±400, so that squares stay finite in double precision
    return float(2.0 ** np.clip(np.floor(np.log2(LARGEST_NORM) - np.log2(largest)), -400, 400)) if largest > 0 else 1.0


def _pieces(points: Array) -> list[slice]:
    size = max(1, _PIECE_BYTES // (8 * points.shape[1]))
    return [slice(start, start + size) for start in range(0, len(points), size)]


def _blocks(points: Array, mean: Array, axes: Array, scale: float, blur: tuple[float, float]) -> Blocks:
    n_points, dim = points.shape
    ends = segment_ends(dim)
    n_blocks = -(-n_points // BLOCK)
    n_clusters = -(-n_blocks // FAMILY)
    rows = aligned((n_blocks, dim + len(ends) - 1, BLOCK))
    by_point = rows.reshape(n_blocks * BLOCK, -1)
    place = coordinate_rows(ends)
    by_point = by_point[:n_points]
    for part in _pieces(points):
        rotated = (points[part] - mean) @ axes.T * scale
        by_point[part][:, place] = rotated
        starts = [0, *ends[:-1]]
        squares = np.add.reduceat(rotated**2, starts, axis=1)
        for i, end in enumerate(ends[:-1]):
            by_point[part][:, end + i] = np.sqrt(squares[:, i + 1 :].sum(axis=1))
    order = np.full(n_blocks * BLOCK, -1, np.int32)
    order[:n_points] = np.arange(n_points)
    used = box_axes(ends)
    box_rows = place[:used]
    if used < dim:
        box_rows = np.append(box_rows, used + ends.index(used))
    boxes = aligned((n_clusters, 2 * len(box_rows) + 1, FAMILY))
    cluster_boxes = aligned((-(-n_clusters // FAMILY), 2 * len(box_rows) + 1, FAMILY))
    boxes[:, :-1], cluster_boxes[:, :-1] = _FAR, _FAR
    norms = np.zeros(n_blocks, np.float32)
    blocks = Blocks(rows, boxes, cluster_boxes, norms, order, np.asarray(ends))
    _arrange(by_point, order[:n_points], place[:used])
    with one_at_a_time:
        _describe(blocks, n_points, place, box_rows, blur[0], blur[1])
    _enclose(boxes, cluster_boxes, n_clusters)
    return blocks


# ---- order ------------------------------------------------------------------------------------


@njit(**compiled)
def _widest(rows, axes):
    """The leading axis along which a few of the points scatter most."""
    step = max(1, len(rows) // 256)
    best, widest = axes[0], -1.0
    for axis in axes:
        total, squares, n = 0.0, 0.0, 0
        first = rows[0, axis]
        for i in range(0, len(rows), step):
            value = np.float64(rows[i, axis] - first)
            total += value
            squares += value * value
            n += 1
        variance = squares / n - (total / n) ** 2
        if variance > widest:
            best, widest = axis, variance
    return best


@njit(**compiled)
def _exchange(rows, order, i, j):
    order[i], order[j] = order[j], order[i]
    for k in range(rows.shape[1]):
        rows[i, k], rows[j, k] = rows[j, k], rows[i, k]


@njit(**compiled)
def _select(rows, order, axis, target):
    """Hoare's selection in place: rows before `target` are not above, rows after not below along `axis`."""
    low, high = 0, len(rows) - 1
    while low < high:
        a, b, c = rows[low, axis], rows[(low + high) // 2, axis], rows[high, axis]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while rows[i, axis] < pivot:
                i += 1
            while rows[j, axis] > pivot:
                j -= 1
            if i <= j:
                _exchange(rows, order, i, j)
                i += 1
                j -= 1
        if target <= j:
            high = j
        elif target >= i:
            low = i
        else:
            return


@njit(**compiled)
def _arrange(rows, order, axes):
    """Halve the points along the widest axis again and again, at multiples of a cluster, then of a block."""
    stack = np.empty((64, 2), np.int64)
    stack[0, 0], stack[0, 1] = 0, len(rows)
    depth = 1
    while depth:
        depth -= 1
        start, stop = stack[depth]
        size = stop - start
        if size <= BLOCK:
            continue
        unit = CLUSTER if size > CLUSTER else BLOCK
        middle = start + max(1, (size + unit) // (2 * unit)) * unit
        part = slice(start, stop)
        _select(rows[part], order[part], _widest(rows[part], axes), middle - start)
        stack[depth, 0], stack[depth, 1] = start, middle
        stack[depth + 1, 0], stack[depth + 1, 1] = middle, stop
        depth += 2


# ---- blocks and boxes -------------------------------------------------------------------------


@njit(parallel=True, **compiled)
def _describe(blocks, n_points, place, box_rows, slope, base):
    """Transpose every block; fill norms and boxes; send the padding far away."""
    for b in prange(len(blocks.rows)):
        _describe_block(blocks, b, min(BLOCK, n_points - b * BLOCK), place, box_rows, slope, base)


@njit(**compiled)
def _describe_block(blocks, b, valid, place, box_rows, slope, base):
    width = blocks.rows.shape[1]
    by_row = blocks.rows[b]
    flat = by_row.copy().ravel()
    for i in range(BLOCK):
        for k in range(width):
            by_row[k, i] = flat[i * width + k]
    largest = 0.0
    for i in range(BLOCK):
        square = 0.0
        for k in place:
            square += np.float64(by_row[k, i]) ** 2
        largest = max(largest, square)
    for i in range(valid, BLOCK):
        by_row[place[0], i] = PADDING
    norm = np.sqrt(largest) * (1 + 1e-6)
    blocks.norms[b] = norm
    box = blocks.boxes[b // FAMILY]
    for a in range(len(box_rows)):
        values = by_row[box_rows[a], :valid]
        box[2 * a, b % FAMILY] = values.min()
        box[2 * a + 1, b % FAMILY] = values.max()
    box[2 * len(box_rows), b % FAMILY] = (slope * norm + base) * (1 + 1e-6)


def _enclose(boxes: NDArray[np.float32], cluster_boxes: NDArray[np.float32], n_clusters: int) -> None:
    """Boxes of clusters from the boxes of their blocks."""
    axes = (boxes.shape[1] - 1) // 2
    real = np.where(boxes[:, :1] < _FAR, boxes, np.nan)
    low, high = np.nanmin(real[:, 0 : 2 * axes : 2], axis=2), np.nanmax(real[:, 1 : 2 * axes : 2], axis=2)
    blur = np.nanmax(real[:, -1], axis=1)
    for c in range(n_clusters):
        group, place = divmod(c, FAMILY)
        cluster_boxes[group, 0 : 2 * axes : 2, place] = low[c]
        cluster_boxes[group, 1 : 2 * axes : 2, place] = high[c]
        cluster_boxes[group, -1, place] = blur[c]
