"""Generalization of a linear manifold: freeze the energies at a fresh point, then minimise in r."""

import sympy
from sympy import Expr, Function, O, Symbol, log

from .linear_direction import (
    dim,
    divergence,
    free_energy_gap,
    local_divergence,
    log_partition,
    n_points,
    normal_average,
    over_directions,
    r,
    s,
    tidy,
    variance,
    x,
)
from .steps import Step, must_vanish, step

SOURCE = "arXiv 2502.09578; docs/theory.md §4.3; the expansion is derived here"
_ORDER = 4


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """The frozen ratio r', the nearest distance E_min, r_g = E_min/D, and r_g in powers of N^{-2/d}."""
    steps, value = log_partition()
    at_probe = local_divergence(value)
    mean = tidy(normal_average(sympy.expand(at_probe), {x: variance}))
    at_point = free_energy_gap(value).subs(s, 0)
    nearest = sympy.factor(2 * r * (at_point - mean))
    energy, ambient = Symbol("E_min", positive=True), Symbol("D", positive=True)
    cost = log(n_points) + ambient / 2 * log(2 * sympy.pi * r) + energy / (2 * r)
    (best,) = sympy.solve(sympy.diff(cost, r), r)
    steps += [
        step(
            r"The local divergence is $-\phi - \partial\phi/\partial\ln r$, per direction.",
            divergence(x, r),
            at_probe,
        ),
        step(
            r"At a fresh point, $x \sim \nu$, the others freeze where its mean is $\ln N$.",
            over_directions(mean),
            log(n_points),
        ),
        step(
            "The mean energy stays there: $E_{min} = 2r\\,(G - K)$ with the gap $G(r, 0)$, summed, at the frozen $r$.",
            energy,
            over_directions(nearest),
        ),
        step(
            "Condensed at a fresh point, $-E\\ln p$ is the cost of the nearest training point.",
            Function("C")(r),
            cost,
        ),
        step("Let its derivative in $r$ vanish.", Symbol("r_g"), best),
    ]
    further, expansion = _isotropic(mean, nearest)
    return steps + further, {"r_g": expansion, "divergence_per_direction": mean, "nearest_per_direction": nearest}


def _isotropic(mean: Expr, nearest: Expr) -> tuple[list[Step], Expr]:
    """d = D equal variances: w = r'/(λ + r') obeys w = q e^{w² - w}, q = N^{-2/d}; iterate in powers of q."""
    w, q = sympy.symbols("w q", positive=True)
    at_share = sympy.expand_log(sympy.simplify(2 * mean.subs(r, variance * w / (1 - w))), force=True)
    must_vanish(sympy.expand_log(at_share - (-log(w) - w + w**2), force=True), "share of a direction")
    ratio = sympy.factor(sympy.simplify(nearest.subs(r, variance * w / (1 - w))))
    root = q
    for n in range(2, _ORDER + 1):
        root = sympy.series(q * sympy.exp(root**2 - root), q, 0, n + 1).removeO()
    expansion = sympy.series(ratio.subs(w, root), q, 0, _ORDER + 1).removeO()
    steps = [
        step(
            r"Equal variances, $d = D$: with $w = r'/(\lambda + r')$ at the frozen $r'$, twice the mean divergence is",
            -log(w) - w + w**2,
            2 * log(n_points) / dim,
        ),
        step("and the nearest energy, per direction, is $r_g$:", Symbol("r_g"), ratio),
        step(
            "Many points: solve for $w$ by iteration in powers of $q = N^{-2/d}$ and insert.",
            Symbol("r_g"),
            expansion + O(q ** (_ORDER + 1)),
        ),
    ]
    return steps, expansion.subs(q, n_points ** (-2 / dim))
