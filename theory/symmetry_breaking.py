"""Symmetry breaking at a symmetric point, in the three conventions found in the literature."""

from numpy.typing import ArrayLike

from ..conventions.arguments import fail, one_of, points
from ..conventions.law import Law
from .integrals.first_crossing import first_crossing

CONVENTIONS = ("density", "drift", "covariance")


def symmetry_breaking(law: Law, convention: str = "density", *, at: ArrayLike | None = None) -> float:
    """Noise ratio at which the symmetric point x* stops being stable.

    - "density": the Hessian of -ln p_r at x* loses positivity, λ_max(C(x*, r)) = r. Two Gaussians ±m of
      variance v: r = |m|² - v. Sphere of radius R in n dimensions, at the centre: r = R²/n.
      A Gaussian law never splits (C < r always); by the usual convention r = λ_max is returned for it, the
      ratio at which its leading direction is half resolved, λ/(λ+r) = ½.
    - "drift": the drift of the reverse SDE in Ornstein–Uhlenbeck time loses stability,
      a² λ_max(C) = (1 - a⁴)/2, i.e. λ_max(C) = r(2+r)/(2(1+r)). Data ±1: a² = √2 - 1.
      [arXiv 2305.19693, 2310.17467]
    - "covariance": Λ e^{-2t} = 1 with Λ the leading eigenvalue of the data covariance and t the OU time, i.e.
      r = Λ - 1. [arXiv 2402.18491]

    `at`: the symmetric point, shape (D,), default the mean of the law. ValueError for an unknown convention,
    or where the law has no such instability. Source: docs/theory.md §4.4.
    """
    one_of(convention, CONVENTIONS, "convention")
    if convention == "covariance":
        leading = law.leading_variance()
        if leading <= 1:
            raise fail(
                "law", law, f"leading variance {leading:g}: must exceed 1 for Λ e^{{-2t}} = 1 to have a solution t > 0"
            )
        return leading - 1
    if convention == "density" and law.is_gaussian:
        return law.leading_variance()
    centre = law.mean if at is None else points(at, law.ambient_dim, "at")[0]

    def instability(r: float) -> float:
        threshold = r if convention == "density" else r * (2 + r) / (2 * (1 + r))
        return law.leading_posterior_variance(centre, r) / threshold

    quantity = f"the instability of the symmetric point ({convention})"
    found = first_crossing(instability, 1.0, quantity=quantity, given=("law", law), widest_step=0.25)
    if instability(0.5 * found) <= 1 + 1e-12:  # C → r as r → 0 on a smooth density: rounding, not a crossing
        raise fail("law", law, f"{quantity} never reaches 1")
    return found
