"""Onset of traps: where a training point first stands above all the others in its own landscape."""

from ..conventions.arguments import positive_scalar
from ..conventions.law import Law
from .integrals.first_crossing import first_crossing


def onset(law: Law, *, log_n: float) -> float:
    """Largest noise ratio r_o at which Z_1 > Z_rest at x = y^1, the training point itself.

    G(r_o, 0) = ln N. Linear manifold: ln N = ½ Σ [ln(1+λ/r) + λ/(λ+r)]. Traps open before the posterior of a
    typical noisy point condenses: r_o > r_c. Leading order in ln N (annealed Z_rest, exact for r ≥ r_o).

    `log_n`: ln N > 0. ValueError where no float holds the answer. Source: arXiv 2502.09578; docs/theory.md §4.1.
    """
    log_n = positive_scalar(log_n, "log_n")
    return first_crossing(
        lambda r: float(law.free_energy_gap(r, 0.0)),
        log_n,
        quantity="the free-energy gap at a training point",
        given=("log_n", log_n),
        widest_step=0.5,
    )
