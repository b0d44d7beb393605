"""Symmetry breaking: three conventions from one Hessian, compared on two classes ±m."""

import sympy
from sympy import Eq, Expr, Function, O, Symbol, exp, log

from .steps import Step, step

SOURCE = "arXiv 2305.19693, 2310.17467, 2402.18491; docs/theory.md §4.4"

r, m, t, leading = sympy.symbols("r m t Lambda", positive=True)
x = Symbol("x", real=True)
covariance, signal = Symbol("C", positive=True), Symbol("a", positive=True)


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """Thresholds on C for `density` and `drift`, on Λ for `covariance`; then each for data ±m."""
    hessian, steps = _hessian()
    (density,) = sympy.solve(Eq(hessian, 0), covariance)
    # reverse drift x + 2∇ln p_t, p_t(x) ∝ p_r(x/a): one more 1/a² from the two derivatives
    drift = 1 + 2 * hessian / signal**2
    of_ratio = drift.subs(signal, 1 / sympy.sqrt(1 + r))
    (threshold,) = [sympy.factor(c) for c in sympy.solve(Eq(of_ratio, 0), covariance)]
    of_signal = sympy.expand(threshold.subs(r, (1 - signal**2) / signal**2) * signal**2)
    (time,) = sympy.solve(Eq(leading * exp(-2 * t), 1), t)
    condensed = sympy.simplify(exp(2 * time) - 1)
    steps += [
        step("Density: the Hessian vanishes.", covariance, density),
        step(
            r"Drift: $x + 2\nabla\ln p_t$ of the reverse Ornstein–Uhlenbeck process, $a^2 = 1/(1+r)$; its slope $b$",
            Symbol("b"),
            of_ratio,
        ),
        step("changes sign at", covariance, threshold),
        step("or, in the signal,", signal**2 * covariance, of_signal),
        step(r"Covariance: $\Lambda e^{-2t} = 1$, with $\Lambda$ that of the data.", t, time),
        step("As a noise ratio,", r, condensed),
    ]
    further, results = _two_points(density, threshold, condensed)
    return steps + further, {"C_density": density, "C_drift": threshold, "r_covariance": condensed, **results}


def _hessian() -> tuple[Expr, list[Step]]:
    """∂² ln p_r = (C/r - 1)/r from the cumulants of the tilted law."""
    field, fourth = Symbol("b", real=True), Symbol("C_4", real=True)
    cumulants = covariance * field**2 / 2 + fourth * field**4 / 24
    value = -(x**2) / (2 * r) + cumulants.subs(field, x / r)
    hessian = sympy.expand(sympy.diff(value, x, 2).subs(x, 0))
    steps = [
        step(
            r"Log-density along the leading direction from a symmetric point: $-x^2/2r$ and the cumulant generating "
            r"function of the clean coordinate at $x/r$, whose law has a factor $e^{-y^2/2r}$; odd cumulants vanish.",
            Function("phi")(x, r),
            value + O(x**6),
        ),
        step("Its second derivative there, with the posterior variance $C$.", Symbol("h"), hessian),
    ]
    return hessian, steps


def _two_points(density: Expr, threshold: Expr, condensed: Expr) -> tuple[list[Step], dict[str, Expr]]:
    """Data ±m: the posterior at the middle is even at every r, C = Λ = m²."""
    variance = sympy.diff(log(sympy.cosh(m * x)), x, 2).subs(x, 0)
    (by_density,) = sympy.solve(Eq(density, variance), r)
    (by_drift,) = [root for root in sympy.solve(Eq(threshold, variance), r) if root.subs(m, 1) > 0]
    by_covariance = condensed.subs(leading, variance)
    at_unit = sympy.radsimp(sympy.simplify(1 / (1 + by_drift.subs(m, 1))))
    steps = [
        step(r"Two points $\pm m$: $g = \ln\cosh(mx/r)$ up to a constant, so that in the middle", covariance, variance),
        step("Density:", r, by_density),
        step("Drift:", r, by_drift),
        step("Covariance:", r, by_covariance),
        step("For $m = 1$ the drift convention gives the published", signal**2, at_unit),
    ]
    return steps, {"r_density": by_density, "r_drift": by_drift, "r_covariance_two_points": by_covariance}
