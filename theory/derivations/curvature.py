"""Curvature: the first correction to I for an embedded manifold, and the second for a plane curve."""

import sympy
from sympy import Expr, Function, O, Rational, Symbol, log, pi

from .local_graph import Graph, mean_log_partition, principal_graph
from .steps import Step, must_vanish, step

SOURCE = "docs/theory.md §2.1; docs/curvature.md §2; derived here"

r, trace2, norm2 = Symbol("r", positive=True), Symbol("|H|^2", nonnegative=True), Symbol("|II|^2", nonnegative=True)
coefficient = Symbol("c")


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """Local graph, Gaussian averages: principal curvatures in 1, 2, 3 dimensions, then any codimension."""
    steps, results = _principal_curvatures()
    invariant, further = _invariants(results)
    steps += further
    steps.append(_two_codimensions(invariant))
    more, second = _plane_curve()
    return steps + more, {"c": invariant, **results, **second}


def _principal_curvatures() -> tuple[list[Step], dict[str, Expr]]:
    """E φ to order r with every cubic and quartic term of the graph: none survives."""
    dim, volume = Symbol("d", positive=True), Symbol("V", positive=True)
    flat = log(volume) - dim / 2 * log(2 * pi * sympy.E * r)
    steps = [
        step(
            r"Uniform law on a $d$-manifold of volume $V$. At a point, the graph $z = \frac{1}{2}\sum\kappa_iu_i^2$ "
            r"plus all cubic, quartic terms over the tangent space, with its volume element; $x = \sqrt{r}\,(a, b)$, "
            r"$u = \sqrt{r}\,(a + w)$ with $a$, $b$, $w$ standard normal. To be found: $c$, averaged over it, in",
            Function("I")(r),
            flat + coefficient * r + O(r**2),
        )
    ]
    results = {}
    for d in (1, 2, 3):
        graph, _, others = principal_graph(d)
        _, first, second, third = mean_log_partition(graph, 3)
        value = sympy.expand(-second)
        if first != 0 or third != 0 or value.has(*others):
            raise ArithmeticError("the cubic and quartic terms of the graph, or odd powers of √r, do not average out")
        results[f"c_{d}"] = value
        plural = "" if d == 1 else "s"
        steps.append(
            step(
                f"Codimension one, {d} principal curvature{plural}: average $-\\phi$ over $w$, then over $a$ and $b$. "
                "Cubic and quartic coefficients have dropped out, point by point.",
                coefficient,
                value,
            )
        )
    return steps, results


def _invariants(results: dict[str, Expr]) -> tuple[Expr, list[Step]]:
    """A quadratic form symmetric in the κ_i is a combination of (Σκ)² and Σκ²."""
    p, q = sympy.symbols("p q")
    k = sympy.symbols("kappa_1:4", real=True)

    def form(d: int) -> Expr:
        return p * sum(k[:d]) ** 2 + q * sum(c**2 for c in k[:d])

    solution = sympy.solve(sympy.Poly(form(2) - results["c_2"], *k[:2]).coeffs(), [p, q], dict=True)[0]
    for d in (1, 3):
        must_vanish(form(d).subs(solution) - results[f"c_{d}"], f"the same invariants in {d} dimensions")
    invariant = solution[p] * trace2 + solution[q] * norm2
    text = (
        r"A quadratic form symmetric in the $\kappa_i$ is a combination of $|H|^2 = (\sum\kappa_i)^2$ and "
        r"$|II|^2 = \sum\kappa_i^2$; two dimensions fix it, one and three agree."
    )
    return invariant, [step(text, coefficient, invariant)]


def _two_codimensions(invariant: Expr) -> Step:
    """A surface in four dimensions with two second fundamental forms that do not commute."""
    u = list(sympy.symbols("u_1:3", real=True))
    forms = []
    for name in "hk":
        p, q, s = sympy.symbols(f"{name}_11 {name}_12 {name}_22", real=True)
        forms.append(sympy.Matrix([[p, q], [q, s]]))
    vector = sympy.Matrix(u)
    graph = Graph(u, [(vector.T * form * vector)[0] / 2 for form in forms])
    value = -mean_log_partition(graph, 2)[2]
    squares = {
        trace2: sum(form.trace() ** 2 for form in forms),
        norm2: sum((form * form).trace() for form in forms),
    }
    must_vanish(value - invariant.subs(squares), "two codimensions")
    return step(
        "Several normals: they do not mix at this order, which is even in each component of $b$. A surface with two "
        "arbitrary second fundamental forms $h$, $k$, computed in full, gives the sum of that expression over normals.",
        coefficient,
        sympy.expand(value),
    )


def _plane_curve() -> tuple[list[Step], dict[str, Expr]]:
    """Order r² for a plane curve, where quartic terms do enter, up to a total derivative."""
    graph, (kappa,), (cubic, quartic, fifth) = principal_graph(1, 5)
    third, fourth = mean_log_partition(graph, 4)[3:]
    must_vanish(third, "odd powers of √r")
    slope, bend = sympy.symbols("kappa_s kappa_ss", real=True)
    u = graph.tangent[0]
    f = graph.heights[0]
    # derivatives of the curvature in arc length at the point: d/ds = (1 + f'²)^{-1/2} d/du
    along = f.diff(u, 2) / (1 + f.diff(u) ** 2) ** Rational(3, 2)
    at_point = []
    for _ in range(2):
        along = along.diff(u) / sympy.sqrt(1 + f.diff(u) ** 2)
        at_point.append(sympy.expand(along.subs(u, 0)))
    back = sympy.solve([at_point[0] - slope, at_point[1] - bend], [cubic, quartic], dict=True)[0]
    local = sympy.expand(-fourth.subs(back))
    if local.has(fifth):
        raise ArithmeticError("the quintic coefficient does not average out")
    averaged = local.subs(bend, 0) - local.coeff(bend, 1) / kappa * slope**2  # ∮ κκ'' = -∮ κ'²
    averaged = sympy.expand(averaged)
    steps = [
        step(
            "One order further, for a plane curve. At $r^2$ the quartic term does enter; in terms of the curvature "
            r"and its derivatives $\kappa_s$, $\kappa_{ss}$ in arc length, the coefficient at a point is",
            Symbol("c_r2"),
            local,
        ),
        step(
            r"A closed curve: integrate by parts, $\oint\kappa\kappa_{ss} = -\oint\kappa_s^2$.",
            Symbol("c_r2"),
            averaged,
        ),
    ]
    return steps, {"c_r2_plane_curve": averaged.subs(kappa, Symbol("kappa", real=True))}
