"""Small noise on the unit sphere S^k: Watson's lemma for φ, the heat operator for averages over the noise."""

import sympy
from sympy import Expr, Function, Integral, O, Symbol, exp, gamma, log, pi

from .steps import Step, must_vanish, step

r, radius = sympy.symbols("r R", positive=True)
distance = Symbol("rho", positive=True)  # |x|/R
kappa, tau, z = sympy.symbols("kappa tau z", positive=True)
volume = Function("V")  # V(k), the area of the unit sphere S^k, as a name


def area(k: Expr) -> Expr:
    """Surface measure of the unit sphere S^k, 2π^{(k+1)/2}/Γ((k+1)/2)."""
    return 2 * pi ** ((k + 1) / 2) / gamma((k + 1) / 2)


def watson(k: Expr, order: int) -> tuple[list[Step], Expr]:
    """b(z) of e^{-κ} E e^{κ cos θ} = (2π/κ)^{k/2}/V · e^{b(1/κ)}, to z^order; steps."""
    smooth = sympy.series((1 - tau / 2) ** (k / 2 - 1), tau, 0, order + 1).removeO()
    terms = [smooth.coeff(tau, j) for j in range(order + 1)]
    powers = [sympy.integrate(exp(-kappa * tau) * tau ** (k / 2 - 1 + j), (tau, 0, sympy.oo)) for j in range(order + 1)]
    ratios = [sympy.gammasimp(sympy.powsimp(power / powers[0] * kappa**j)) for j, power in enumerate(powers)]
    total = sum(sympy.factor(term * ratio) * z**j for j, (term, ratio) in enumerate(zip(terms, ratios, strict=True)))
    leading = area(k - 1) / area(k) * 2 ** (k / 2 - 1) * powers[0]
    must_vanish(sympy.gammasimp(leading * area(k) / (2 * pi / kappa) ** (k / 2)) - 1, "leading order of Watson's lemma")
    exponent = sympy.series(log(total), z, 0, order + 1).removeO()
    exponent = sum(sympy.factor(exponent.coeff(z, j)) * z**j for j in range(1, order + 1))
    average = Function("A")(kappa)
    steps = [
        step(
            r"The sphere $S^k$ ($k = 1$: the circle), $R = 1$, area $V(k)$. The average of "
            r"$e^{-\kappa(1-\cos\theta)}$ with $\tau = 1 - \cos\theta$:",
            average,
            volume(k - 1) / volume(k) * Integral(exp(-kappa * tau) * (tau * (2 - tau)) ** (k / 2 - 1), (tau, 0, 2)),
        ),
        step(
            r"Large $\kappa$ (Watson's lemma): expand $(1-\tau/2)^{k/2-1}$, integrate its terms, take the logarithm.",
            log(average),
            k / 2 * log(2 * pi / kappa)
            - log(volume(k))
            + exponent.subs(z, 1 / kappa)
            + O(kappa ** -(order + 1), (kappa, sympy.oo)),
        ),
    ]
    return steps, exponent


def noise_average(radial: Expr, k: Expr, order: int) -> Expr:
    """E f(|y + √r ξ|) at |y| = 1 to r^order: Σ (r/2)^m Δ^m f/m!, Δ = ∂² + (k/ρ)∂."""
    total, term = sympy.Integer(0), radial
    for m in range(order + 1):
        total += term.subs(distance, 1) * (r / 2) ** m / sympy.factorial(m)
        term = sympy.expand(sympy.diff(term, distance, 2) + k / distance * sympy.diff(term, distance))
    return sympy.expand(total)


def information_series(k: Expr, exponent: Expr, order: int) -> tuple[list[Step], Expr]:
    """Corrections to I = ln V - (k/2) ln 2πe r in powers of r (R = 1), to r^order; steps."""
    stretch = (1 - noise_average(distance, k, order + 1)) / r
    curved = k / 2 * noise_average(log(distance), k, order)
    rest = sum(noise_average(exponent.coeff(z, j) * (r / distance) ** j, k, order - j) for j in range(1, order + 1))
    whole = sympy.expand(stretch + curved - rest)
    must_vanish(whole.coeff(r, 0) + k / 2, "the constant is the entropy of the noise")
    series = sum(sympy.factor(whole.coeff(r, j)) * r**j for j in range(1, order + 1))
    average = Function("E")
    steps = [
        step(
            r"Average over the noise with the heat operator, $E f(|x|) = e^{r\Delta/2}f$ at $|x| = 1$, "
            r"$\Delta = \partial_\rho^2 + (k/\rho)\,\partial_\rho$; for example",
            average(distance),
            noise_average(distance, k, 3) + O(r**4),
        ),
        step(
            r"$I = -D/2 - E\phi$, $D = k + 1$, term by term.",
            Function("I")(r),
            log(volume(k)) - k / 2 * log(2 * pi * sympy.E * r) + series + O(r ** (order + 1)),
        ),
    ]
    return steps, series


def in_units(series: Expr) -> Expr:
    """R = 1 → R: every r comes over R²."""
    return sum(term.subs(r, r / radius**2) for term in sympy.Add.make_args(series))


def dimension(correction: Expr, k: Expr) -> Expr:
    """d(r) = -2 dI/d ln r of I = … - (k/2) ln r + correction."""
    slope = sympy.expand(-2 * r * sympy.diff(correction, r))
    return k + sum(sympy.factor(slope.coeff(r, j)) * r**j for j in range(1, sympy.degree(slope, r) + 1))
