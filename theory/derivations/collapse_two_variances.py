"""Collapse of a linear manifold with two variances: a quadratic for equal multiplicities, two expansions otherwise."""

import sympy
from sympy import Eq, Expr, O, Symbol, log

from .linear_direction import dim, free_energy_gap, information, log_partition, n_points, r, s, variance
from .steps import Step, must_vanish, step

SOURCE = "docs/theory.md §4.1; the expansions are derived here"

first, second = sympy.symbols("lambda_1 lambda_2", positive=True)
first_dim, second_dim = sympy.symbols("d_1 d_2", positive=True)
critical = Symbol("r_c", positive=True)


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """The implicit equation, its closed solution for d_1 = d_2, and its solution at many points and far variances."""
    steps, value = log_partition()
    per_direction = free_energy_gap(value).subs(s, r)
    total = first_dim * per_direction.subs(variance, first) + second_dim * per_direction.subs(variance, second)
    steps += [
        step(r"Directions add: $d_1$ of variance $\lambda_1$, $d_2$ of variance $\lambda_2$.", information(r), total),
        step("Collapse is the root of this equation in $r_c$.", total.subs(r, critical), log(n_points)),
    ]
    results: dict[str, Expr] = {}
    for part in (_equal_multiplicities, _many_points, _far_variances):
        further, found = part(total)
        steps += further
        results |= found
    return steps, results


def _equal_multiplicities(total: Expr) -> tuple[list[Step], dict[str, Expr]]:
    """exp(2I/d) = N^{2/d} is quadratic in r."""
    power = Symbol("M", positive=True)
    product = sympy.expand_log(total.subs({first_dim: dim, second_dim: dim}) * 2 / dim, force=True)
    quadratic = sympy.expand(sympy.numer(sympy.together(sympy.simplify(sympy.exp(product)) - power)))
    roots = sympy.solve(Eq(quadratic, 0), r)
    probe = {first: 2, second: 1, power: 3}
    (root,) = [candidate for candidate in roots if candidate.subs(probe) > 0]
    root = sympy.simplify(root.subs(power, n_points ** (2 / dim)))
    steps = [
        step(
            "Equal multiplicities $d$: twice the equation over $d$, exponentiated, is quadratic; $M = N^{2/d}$.",
            sympy.collect(quadratic, r),
            sympy.Integer(0),
        ),
        step("Its positive root, as $M > 1$:", critical, root),
    ]
    return steps, {"r_c_equal_multiplicities": root}


def _many_points(total: Expr) -> tuple[list[Step], dict[str, Expr]]:
    """ln N large, r_c below both variances: expand I, then correct the leading root order by order."""
    small = sympy.expand_log(total, force=True)
    smooth = sympy.series(small + (first_dim + second_dim) / 2 * log(r), r, 0, 3).removeO()
    leading, a, b = Symbol("r_0", positive=True), Symbol("a"), Symbol("b")
    # ln r_c = ln r_0 + a r_0 + b r_0²: the exponent is easier to find than the factor
    exponent = a * leading + b * leading**2
    at_root = (
        smooth.subs(r, leading * sympy.exp(exponent)) - smooth.subs(r, 0) - (first_dim + second_dim) / 2 * exponent
    )
    orders = sympy.series(at_root, leading, 0, 3).removeO()
    coefficients = sympy.solve([orders.coeff(leading, 1), orders.coeff(leading, 2)], [a, b], dict=True)[0]
    factor = sympy.series(sympy.exp(exponent), leading, 0, 3).removeO().subs(coefficients)
    expansion = sum(sympy.factor(factor.coeff(leading, n)) * leading ** (n + 1) for n in range(3))
    weight = (first_dim + second_dim) / 2
    first_root = sympy.exp(
        first_dim / (2 * weight) * log(first) + second_dim / (2 * weight) * log(second) - log(n_points) / weight
    )
    must_vanish(
        sympy.expand_log(smooth.subs(r, 0) - weight * log(first_root) - log(n_points), force=True), "leading root"
    )
    first_root = sympy.powsimp(sympy.simplify(first_root))
    steps = [
        step(
            r"Many points, $r_c$ below both variances: expand the information at small $r$.",
            information(r),
            smooth - weight * log(r) + O(r**3),
        ),
        step("Leading order: the geometric mean of the variances over $N^{2/(d_1+d_2)}$.", leading, first_root),
        step(
            "Insert $r_c = r_0\\exp(a r_0 + b r_0^2)$ and let the coefficients of $r_0$ and $r_0^2$ vanish.",
            critical,
            expansion + O(leading**4),
        ),
    ]
    return steps, {"r_c_many_points": expansion.subs(leading, first_root)}


def _far_variances(total: Expr) -> tuple[list[Step], dict[str, Expr]]:
    """λ_2 far below r_c: differentiate the implicit equation twice in λ_2."""
    root = sympy.Function("r_c")(second)
    slope, bend = sympy.symbols("r' r''")
    along = total.subs(r, root)
    replace = {root.diff(second, 2): bend, root.diff(second): slope, root: critical}
    once = along.diff(second)
    first_slope = sympy.solve(once.subs(replace).subs(second, 0), slope)[0]
    twice = once.diff(second).subs(replace).subs(second, 0).subs(slope, first_slope)
    first_bend = sympy.factor(sympy.solve(twice, bend)[0])
    (alone,) = sympy.solve(Eq(total.subs(second, 0), log(n_points)), r)
    base = Symbol("r_1", positive=True)
    at_base = [sympy.factor(c.subs(critical, base)) for c in (first_slope, first_bend)]
    expansion = base + at_base[0] * second + at_base[1] * second**2 / 2
    steps = [
        step(r"Far variances, $\lambda_2$ far below $r_c$: without $\lambda_2$ collapse is at", base, alone),
        step(
            r"Differentiate the equation twice in $\lambda_2$ at $\lambda_2 = 0$, solve for those of $r_c$.",
            critical,
            expansion + O(second**3),
        ),
    ]
    return steps, {"r_c_far_variances": expansion.subs(base, alone)}
