"""The sphere S^k of any dimension at small noise, and the breaking of its centre."""

import sympy
from sympy import Eq, Expr, Function, O, Symbol, log, pi

from .sphere_expansion import area, dimension, in_units, information_series, r, radius, watson
from .steps import Step, must_vanish, step

SOURCE = "docs/theory.md §2.1, §4.4; docs/curvature.md §1; terms beyond r/R² are derived here"
_ORDER = 3

k = Symbol("k", integer=True, positive=True)


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """Coefficients as polynomials in k, and r = R²/(k+1) at the centre."""
    steps, exponent = watson(k, _ORDER)
    further, series = information_series(k, exponent, _ORDER)
    correction = in_units(series)
    information = log(area(k) * radius**k) - k / 2 * log(2 * pi * sympy.E * r) + correction
    found = dimension(correction, k)
    must_vanish(series.coeff(r, 1) - (k**2 / sympy.Integer(2) - 3 * k / sympy.Integer(4)), "curvature correction")
    steps += [
        *further,
        step("The radius restored.", Function("I")(r), information + O(r ** (_ORDER + 1))),
        step(r"The dimension, $d(r) = -2\,dI/d\ln r$.", Function("d")(r), found + O(r ** (_ORDER + 1))),
    ]
    breaking, ratio = _centre()
    return steps + breaking, {"I": information, "d": found, "r_centre": ratio}


def _centre() -> tuple[list[Step], Expr]:
    """C at the centre from its trace: there e^{-|x-y|²/2r} is constant on the sphere and all directions are alike."""
    covariance, critical = sympy.symbols("C r_s", positive=True)
    (share,) = sympy.solve(Eq((k + 1) * covariance, radius**2), covariance)
    (ratio,) = sympy.solve(Eq(share, critical), critical)
    steps = [
        step(
            r"At the centre the posterior is uniform at every $r$, with one variance $C$ in all $k + 1$ directions; "
            r"their sum is $R^2$.",
            covariance,
            share,
        ),
        step(r"The centre ceases to be stable where $\lambda_{\max}(C) = r$.", critical, ratio),
    ]
    return steps, ratio
