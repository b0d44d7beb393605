"""One direction of a linear manifold: the Gaussian integral and the averages that all linear results sum."""

from functools import cache

import sympy
from sympy import Expr, Function, Integral, Sum, Symbol, exp, factorial2, log, oo, pi, sqrt

from .steps import Step, step

r, s, variance = sympy.symbols("r s lambda", positive=True)
x, y = sympy.symbols("x y", real=True)
n_points = Symbol("N", positive=True)
dim = Symbol("d", integer=True, positive=True)
i = Symbol("i", integer=True)
variances = sympy.IndexedBase("lambda", positive=True)
phi, information, gap, divergence = (Function(name) for name in ("phi", "I", "G", "K"))


def normal_average(expression: Expr, spread: dict[Symbol, Expr]) -> Expr:
    """E of a polynomial in independent centred normal variables, E z^{2m} = (2m-1)!! (variance)^m."""
    for z, var in spread.items():
        terms = sympy.Poly(expression, z).terms()
        expression = sum((c * factorial2(n - 1) * var ** (n // 2) for (n,), c in terms if n % 2 == 0), sympy.Integer(0))
    return sympy.expand(expression)


def log_partition() -> tuple[list[Step], Expr]:
    """φ(x, r) = ln E exp(-(x-y)²/2r), y ~ N(0, λ), by integration; its steps open most derivations."""
    steps, value = _gaussian_integral()
    return list(steps), value


@cache
def _gaussian_integral() -> tuple[list[Step], Expr]:
    u = Symbol("u", positive=True)  # λ/r, in which the logarithm stays ln(1 + λ/r)
    integrand = exp(-(y**2) / (2 * variance)) / sqrt(2 * pi * variance) * exp(-((x - y) ** 2) / (2 * r))
    width, pull = Symbol("A", positive=True), Symbol("B", real=True)
    completed = sympy.integrate(exp(-width * y**2 / 2 + pull * y), (y, -oo, oo))
    partition = completed.subs({width: 1 / variance + 1 / r, pull: x / r}) * integrand.subs(y, 0)
    partition = sympy.powsimp(sympy.simplify(partition.subs(variance, u * r)))
    expanded = sympy.expand_log(log(partition), force=True)
    value = sum(sympy.factor(term.subs(u, variance / r)) if not term.has(log) else term for term in expanded.args)
    value = value.subs(u, variance / r)
    steps = [
        step(
            r"One direction of variance $\lambda$: the partition function, a Gaussian integral over the clean $y$.",
            exp(phi(x, r)),
            Integral(integrand, (y, -oo, oo)),
        ),
        step("Complete the square, integrate and take the logarithm.", phi(x, r), value),
    ]
    return steps, value


def free_energy_gap(value: Expr) -> Expr:
    """G(r, s) = E[-|x-y|²/2r - φ(x, r)] at x = y + √s ξ: E|x-y|² = s, E x² = λ + s."""
    return tidy(-s / (2 * r) - normal_average(value, {x: variance + s}))


def local_divergence(value: Expr) -> Expr:
    """K(x, r) = -φ - r ∂φ/∂r, because ∂φ/∂ln r is the mean of |x-y|²/2r under the tilted law."""
    return tidy(-value - r * sympy.diff(value, r))


def tidy(expression: Expr) -> Expr:
    """Logarithms as they stand, all else as one fraction."""
    terms = sympy.Add.make_args(sympy.expand(expression))
    logs = sum((term for term in terms if term.has(log)), sympy.Integer(0))
    return logs + sympy.factor(sum((term for term in terms if not term.has(log)), sympy.Integer(0)))


def over_directions(term: Expr) -> Sum:
    """Σ_i of a term of one direction, λ → λ_i, i = 1 … d."""
    return Sum(term.subs(variance, variances[i]), (i, 1, dim))
