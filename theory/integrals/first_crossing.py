"""Where a curve in the noise ratio first crosses a level, coming from large noise."""

import math
from collections.abc import Callable

from scipy.optimize import brentq

from ...conventions.arguments import fail

LOG_R_MIN, LOG_R_MAX = -600.0, 600.0  # so that a variance over a noise ratio is still a float64 number


def first_crossing(
    curve: Callable[[float], float],
    level: float,
    *,
    quantity: str,
    given: tuple[str, object],
    start: float = 1.0,
    widest_step: float = 64.0,
    smallest: float = 0.0,
) -> float:
    """The largest noise ratio r at which `curve(r)`, small at large r, reaches `level`.

    The search walks in ln r from a ratio where the curve lies below the level towards smaller ones, in steps
    that double up to `widest_step` (keep it at 0.25 or so when the curve need not be monotone), and finishes
    with Brent's method to the last digits of ln r, i.e. about 1e-13 relative in r.

    `quantity` names the curve and `given` the caller's argument and its value in the ValueError raised when the
    level is never reached for e^-600 ≤ r ≤ e^600, the range in which a float can hold the answer, or above
    `smallest`, below which the curve is unknown.
    """

    def excess(log_r: float) -> float:
        return float(curve(math.exp(log_r))) - level

    floor = LOG_R_MIN if smallest <= 0 else max(LOG_R_MIN, math.log(smallest))
    above = _walk(excess, max(math.log(start), floor), +1, lambda value: value < 0, 64.0)
    if above is None:
        raise fail(*given, f"{quantity} exceeds {level:g} at every noise ratio up to e^600")
    upper, step = above, min(0.25, widest_step)
    while upper > floor:
        lower = max(upper - step, floor)
        if excess(lower) >= 0:
            return math.exp(brentq(excess, lower, upper, xtol=1e-15, rtol=8.9e-16, maxiter=200))
        upper, step = lower, min(2 * step, widest_step)
    least = "e^-600" if floor == LOG_R_MIN else f"{smallest:g}, the smallest known"
    raise fail(*given, f"{quantity} never reaches {level:g} at a noise ratio above {least}")


def _walk(
    value: Callable[[float], float],
    log_r: float,
    direction: int,
    found: Callable[[float], bool],
    widest: float,
) -> float | None:
    """Walks in ln r with doubling steps until `found`; None at the end of the range."""
    step = 0.25
    while LOG_R_MIN <= log_r <= LOG_R_MAX:
        if found(value(log_r)):
            return log_r
        log_r += direction * step
        step = min(2 * step, widest)
    return None
