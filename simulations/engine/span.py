"""The span of the data: directions in which no training point moves only rescale the density.

With orthonormal axes B of the differences of the points and one of them as origin, |x - y|² = |Bᵀ(x - y)|² + |x⊥|²,
x⊥ = x - B Bᵀ x: the weights, and with them everything the points say about x, follow from the coordinates Bᵀx alone.
Images of rank 20 in 1000 dimensions cost as much as points in 20 dimensions.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import Array

WORTHWHILE, LARGEST = 0.5, 512  # spans of more than half the ambient dimensions, or of more than 512, are not used
_ROUNDING = 64.0  # units of rounding of the largest coordinate, per √D, that count as no displacement
_FIRST, _PROBES = 32, 64  # axes tried first; points that test whether the axes suffice
_ROWS = 4096  # points projected at a time


class Span(NamedTuple):
    """A point `origin` (D,), orthonormal `axes` (D, k) of the differences from it, `coordinates` (N, k) along them."""

    origin: Array
    axes: Array
    coordinates: Array


def find_span(points: Array) -> Span | None:
    """The span of the centred `points` (N, D) if k ≤ min(D/2, 512), else None.

    Axes grow by doubling from random points until they hold every point to rounding: 64 units in the last place of
    the largest coordinate, times √D.  What is left out is then no larger than the rounding of the points themselves.
    Below 1.5 s to see that the span is too large (D = 3072), O(N D k) when it is not.
    """
    n_points, dim = points.shape
    order = np.random.default_rng(0).permutation(n_points)  # which points are looked at first changes nothing else
    some = points[order[:_PROBES]]
    origin = some[np.argmin(np.einsum("nd,nd->n", some, some))]
    scale = max(points.max(), -points.min())
    if scale == 0.0 or dim < 2:
        return None
    most = min(WORTHWHILE * dim, LARGEST)
    allowed = _ROUNDING * np.finfo(np.float64).eps * scale * np.sqrt(dim)
    axes, seen, step = np.zeros((dim, 0)), 0, _FIRST
    while seen < n_points:
        axes = _extended(axes, points[order[seen : seen + step]] - origin, allowed)
        if axes.shape[1] > most:
            return None
        seen, step = seen + step, 2 * step
        if _largest_residual(axes, points[order[seen : seen + _PROBES]] - origin) <= allowed:
            outside = _first_outside(axes, points, origin, allowed)
            if outside.size == 0:
                return _spanned(origin, axes, points)
            # points off the common span, few or they would have been among those seen
            axes = _extended(axes, points[outside] - origin, allowed)
    return None if axes.shape[1] > most else _spanned(origin, axes, points)


def _spanned(origin: Array, axes: Array, points: Array) -> Span:
    coordinates = np.empty((len(points), axes.shape[1]))
    for start in range(0, len(points), _ROWS):
        coordinates[start : start + _ROWS] = (points[start : start + _ROWS] - origin) @ axes
    return Span(origin, axes, coordinates)


def _extended(axes: Array, rows: Array, allowed: float) -> Array:
    """Axes extended by the directions of `rows` that they lack."""
    residual = rows - (rows @ axes) @ axes.T
    new, triangle = np.linalg.qr(residual.T)
    if np.abs(np.diag(triangle)).min() <= allowed:  # some row depends on the others
        _, singular, directions = np.linalg.svd(residual, full_matrices=False)
        new = directions[singular > allowed].T
    new -= axes @ (axes.T @ new)  # twice is enough
    return np.hstack([axes, np.linalg.qr(new)[0]])


def _largest_residual(axes: Array, rows: Array) -> float:
    residual = rows - (rows @ axes) @ axes.T
    return float(np.sqrt(np.einsum("nd,nd->n", residual, residual)).max(initial=0.0))


def _first_outside(axes: Array, points: Array, origin: Array, allowed: float) -> NDArray[np.intp]:
    """Indices of the first points, at most 256, that do not lie in the span of the axes."""
    for start in range(0, len(points), _ROWS):
        rows = points[start : start + _ROWS] - origin
        residual = rows - (rows @ axes) @ axes.T
        outside = np.flatnonzero(np.sqrt(np.einsum("nd,nd->n", residual, residual)) > allowed)
        if outside.size:
            return start + outside[:256]
    return np.zeros(0, np.intp)
