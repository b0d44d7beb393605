"""Which direction is lost first at the origin of a linear law: K at the probe √r e_i as a function of λ_i."""

import sympy
from sympy import Derivative, Eq, Expr, Symbol

from .linear_direction import divergence, local_divergence, log_partition, over_directions, r, tidy, variance, x
from .steps import Step, step

SOURCE = "docs/theory.md §4.7; derived here"


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """K = common part + ½ r λ_i/(λ_i + r)²: largest at λ_i = r, by at most 1/8 nat."""
    steps, value = log_partition()
    at_probe = local_divergence(value)
    common = tidy(at_probe.subs(x, 0))
    own = sympy.factor(sympy.simplify((at_probe - common).subs(x, sympy.sqrt(r))))
    slope = sympy.factor(sympy.diff(own, variance))
    (first,) = sympy.solve(Eq(slope, 0), variance)
    curvature = sympy.factor(sympy.diff(own, variance, 2).subs(variance, first))
    if not curvature.is_negative:
        raise ArithmeticError("the stationary point is no maximum")
    most = sympy.simplify(own.subs(variance, first))
    ends = sympy.limit(own, variance, 0), sympy.limit(own, variance, sympy.oo)
    if ends != (0, 0):
        raise ArithmeticError("the spread is not the maximum alone")
    chosen = Symbol("lambda_i", positive=True)
    spread, best = Symbol("Delta"), Symbol("lambda_first", positive=True)
    steps += [
        step("Local divergence of one direction at the coordinate $x$.", divergence(x, r), at_probe),
        step(
            r"At the probe $\sqrt{r}\,e_i$ all directions give their part at $x = 0$ and direction $i$ a little more.",
            Symbol("K_i"),
            over_directions(common) + own.subs(variance, chosen),
        ),
        step(
            r"Slope of the last term in $\lambda_i$: positive below $r$, negative above.",
            Derivative(spread, chosen),
            slope.subs(variance, chosen),
        ),
        step("So the direction lost first has the variance", best, first),
        step("The term is 0 at both ends and there, in nats:", spread, most),
    ]
    return steps, {"lambda_first": first, "own_term": own, "largest_spread": most, "common_term": common}
