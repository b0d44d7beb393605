"""A manifold around a point, as a graph over its tangent space: φ averaged over the noise, in powers of √r."""

import itertools
import math
from collections.abc import Iterable
from typing import NamedTuple

import sympy
from sympy import QQ, Expr, Symbol
from sympy.polys.rings import PolyElement, ring

from ...conventions.arguments import fail

Series = list[PolyElement]  # coefficients of powers 0, 1, … of √r


class Graph(NamedTuple):
    """z_α = f_α(u): normal coordinates as polynomials in the tangent ones."""

    tangent: list[Symbol]
    heights: list[Expr]


def principal_graph(dim: int, largest_degree: int = 4) -> tuple[Graph, list[Symbol], list[Symbol]]:
    """Codimension one: ½Σκ_i u_i² and every monomial of degree 3 … `largest_degree`; κ_i; the other coefficients."""
    u = list(sympy.symbols(f"u_1:{dim + 1}", real=True))
    curvatures = list(sympy.symbols(f"kappa_1:{dim + 1}", real=True))
    height, others = sum((k * v**2 / 2 for k, v in zip(curvatures, u, strict=True)), sympy.Integer(0)), []
    for degree in range(3, largest_degree + 1):
        for indices in itertools.combinations_with_replacement(range(dim), degree):
            coefficient = Symbol("c_" + "".join(str(i + 1) for i in indices), real=True)
            others.append(coefficient)
            height += coefficient * sympy.prod(u[i] for i in indices) / sympy.factorial(degree)
    return Graph(u, [height]), curvatures, others


def mean_log_partition(graph: Graph, order: int) -> list[Expr]:
    """Coefficients of E φ in powers 0 … `order` of √r, without the constant: x = √r (a, b), a and b standard normal.

    With u = √r v, v = a + w, w standard normal under the flat posterior, and b off the tangent space,
    φ = const - ½|b|² + ln E_w exp(b·h - ½|h|²) √det g, h = f(√r v)/√r. Averages over w, then over a and b.
    """
    tangent, normal = len(graph.tangent), len(graph.heights)
    others = sorted(set().union(*(f.free_symbols for f in graph.heights)) - set(graph.tangent), key=str)
    names = [f"{letter}_{n}" for letter, count in (("w", tangent), ("a", tangent), ("b", normal)) for n in range(count)]
    _, *generators = ring([*map(Symbol, names), *others], QQ)
    w, a, b = generators[:tangent], generators[tangent : 2 * tangent], generators[2 * tangent : len(names)]
    v = [p + q for p, q in zip(a, w, strict=True)]
    rise = [_by_degree(f, graph.tangent, v, order, 1) for f in graph.heights]
    slopes = [[_by_degree(f.diff(u), graph.tangent, v, order, 0) for u in graph.tangent] for f in graph.heights]
    exponent = _log_volume(slopes, order)
    for noise, h in zip(b, rise, strict=True):
        squared = _product(h, h)
        exponent = [e + noise * first - second / 2 for e, first, second in zip(exponent, h, squared, strict=True)]
    growth = [_normal_average(m, range(tangent)) for m in _exponential(exponent)]
    averaged = [_normal_average(m, range(tangent, len(names))) for m in _logarithm(growth)]
    return [coefficient.as_expr() for coefficient in averaged]


def _by_degree(f: Expr, tangent: list[Symbol], v: list[PolyElement], order: int, shift: int) -> Series:
    """Terms of f(√r v)/√r^shift by their power of √r; powers beyond `order` are not needed."""
    series = [v[0].ring.zero] * (order + 1)
    for monomial, coefficient in sympy.Poly(f, *tangent).terms():
        power = sum(monomial) - shift
        if power <= order:
            factor = v[0].ring.from_expr(coefficient)
            for base, exponent in zip(v, monomial, strict=True):
                factor = factor * base**exponent
            series[power] = series[power] + factor
    return series


def _log_volume(slopes: list[list[Series]], order: int) -> Series:
    """½ ln det(1 + M) = ½ tr M - ¼ tr M² + …, M = Σ_α ∇f_α ∇f_αᵀ of order r; to r²."""
    if order > 4:
        raise fail("order", order, "must be ≤ 4")
    dim = range(len(slopes[0]))
    metric = [[_sum(_product(row[i], row[j]) for row in slopes) for j in dim] for i in dim]
    trace = _sum(metric[i][i] for i in dim)
    square = _sum(_product(metric[i][j], metric[j][i]) for i in dim for j in dim)
    return [p / 2 - q / 4 for p, q in zip(trace, square, strict=True)]


def _sum(series: Iterable[Series]) -> Series:
    return [sum(terms[1:], terms[0]) for terms in zip(*series, strict=True)]


def _product(p: Series, q: Series) -> Series:
    return [sum((p[m] * q[n - m] for m in range(1, n + 1)), p[0] * q[n]) for n in range(len(p))]


def _exponential(e: Series) -> Series:
    """Coefficients of exp(Σ_{n≥1} e_n ε^n): n X_n = Σ m e_m X_{n-m}."""
    series = [e[0].ring.one]
    for n in range(1, len(e)):
        series.append(sum((m * e[m] * series[n - m] for m in range(1, n + 1)), e[0].ring.zero) / n)
    return series


def _logarithm(x: Series) -> Series:
    """Coefficients of ln(1 + Σ_{n≥1} x_n ε^n): n L_n = n x_n - Σ_{m<n} m L_m x_{n-m}."""
    series = [x[0].ring.zero]
    for n in range(1, len(x)):
        series.append(x[n] - sum((m * series[m] * x[n - m] for m in range(1, n)), x[0].ring.zero) / n)
    return series


def _normal_average(polynomial: PolyElement, places: range) -> PolyElement:
    """E over the standard normal generators at `places`: E z^{2m} = (2m-1)!!, odd powers vanish."""
    averaged = polynomial.ring.zero
    for monomial, coefficient in polynomial.terms():
        powers = [monomial[place] for place in places]
        if all(power % 2 == 0 for power in powers):
            rest = tuple(0 if place in places else power for place, power in enumerate(monomial))
            weight = math.prod(math.prod(range(1, power, 2)) for power in powers)
            averaged = averaged + polynomial.ring.from_dict({rest: coefficient * weight})
    return averaged
