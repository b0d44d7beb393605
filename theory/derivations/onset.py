"""Onset of traps: G(r_o, 0) = ln N, and its closed solution for equal variances by the Lambert function."""

import sympy
from sympy import Eq, Expr, LambertW, Symbol, log

from .linear_direction import dim, free_energy_gap, gap, log_partition, n_points, over_directions, r, s, variance
from .steps import Step, must_vanish, step

SOURCE = "arXiv 2502.09578; docs/theory.md §4.1; the closed form is derived here"


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """From φ to G(r, 0), and r_o = λ w/(1 - w), w = W_0(e N^{-2/d})."""
    steps, value = log_partition()
    at_point = free_energy_gap(value).subs(s, 0)
    w, level, opened = Symbol("w", positive=True), Symbol("L", positive=True), Symbol("r_o", positive=True)
    # w = r/(λ + r), the unresolved share of a direction
    share = sympy.expand_log(sympy.simplify(2 * at_point.subs(r, variance * w / (1 - w))), force=True)
    must_vanish(sympy.expand_log(share - (1 - w - log(w)), force=True), "share of a direction")
    (root,) = sympy.solve(Eq(1 - w - log(w), level), w)
    root = root.subs(level, 2 * log(n_points) / dim)
    root = root.replace(LambertW, lambda argument: LambertW(sympy.powsimp(sympy.expand(argument))))
    ratio = variance * root / (1 - root)
    steps += [
        step(
            r"At the training point itself, $s = 0$: the average over $x = y$ needs $E x^2 = \lambda$.",
            gap(r, 0),
            at_point,
        ),
        step("Directions add, and traps open where the gap is $\\ln N$.", over_directions(at_point), log(n_points)),
        step(
            r"Equal variances: with $w = r_o/(\lambda + r_o)$, twice the gap of one direction is the level $2\ln N/d$.",
            1 - w - log(w),
            2 * log(n_points) / dim,
        ),
        step(
            "That is $w e^w = e N^{-2/d}$. Its argument is positive, where the Lambert function has the principal "
            "branch only, and below $e$, so that $0 < w < 1$.",
            w,
            root,
        ),
        step("Back to the noise ratio.", opened, ratio),
    ]
    return steps, {"r_o": ratio, "gap_per_direction": at_point}
