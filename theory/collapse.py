"""Collapse: the noise ratio at which the posterior condenses on single training points."""

from ..conventions.arguments import positive_scalar
from ..conventions.law import InformedLaw
from .integrals.first_crossing import first_crossing


def collapse(law: InformedLaw, *, log_n: float) -> float:
    """Noise ratio r_c of the condensation transition, I(r_c) = ln N.

    Above r_c the posterior of a typical noisy point spreads over exponentially many training points; below,
    it sits on a few. Isotropic linear manifold of d dimensions and variance λ: r_c = λ/(N^{2/d} - 1).
    Exact to leading order in ln N; the width of the transition at finite N is in `theory.finite_size`.

    `log_n`: ln N > 0 (N itself may be astronomically large). ValueError where no float holds the answer
    (r_c below e^-600 or the first ratio of a measured law, or a law whose information never reaches ln N).
    Source: arXiv 2402.18491, 2502.09578; docs/theory.md §4.1.
    """
    log_n = positive_scalar(log_n, "log_n")
    return first_crossing(
        lambda r: float(law.information(r)),
        log_n,
        quantity="the information",
        given=("log_n", log_n),
        smallest=law.smallest_ratio,  # a measured law ends somewhere
    )
