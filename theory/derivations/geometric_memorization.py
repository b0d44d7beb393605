"""Geometric memorization as published: the random-energy model with Gaussian energies, and where it holds."""

import sympy
from sympy import Eq, Expr, Function, Sum, Symbol, log

from .linear_direction import dim, local_divergence, log_partition, n_points, normal_average, r, variance, x, y
from .steps import Step, step

SOURCE = "arXiv 2410.08727; docs/theory.md §4.6"

t, critical, beta = sympy.symbols("t t_c beta", positive=True)
std, g = Symbol("s_i", positive=True), Symbol("g", nonnegative=True)
k = Symbol("k", integer=True)
stds = sympy.IndexedBase("s", positive=True)


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """Mean and variance of an energy, K to the second cumulant, t_c^(i)(t), its fixed point, its error."""
    energy = (x - y) ** 2 / (2 * t)
    mean = normal_average(sympy.expand(energy), {y: std**2})
    spread = sympy.factor(normal_average(sympy.expand(energy**2), {y: std**2}) - mean**2)
    fixed, along = (sympy.expand(spread).coeff(x, n) * x**n for n in (0, 2))
    everywhere = Sum(fixed.subs(std, stds[k]), (k, 1, dim))
    probe = along.subs(x, sympy.sqrt(t))
    free = -beta * Symbol("mu") + beta**2 * (g * everywhere + probe) / 2
    divergence = sympy.expand((beta * sympy.diff(free, beta) - free).subs(beta, 1))
    scaled = sympy.expand(divergence * t**2)  # published with the t of t s_i² kept
    fourth = Symbol("S_4", positive=True)  # Σ s_k⁴
    scaled = scaled.subs(Sum(stds[k] ** 4 / (2 * t**2), (k, 1, dim)), fourth / (2 * t**2))
    scaled = sympy.expand(scaled)
    steps = [
        step(
            r"Energy of a training point, one direction of standard deviation $s_i$, probe at $x$.", Symbol("E"), energy
        ),
        step("Its variance over the data.", Function("Var")(Symbol("E")), sympy.expand(spread)),
        step(
            r"Take the energies as Gaussian, with the log-partition to the second cumulant ($\mu$ the mean), at the "
            r"probe $x = \sqrt{t}\,e_i$; $g = 0$ when $|y| = 1$, whose $|y|^2$ does not fluctuate, else $g = 1$.",
            Function("phi")(beta),
            free,
        ),
        step(r"The divergence is $\beta\phi' - \phi$ at $\beta = 1$.", Function("K")(t), divergence),
    ]
    further, results = _times(scaled, fourth)
    return [*steps, *further, _error()], results


def _times(scaled: Expr, fourth: Symbol) -> tuple[list[Step], dict[str, Expr]]:
    """K = ln N with the t of t² as unknown, then at t_c = t."""
    level = Symbol("L", positive=True)  # ln N
    (published,) = sympy.solve(Eq(critical**2 * level, sympy.factor(scaled)), critical)
    published = published.subs(level, log(n_points))
    roots = sympy.solve(Eq(t**2 * level, scaled), t)
    (lost,) = [root for root in roots if root.subs({level: 1, std: 1, fourth: 1, g: 1}) > 0]
    lost = lost.subs(level, log(n_points))
    normalized = sympy.simplify(lost.subs(g, 0))
    steps = [
        step(
            r"$K = \ln N$, solved for the $t$ in front while the $t$ beside $s_i^2$ stays: the published time, with "
            r"$S_4 = \sum_k s_k^4$.",
            critical,
            published,
        ),
        step("Direction $i$ is lost where $t_c = t$:", t, lost),
        step("for normalized data, $g = 0$:", t, normalized),
    ]
    return steps, {"t_c": published, "t_lost": lost, "t_lost_normalized": normalized}


def _error() -> Step:
    """Exact K of the unnormalized law less the Gaussian one, for the direction of the probe, at small s_i²/t."""
    u = Symbol("u", positive=True)
    _, value = log_partition()
    exact = local_divergence(value).subs(x, sympy.sqrt(r)).subs(variance, u * r)
    gaussian = u**2 / 4 + u / 2
    difference = sympy.series(sympy.simplify(exact) - gaussian, u, 0, 4)
    return step(
        r"How exact: for Gaussian data without normalization $K$ is known; exact less Gaussian, in the direction of "
        r"the probe, in powers of $u = s_i^2/t$. The formula is the weak-field limit.",
        Symbol("K_exact") - Symbol("K_Gauss"),
        difference,
    )
