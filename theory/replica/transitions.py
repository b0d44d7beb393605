"""First-order transitions of a hidden manifold: where two states coexist, their spinodals, where they exchange."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from ...conventions.arguments import positive_scalar
from .equilibrium import ReplicaTheory
from .output_channel import Orders

_COARSE = Orders(field=6, output=8, inner=20, step=0.8)
_STEP = 0.5  # in ln q̂, between points of the curve r(q)
_LOWEST, _HIGHEST = -7.0, 24.0  # ln q̂ of the curve: overlaps from 1e-3 to 1 - 4e-11
_LEAST = 1e-2  # rise of ln r(q) that is taken for a transition


@dataclass(frozen=True)
class Transition:
    """Two minima of the potential coexist for `spinodals[0]` < r < `spinodals[1]`; between these they change places at
    the ratio `exchange`.

    `exchange` is None when they do not become equal above the smallest r asked for: one state is metastable throughout.
    """

    spinodals: tuple[float, float]
    exchange: float | None


def transition(theory: ReplicaTheory, *, smallest: float = 1e-6, largest: float = 1e3) -> Transition | None:
    """The widest first-order transition in the noise ratio between `smallest` and `largest`; None if there is none.

    S(q, r) falls with r, so that every overlap is a fixed point at exactly one ratio r(q), α S(q, r) = q/(1-q). Its
    local extrema are the spinodals. A spinodal below `smallest` is reported as `smallest`. Relative accuracy of the
    spinodals about 1e-4. For even f the uninformed state q = 0 ends at `r(q → 0)`, which is a spinodal where the curve
    first rises. Derived, docs/hidden_manifold.md §2.
    """
    bounds = math.log(positive_scalar(smallest, "smallest")), math.log(positive_scalar(largest, "largest"))
    coarse = ReplicaTheory(theory.activation, theory.alpha, _COARSE)
    fields = np.arange(_LOWEST, _HIGHEST, _STEP)
    curve = np.array([_log_noise(coarse, float(value), bounds) for value in fields])
    rise = curve - np.minimum.accumulate(curve)
    top = int(np.argmax(rise))
    if rise[top] < _LEAST:
        return None
    bottom = int(np.argmin(curve[: top + 1]))
    low = curve[bottom]
    if bottom > 0 and low > bounds[0]:
        low = _extremum(coarse, fields[bottom], +1, bounds)
    high = curve[top] if top == fields.size - 1 else _extremum(coarse, fields[top], -1, bounds)
    return Transition((math.exp(low), math.exp(high)), _exchange(coarse, low, high))


def _log_noise(theory: ReplicaTheory, log_field: float, bounds: tuple[float, float]) -> float:
    """ln r(q) at q̂ = e^log_field, cut to the bounds."""

    def excess(log_r: float) -> float:
        return theory.log_drive(log_field, math.exp(log_r)) - log_field

    if excess(bounds[0]) <= 0:
        return bounds[0]
    if excess(bounds[1]) >= 0:
        return bounds[1]
    return float(brentq(excess, *bounds, xtol=1e-6))


def _extremum(theory: ReplicaTheory, log_field: float, sign: int, bounds: tuple[float, float]) -> float:
    """The minimum (sign +1) or maximum (-1) of ln r(q) near a point of the curve."""
    around = (log_field - _STEP, log_field + _STEP)
    found = minimize_scalar(
        lambda value: sign * _log_noise(theory, value, bounds), bounds=around, options={"xatol": 1e-3}
    )
    return sign * float(found.fun)


def _exchange(theory: ReplicaTheory, low: float, high: float) -> float | None:
    """The ratio between the spinodals at which the outer minima have the same potential."""

    def advantage(log_r: float) -> float:
        stable = [state for state in theory.states(math.exp(log_r)) if state.stable]
        return stable[0].potential - stable[-1].potential

    inset = 0.02 * (high - low)
    a, b = low + inset, high - inset
    if advantage(a) * advantage(b) >= 0:
        return None
    return math.exp(brentq(advantage, a, b, xtol=1e-4))
