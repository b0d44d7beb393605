"""The sum rule: information, and so collapse, from a measured dimension curve."""

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, nonnegative, positive


class MeasuredLaw:
    """Information and dimension of a law known only through a measured curve d(r): the sum rule.

    I(r) = ½ ∫_r^∞ d(r') d ln r', by the trapezoid rule on the given ratios and the large-noise tail
    d(r) ≈ d(r_max) r_max/r beyond the last, so that `collapse(MeasuredLaw(r, d), log_n=...)` says when N
    points of real data collapse, from the curve of a larger sample (valid while ln N stays well below the
    logarithm of that sample's size).

    `r`: increasing ratios, shape (m,), m ≥ 2; `d`: dimensions ≥ 0 at them. ValueError otherwise, and for
    ratios below the first. Source: docs/theory.md §3 (sum rule).
    """

    def __init__(self, r: ArrayLike, d: ArrayLike):
        self._r = positive(r, "r")
        self._d = nonnegative(d, "d")
        if self._r.ndim != 1 or self._r.size < 2 or (self._r[1:] <= self._r[:-1]).any():
            raise ValueError(f"r of shape {self._r.shape}: must be a one-dimensional, increasing array of ≥ 2 ratios")
        if self._d.shape != self._r.shape:
            raise ValueError(f"d of shape {self._d.shape}: must have the shape of r, {self._r.shape}")

    @property
    def smallest_ratio(self) -> float:
        """The first of the given ratios, below which nothing is known."""
        return float(self._r[0])

    def dimension(self, r: ArrayLike) -> Array:
        """d(r), linear in ln r between the measured ratios."""
        ratio = self._inside(r)
        inner = np.interp(np.log(ratio), np.log(self._r), self._d)
        return np.where(ratio > self._r[-1], self._d[-1] * self._r[-1] / ratio, inner)

    def information(self, r: ArrayLike) -> Array:
        """I(r) in nats: the area under ½ d above ln r."""
        ratio = self._inside(r)
        grid = np.log(self._r)
        tail = 0.5 * self._d[-1]
        segments = 0.25 * (self._d[1:] + self._d[:-1]) * np.diff(grid)
        area = np.append(np.cumsum(segments[::-1])[::-1], 0.0) + tail
        here = np.log(np.minimum(ratio, self._r[-1]))
        index = np.minimum(np.searchsorted(grid, here, side="right"), grid.size - 1)
        to_next = 0.25 * (self.dimension(np.exp(here)) + self._d[index]) * (grid[index] - here)
        return np.where(ratio > self._r[-1], tail * self._r[-1] / ratio, area[index] + to_next)

    def _inside(self, r: ArrayLike) -> Array:
        ratio = positive(r, "r")
        if (ratio < self._r[0] * (1 - 1e-12)).any():
            raise ValueError(f"r = {ratio.min():g}: must be ≥ {self._r[0]:g}, the smallest measured ratio")
        return ratio
