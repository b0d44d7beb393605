"""The basin radius: G(r, ρ r) = ln N is linear in ρ; its two ends are collapse and onset."""

import sympy
from sympy import Eq, Expr, Symbol, log

from .linear_direction import free_energy_gap, gap, log_partition, n_points, over_directions, r, s, tidy
from .steps import Step, must_vanish, step

SOURCE = "arXiv 2502.09578; docs/theory.md §4.1"


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """ρ*(r) for any variances, and ρ*(r_c) = 1, ρ*(r_o) = 0."""
    steps, value = log_partition()
    own_gap = free_energy_gap(value)
    rho, edge = Symbol("rho", nonnegative=True), Symbol("rho_*")
    top, drop, level = sympy.symbols("A B L", positive=True)  # Σ at ρ = 0, the decrease of Σ per ρ, ln N
    line = own_gap.subs(s, rho * r)
    at_point = tidy(line.subs(rho, 0))
    slope = sympy.factor(-sympy.diff(line, rho))
    must_vanish(line - (at_point - rho * slope), "the gap is linear in ρ")
    must_vanish(own_gap.subs(s, r) - (at_point - slope), "the information is the gap at ρ = 1")
    (radius,) = sympy.solve(Eq(top - rho * drop, level), rho)
    at_collapse = sympy.simplify(radius.subs(level, top - drop))
    at_onset = sympy.simplify(radius.subs(level, top))
    radius = radius.subs({top: over_directions(at_point), drop: over_directions(slope), level: log(n_points)})
    steps += [
        step(
            r"The gap at a probe $x = y + \sqrt{\rho r}\,\xi$, per direction: linear in $\rho$.",
            gap(r, rho * r),
            at_point - rho * slope,
        ),
        step("Directions add; solve the equality with $\\ln N$ for $\\rho$.", edge, radius),
        step("At collapse $\\ln N$ is the information, the same sum at $\\rho = 1$; then", edge, at_collapse),
        step("At onset $\\ln N$ is the sum at $\\rho = 0$; then", edge, at_onset),
    ]
    return steps, {"rho": radius, "rho_at_collapse": at_collapse, "rho_at_onset": at_onset}
