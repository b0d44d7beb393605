"""Two Gaussians ±m: when the middle becomes a saddle, and where clones that separate there end."""

import math

import sympy
from scipy.integrate import quad
from sympy import Eq, Expr, Function, Integral, O, Symbol, exp, log, oo, pi, sqrt, tanh

from .linear_direction import normal_average
from .steps import Step, must_vanish, step

SOURCE = "arXiv 2402.18491; docs/theory.md §4.5"
_ORDER = 5

m, v, r, q = sympy.symbols("m v r q", positive=True)
x, z = sympy.symbols("x z", real=True)


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """r = m² - v, its time, and the clone probability φ(q) with φ(1) at that point."""

    def density(centre: Expr) -> Expr:
        return exp(-((x - centre) ** 2) / (2 * (v + r))) / sqrt(2 * pi * (v + r))

    mixture = (density(m) + density(-m)) / 2
    hessian = sympy.factor(sympy.simplify(sympy.diff(-log(mixture), x, 2).subs(x, 0)))
    (critical,) = sympy.solve(Eq(hessian, 0), r)
    time = sympy.log(1 + critical) / 2
    half_ratio = sympy.simplify(sympy.expand_log(log(density(m) / density(-m)), force=True) / 2)
    split, point, p = Function("phi"), Symbol("r_s"), Symbol("P_+", positive=True)
    steps = [
        step(r"Noisy density on the axis of the centres $\pm m$, variance $v + r$.", Function("p")(x, r), mixture),
        step(r"Hessian of $-\ln p$ in the middle.", Function("h")(r), hessian),
        step("It vanishes at", point, critical),
        step(
            "In Ornstein–Uhlenbeck time; at unit variance this is half the logarithm of the squared separation.",
            Symbol("t_S"),
            time,
        ),
        step(r"Clones at $x$ are of class $+$ with half log-odds", log(p / (1 - p)) / 2, half_ratio),
    ]
    further, results = _clones(split)
    return steps + further, {"r_s": critical, "t_S": time, **results}


def _clones(split: Function) -> tuple[list[Step], dict[str, Expr]]:
    """E Σ_k P(k|x)² with signal q = m²/(v + r): the half log-odds in class + is q + √q z."""
    odds = Symbol("h", real=True)
    plus = 1 / (1 + exp(-2 * odds))
    both = (1 + tanh(odds) ** 2) / 2
    must_vanish((plus**2 + (1 - plus) ** 2 - both).rewrite(exp), "squared posteriors")
    weight = exp(-(z**2) / 2) / sqrt(2 * pi)
    integral = Integral(weight * both.subs(odds, q + sqrt(q) * z), (z, -oo, oo))
    root = Symbol("w", positive=True)  # √q
    squares = sympy.series(both, odds, 0, 2 * _ORDER + 2).removeO().subs(odds, root**2 + root * z)
    averaged = sympy.Poly(normal_average(sympy.expand(squares), {z: sympy.Integer(1)}), root)
    series = sum(averaged.coeff_monomial(root ** (2 * n)) * q**n for n in range(_ORDER + 1))
    at_split = sympy.Float(quad(sympy.lambdify(z, integral.function.subs(q, 1)), -math.inf, math.inf, epsabs=1e-13)[0])
    steps = [
        step(
            r"Two clones of $x$ end in the same class with probability $\sum_k P_k^2$; average over $x$, where the "
            r"half log-odds are $q + \sqrt{q}\,z$ with $z$ standard normal and $q = m^2/(v + r)$.",
            split(q),
            integral,
        ),
        step("Large noise, small $q$: expand and average.", split(q), series + O(q ** (_ORDER + 1))),
        step("At $r_s$ the signal is $q = 1$, whatever $m$, $v$ and the dimension:", split(1), at_split),
    ]
    return steps, {
        "clone_probability": integral,
        "clone_probability_large_noise": series,
        "clone_probability_at_r_s": at_split,
    }
