"""The circle at small noise: φ, I and d(r) in powers of r/R², to the fifth."""

import sympy
from sympy import Expr, Function, O, Symbol, log, pi

from .sphere_expansion import dimension, in_units, information_series, r, radius, watson, z
from .steps import Step, step

SOURCE = "docs/theory.md §2; terms beyond r/R² are derived here"
_ORDER = 5


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """Bessel asymptotics of e^{-κ} I_0(κ), then averages over the noise, k = 1."""
    k = sympy.Integer(1)
    steps, exponent = watson(k, _ORDER)
    further, series = information_series(k, exponent, _ORDER)
    norm = Symbol("x", positive=True)  # |x|
    phi = (
        -((norm - radius) ** 2) / (2 * r)
        - log(2 * pi * radius)
        + log(2 * pi * r * radius / norm) / 2
        + exponent.subs(z, r / (radius * norm))
    )
    correction = in_units(series)
    information = log(2 * pi * radius) - log(2 * pi * sympy.E * r) / 2 + correction
    found = dimension(correction, k)
    steps += [
        step(
            r"So at distance $|x| = \rho R$ from the centre, $\kappa = \rho R^2/r$, with the radius restored:",
            Function("phi")(norm, r),
            phi + O(r ** (_ORDER + 1)),
        ),
        *further,
        step("The radius restored.", Function("I")(r), information + O(r ** (_ORDER + 1))),
        step(r"The dimension, $d(r) = -2\,dI/d\ln r$.", Function("d")(r), found + O(r ** (_ORDER + 1))),
    ]
    return steps, {"I": information, "d": found, "phi": phi}
