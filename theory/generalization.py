"""Generalization: the noise ratio at which the empirical density is closest to the true one."""

from ..conventions.arguments import positive_scalar
from ..conventions.law import Law
from .integrals.first_crossing import first_crossing


def generalization(law: Law, *, log_n: float) -> float:
    """r_g, the minimum over r of KL(ν ‖ p_emp,r) = const - E_{x~ν} ln p_emp,r(x), to leading order in ln N.

    Seen from a fresh point x ~ ν the N training points are condensed at r_g, so that
    r_g = E min_μ |x - y^μ|²/D. The nearest point is found by freezing: solve E K(x, r') = ln N, x ~ ν,
    then E min = E <|x-y|²> under the tilt at r'. Linear manifold:
    ½ Σ [ln(1+λ/r') - λ r'/(λ+r')²] = ln N,  E min = Σ [λr'/(λ+r') + λr'²/(λ+r')²].
    Corrections at finite dimension are large (tens of percent at d = 20): `finite_size.generalization` is exact.

    `log_n`: ln N > 0. ValueError where no float holds the answer. Source: arXiv 2502.09578; docs/theory.md §4.3.
    """
    log_n = positive_scalar(log_n, "log_n")
    frozen = first_crossing(
        lambda r: float(law.mean_local_divergence(r, 0.0)),
        log_n,
        quantity="the mean local divergence at a fresh point",
        given=("log_n", log_n),
        widest_step=0.5,
    )
    nearest = 2 * frozen * (float(law.free_energy_gap(frozen, 0.0)) - float(law.mean_local_divergence(frozen, 0.0)))
    return nearest / law.ambient_dim
