"""I-MMSE on a linear law: the slope of the information is half the dimension at that scale."""

import sympy
from sympy import Derivative, Expr, Function

from .linear_direction import free_energy_gap, information, log_partition, over_directions, phi, r, s, x
from .steps import Step, must_vanish, step

SOURCE = "Guo, Shamai, Verdú (cs/0412108); docs/theory.md §2"


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """I and the posterior covariance C independently from φ; then -2 dI/d ln r = C/r."""
    steps, value = log_partition()
    per_direction = free_energy_gap(value).subs(s, r)
    covariance = sympy.factor(r + r**2 * sympy.diff(value, x, 2))
    dimension = sympy.factor(covariance / r)
    slope = sympy.factor(r * sympy.diff(per_direction, r))
    must_vanish(slope + dimension / 2, "I-MMSE")
    steps += [
        step(
            r"Posterior covariance from the Jacobian of the score, $\partial^2\phi = -(1 - C/r)/r$; no $x$ is left.",
            r + r**2 * Derivative(phi(x, r), (x, 2)),
            covariance,
        ),
        step("Dimension at scale $r$, the mean square error over $r$, per direction.", Function("d")(r), dimension),
        step("Information per direction, the gap at $s = r$.", information(r), per_direction),
        step("Its slope in $\\ln r$ is minus half that dimension.", r * Derivative(information(r), r), slope),
        step("Directions add.", r * Derivative(information(r), r), -over_directions(dimension) / 2),
    ]
    return steps, {"dimension": over_directions(dimension), "information": over_directions(per_direction)}
