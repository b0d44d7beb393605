"""A smooth, decreasing curve in ln r as a Chebyshev series: evaluated once, then inverted for any number of levels."""

from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct

from ...conventions.arguments import Array, fail, numbers
from .first_crossing import LOG_R_MAX, LOG_R_MIN

Curve = Callable[[Array], Array]
_FEWEST, _MOST = 16, 512  # degrees tried: 16, 32, …; each doubling keeps the values already computed


class SmoothCurve:
    """Interpolates a curve f(r), analytic in ln r, on e^low ≤ r ≤ e^high, with its slope df/d ln r.

    The degree doubles until the last eighth of the coefficients falls below `tolerance` times the largest, or
    at degree 512; `error` is what is left (the size of the last coefficients, in the units of f). Curves
    made of a Sobol sum with fixed nodes are smooth too, and are followed to the same accuracy.
    """

    def __init__(self, curve: Curve, low: float, high: float, *, tolerance: float = 1e-12):
        if not low < high:
            raise fail("low", low, f"must be < high = {high}")
        self.low, self.high = low, high
        degree, values = _FEWEST, self._values(curve, np.arange(_FEWEST + 1), _FEWEST)
        while True:
            coefficients = dct(values, type=1) / degree
            coefficients[[0, -1]] /= 2
            self.error = float(np.abs(coefficients[-degree // 8 :]).max())
            if self.error <= tolerance * np.abs(coefficients).max() or degree == _MOST:
                break
            finer = np.empty(2 * degree + 1)
            finer[::2], finer[1::2] = values, self._values(curve, np.arange(1, 2 * degree, 2), 2 * degree)
            degree, values = 2 * degree, finer
        self._coefficients = coefficients

    def _values(self, curve: Curve, index: NDArray[np.int64], degree: int) -> Array:
        log_r = self.low + (self.high - self.low) * np.cos(np.pi * index / (2 * degree)) ** 2
        return np.asarray(curve(np.exp(log_r)), dtype=np.float64)

    def _abscissa(self, log_r: Array) -> Array:
        return (2 * log_r - self.low - self.high) / (self.high - self.low)

    def _slopes(self) -> Array:
        return np.asarray(chebyshev.chebder(self._coefficients) * 2 / (self.high - self.low), dtype=np.float64)

    def __call__(self, r: Array) -> Array:
        """f at ratios `r` within the range."""
        return np.asarray(chebyshev.chebval(self._abscissa(np.log(r)), self._coefficients), dtype=np.float64)

    def slope(self, r: Array) -> Array:
        """df/d ln r at ratios `r` within the range."""
        return np.asarray(chebyshev.chebval(self._abscissa(np.log(r)), self._slopes()), dtype=np.float64)

    def plus_slope(self) -> "SmoothCurve":
        """The curve f + df/d ln r on the same range."""
        total = object.__new__(SmoothCurve)
        total.low, total.high, total.error = self.low, self.high, self.error * self._coefficients.size**2
        total._coefficients = np.asarray(chebyshev.chebadd(self._coefficients, self._slopes()), dtype=np.float64)
        return total

    def ratio_at(self, levels: Array, *, argument: str = "log_n") -> Array:
        """The largest r at which f reaches each of `levels`, same shape, by Newton steps kept in their bracket.

        ValueError, in the name of `argument`, for levels that f does not reach between the two ends of its range.
        """
        wanted = numbers(levels, argument)
        grid = np.linspace(self.high, self.low, 4 * self._coefficients.size)
        reached = np.maximum.accumulate(chebyshev.chebval(self._abscissa(grid), self._coefficients))
        if wanted.size and (wanted.min() < reached[0] or wanted.max() > reached[-1]):
            outside = wanted.min() if wanted.min() < reached[0] else wanted.max()
            raise fail(
                argument, float(outside), f"must lie between {reached[0]:g} and {reached[-1]:g}, the curve's ends"
            )
        cell = np.clip(np.searchsorted(reached, wanted), 1, grid.size - 1)
        upper, lower = grid[cell - 1], grid[cell]
        log_r, slopes = 0.5 * (upper + lower), self._slopes()
        for _ in range(30):
            x = self._abscissa(log_r)
            excess = chebyshev.chebval(x, self._coefficients) - wanted
            lower, upper = np.where(excess >= 0, log_r, lower), np.where(excess < 0, log_r, upper)
            slope = np.minimum(chebyshev.chebval(x, slopes), -1e-300)
            newton = log_r - excess / slope
            inside = (newton >= lower) & (newton <= upper)
            step = np.where(inside, newton, 0.5 * (lower + upper)) - log_r
            log_r = log_r + step
            if np.all(np.abs(step) < 1e-13 * np.maximum(1.0, np.abs(log_r))):
                break
        return np.exp(log_r)


def covering(
    curve: Curve,
    lowest: float,
    highest: float,
    quantity: str,
    *,
    lower: Curve | None = None,
    include: ArrayLike = (),
    tolerance: float = 1e-12,
) -> SmoothCurve:
    """The curve on a range of r on which it falls from above `highest` to below `lowest`, at most e^½ too long at each
    end; also `lower`, a curve below it, exceeds `highest` within; and the values `include` of ln r lie within.

    ValueError, in the name of log_n, where no float holds that range; `quantity` names the curve.
    """

    def value(function: Curve, log_r: float) -> float:
        return float(function(np.exp(np.array([log_r])))[0])

    high = _outer_end(lambda log_r: value(curve, log_r) < lowest, +1)
    low = _outer_end(lambda log_r: value(lower or curve, log_r) > highest, -1)
    if high is None or low is None:
        level = float(lowest if high is None else highest)
        raise fail("log_n", level, f"{quantity} does not pass {level:g} at a noise ratio between e^-600 and e^600")
    wanted = np.asarray(include, dtype=np.float64)
    return SmoothCurve(curve, min([low, *wanted]), max([high, *wanted]), tolerance=tolerance)


def _outer_end(beyond: Callable[[float], bool], direction: int) -> float | None:
    """A ln r that is `beyond`, within ½ of one that is not; None where the range of floats ends first."""
    inner, step = 0.0, 1.0
    if beyond(inner):  # the end lies on the other side of r = 1
        outer, inner = inner, -direction * step
        while beyond(inner):
            outer, step = inner, min(2 * step, 64.0)
            inner -= direction * step
            if not LOG_R_MIN <= inner <= LOG_R_MAX:
                return outer
    else:
        outer = direction * step
        while not beyond(outer):
            inner, step = outer, min(2 * step, 64.0)
            outer += direction * step
            if not LOG_R_MIN <= outer <= LOG_R_MAX:
                return None
    while abs(outer - inner) > 0.5:
        middle = 0.5 * (inner + outer)
        inner, outer = (inner, middle) if beyond(middle) else (middle, outer)
    return outer
