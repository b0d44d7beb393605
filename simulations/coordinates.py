"""The coordinates in which N points are summed: centred amid the data, and in their span where that is small."""

import numpy as np

from ..conventions.arguments import Array
from .engine.blas_threads import one_blas_thread
from .engine.span import find_span


class Coordinates:
    """y = centre + axes · coordinates: `points` (N, k) are the coordinates of `y` (N, D), k = D without axes.

    `y` is kept by reference where it needs no centring.
    """

    def __init__(self, y: Array):
        self.centre = _centre(y)
        self.points = y - self.centre if self.centre.any() else np.ascontiguousarray(y)
        self.axes = None
        span = find_span(self.points)
        if span is not None:
            self.points, self.axes, self.centre = span.coordinates, span.axes, self.centre + span.origin

    def project(self, vectors: Array) -> Array:
        """Coordinates (…, k) of centred vectors (…, D)."""
        if self.axes is None:
            return vectors
        with one_blas_thread():
            return vectors @ self.axes

    def lift(self, coordinates: Array, out: Array | None = None) -> Array:
        """Centred vectors (…, D) of coordinates (…, k)."""
        if self.axes is None:
            return coordinates
        with one_blas_thread():
            return np.matmul(coordinates, self.axes.T, out=out)


def _centre(y: Array) -> Array:
    """A point amid the data, on the grid of powers of two above the spread of each coordinate.

    Subtracting it removes a large common offset, which matters in float32, and leaves data without
    one, and integers, exactly as they are: ties between distances survive.
    """
    low, high = y.min(axis=0), y.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    grid = np.exp2(np.ceil(np.log2(spread)))
    return np.where(high > low, np.rint(y.mean(axis=0) / grid) * grid, low)
