"""The clock: r = (s_t/a_t)² of each forward process, from its equation of motion, and t(r)."""

import sympy
from sympy import Eq, Expr, Function, Symbol, log

from .steps import Step, must_vanish, step

SOURCE = "docs/theory.md §1; arXiv 2410.08727, 2502.09578, 2402.18491, 2006.11239"

t, r = sympy.symbols("t r", positive=True)
signal, power = Function("a"), Function("S")  # S = s²


def derive() -> tuple[list[Step], dict[str, Expr]]:
    """Variance exploding, Ornstein–Uhlenbeck, DDPM and rectified flow."""
    steps: list[Step] = []
    results: dict[str, Expr] = {}
    for part in (_variance_exploding, _ornstein_uhlenbeck, _ddpm, _rectified_flow):
        further, found = part()
        steps += further
        results |= found
    return steps, results


def _diffusion(drift: Expr, rate: int) -> tuple[Expr, Expr]:
    """a and s² of dx = drift·x dt + √rate dW from x_0: a' = drift·a, (s²)' = 2 drift·s² + rate."""
    mean = sympy.dsolve(Eq(signal(t).diff(t), drift * signal(t)), ics={signal(0): 1}).rhs
    noise = sympy.dsolve(Eq(power(t).diff(t), 2 * drift * power(t) + rate), ics={power(0): 0}).rhs
    return mean, sympy.expand(noise)


def _translated(
    name: str, text: str, a: Expr, s2: Expr, ratio: Expr, last: Expr = sympy.oo
) -> tuple[list[Step], dict[str, Expr]]:
    """`last`: the time at which the process ends; of the roots of r(t) = r only one lies before it."""
    times = [time for time in sympy.solve(Eq(ratio, r), t) if 0 < time.subs(r, 3) < last]
    time = sympy.simplify(times[0])
    must_vanish(ratio.subs(t, time) - r, "the inverse of the noise ratio")
    steps = [
        step(text, signal(t), a),
        step("Variance of the noise.", Symbol("s") ** 2, s2),
        step("Noise ratio.", r, ratio),
        step("Its inverse.", t, time),
    ]
    return steps, {f"noise_ratio_{name}": ratio, f"time_{name}": time}


def _variance_exploding() -> tuple[list[Step], dict[str, Expr]]:
    a, s2 = _diffusion(sympy.Integer(0), 1)
    return _translated("VE", "Variance exploding, $dx = dW$. Signal:", a, s2, s2 / a**2)


def _ornstein_uhlenbeck() -> tuple[list[Step], dict[str, Expr]]:
    a, s2 = _diffusion(sympy.Integer(-1), 2)
    ratio = sympy.expand(s2 / a**2)
    return _translated("OU", r"Ornstein–Uhlenbeck, $dx = -x\,dt + \sqrt{2}\,dW$. Signal:", a, s2, ratio)


def _ddpm() -> tuple[list[Step], dict[str, Expr]]:
    """One step x → √(1-β) x + √β ξ keeps a² + s² = 1, so the signal power ᾱ says all."""
    beta, kept, time = Symbol("beta", positive=True), Symbol("alpha", positive=True), Symbol("t_OU", positive=True)
    after = (1 - beta) * kept + (1 - beta) * (1 - kept) + beta
    must_vanish(after - 1, "signal and noise power add up to one")
    ratio = sympy.expand((1 - kept) / kept)
    (power_of_ratio,) = sympy.solve(Eq(ratio, r), kept)
    (ou_time,) = sympy.solve(Eq(sympy.exp(2 * time) - 1, ratio), time)
    ou_time = sympy.expand_log(ou_time, force=True)
    steps = [
        step(
            r"DDPM, $x \to \sqrt{1-\beta}\,x + \sqrt{\beta}\,\xi$, signal power $\alpha$ and noise power $1-\alpha$"
            r" before the step, their sum after it is",
            (1 - beta) * kept + ((1 - beta) * (1 - kept) + beta),
            sympy.expand(after),
        ),
        step("Noise ratio.", r, ratio),
        step("Its inverse, to be found in the schedule.", log(kept), sympy.expand_log(log(power_of_ratio), force=True)),
        step("The Ornstein–Uhlenbeck time of the same noise ratio.", time, ou_time),
    ]
    return steps, {"noise_ratio_DDPM": ratio, "signal_power_DDPM": power_of_ratio, "OU_time_DDPM": ou_time}


def _rectified_flow() -> tuple[list[Step], dict[str, Expr]]:
    a = 1 - t
    return _translated(
        "flow", r"Rectified flow, $x_t = (1-t)\,x_0 + t\,\xi$. Signal:", a, t**2, t**2 / a**2, last=sympy.Integer(1)
    )
