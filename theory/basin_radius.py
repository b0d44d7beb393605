"""Basin radius: how far from a training point its trap still wins."""

from scipy.optimize import brentq

from ..conventions.arguments import positive_scalar
from ..conventions.law import Law


def basin_radius(law: Law, r: float, *, log_n: float) -> float:
    """ρ*(r): the point x = y^1 + √(ρ r) ξ lies in the basin of y^1 while ρ < ρ*.

    Solution of G(r, ρ r) = ln N. Linear manifold:
    ρ* = (½ Σ [ln(1+λ/r) + λ/(λ+r)] - ln N) / (½ Σ λ/(λ+r)).
    ρ*(r_c) = 1 (typical noise is at the edge of the basin: collapse) and ρ*(r_o) = 0 (onset); 0 is returned
    for r ≥ r_o, where there is no basin. Between r_c and r_o it is exact to leading order; below r_c the
    other points are frozen too and the formula, which averages them, is a lower bound.

    `r` > 0, `log_n` = ln N > 0 scalars; ValueError otherwise. Source: arXiv 2502.09578; docs/theory.md §4.1.
    """
    r = positive_scalar(r, "r")
    log_n = positive_scalar(log_n, "log_n")

    def excess(rho: float) -> float:
        return float(law.free_energy_gap(r, rho * r)) - log_n

    if excess(0.0) <= 0:
        return 0.0
    outside = 1.0
    while excess(outside) > 0:
        outside *= 2
        if outside > 2.0**200:
            raise ValueError(f"r = {r:g}: the basin is unbounded at this noise ratio")
    return float(brentq(excess, 0.0, outside, xtol=1e-300, rtol=8.9e-16, maxiter=500))
