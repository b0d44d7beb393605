"""Collapse of an isotropic linear manifold: I(r_c) = ln N solved for r_c, and for the time of two processes."""

import sympy
from sympy import Eq, Expr, Symbol, exp, log

from .linear_direction import dim, free_energy_gap, gap, information, log_partition, n_points, r, s
from .steps import Step, step

SOURCE = "arXiv 2402.18491, 2502.09578; docs/theory.md §2, §4"


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """From φ to I, to r_c = λ/(N^{2/d} - 1) and its Ornstein–Uhlenbeck time."""
    steps, value = log_partition()
    own_gap = free_energy_gap(value)
    per_direction = own_gap.subs(s, r)
    critical, time = Symbol("r_c", positive=True), Symbol("t", positive=True)
    condition = Eq(dim * per_direction.subs(r, critical), log(n_points))
    (ratio,) = sympy.solve(condition, critical)
    (ou_time,) = sympy.solve(Eq(exp(2 * time) - 1, critical), time)
    steps += [
        step(
            r"Average at $x = y + \sqrt{s}\,\xi$, with $E|x-y|^2 = s$ and $E x^2 = \lambda + s$: the free-energy gap.",
            gap(r, s),
            own_gap,
        ),
        step("At $s = r$ it is the information per direction.", information(r), per_direction),
        step(
            "Directions add, and the posterior condenses where their information is $\\ln N$.",
            condition.lhs,
            condition.rhs,
        ),
        step("Solve.", critical, ratio),
        step(
            "In Ornstein–Uhlenbeck time $r = e^{2t} - 1$; in the variance-exploding one the time is $r$ itself.",
            Symbol("t_c"),
            ou_time.subs(critical, ratio),
        ),
    ]
    return steps, {"r_c": ratio, "t_c": ou_time.subs(critical, ratio)}
