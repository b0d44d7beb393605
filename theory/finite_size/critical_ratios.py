"""Onset, basin and generalization exactly at finite N: where averages of `averages` cross or are smallest.

The leading order is in `theory.onset`, `theory.basin_radius`, `theory.generalization`, tens of percent off at D = 20.
`log_n` = ln N > 0 and `r` > 0 are single numbers; ValueError otherwise, and for a law without closed energies.
"""

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from ...conventions.arguments import fail, positive_scalar
from ...conventions.law import Law
from ..generalization import generalization as leading_order
from ..integrals.first_crossing import first_crossing
from .averages import checked, held_out_log_partition, log_ratio


def onset(law: Law, *, log_n: float) -> float:
    """Largest r at which E ln Z_1 ≥ E ln Z_rest at the training point itself, exactly at finite N."""
    positive_scalar(checked(law, log_n, 1.0)[0], "log_n")
    return first_crossing(
        lambda r: -log_ratio(law, log_n, r, 0.0),
        0.0,
        quantity="the mean of ln Z_1/Z_rest",
        given=("log_n", log_n),
        widest_step=0.5,
    )


def basin_radius(law: Law, r: float, *, log_n: float) -> float:
    """ρ* with E ln Z_1 = E ln Z_rest at x = y^1 + √(ρ* r) ξ, exactly at finite N; 0 where there is no basin."""
    log_n, r = checked(law, log_n, r)
    positive_scalar(log_n, "log_n")

    def excess(rho: float) -> float:
        return -log_ratio(law, log_n, r, rho * r)

    if excess(0.0) <= 0:
        return 0.0
    outside = 1.0
    while excess(outside) > 0:
        outside *= 2
        if outside > 2.0**200:
            raise fail("r", r, "the basin is unbounded at this noise ratio")
    return float(brentq(excess, 0.0, outside, rtol=1e-8))


def generalization(law: Law, *, log_n: float) -> float:
    """r_g, the minimum of KL(ν ‖ p_emp,r), exactly at finite N (arXiv 2502.09578 gives the leading order).

    Where D exceeds the dimension of the data the minimum moves to smaller r.
    """
    checked(law, log_n, 1.0)

    def divergence(log_r: float) -> float:
        return 0.5 * law.ambient_dim * log_r - held_out_log_partition(law, log_n, float(np.exp(log_r)))

    guess = np.log(leading_order(law, log_n=log_n))
    found = minimize_scalar(divergence, bounds=(guess - 3, guess + 3), method="bounded", options={"xatol": 1e-6})
    if abs(found.x - guess) > 2.99:
        raise fail("log_n", log_n, f"no minimum of KL(ν ‖ p_emp) within a factor 20 of r = {np.exp(guess):g}")
    return float(np.exp(found.x))
