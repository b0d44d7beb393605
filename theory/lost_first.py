"""Which subspace is lost first: at the probes √r e_i, as published and exactly, and at typical points.

Probe (arXiv 2410.08727): direction i is lost where the posterior at x = E y + √r e_i condenses, K_i(r) = ln N. The
published Gaussian energies always put the larger variance first. Exactly, the order of a linear manifold reverses at
r = √(λ_i λ_j), that of other laws at an r found numerically. Derived, docs/phase_diagrams.md §3, §4.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from ..conventions.arguments import Array, fail, nonnegative_scalar, positive, positive_scalar
from ..conventions.law import Law
from .finite_size.averages import excess_entropy
from .integrals.smooth_curve import covering

_STEP = 0.02  # in ln λ, for the derivative of the excess entropy
_SEARCH = np.geomspace(1e4, 1e-8, 80)  # ratios at which the order of two directions is looked at, in units of Λ


class GaussianLaw(Law, Protocol):
    """A Gaussian law of independent directions."""

    @property
    def variances(self) -> Array:
        """λ_i of the i-th direction."""
        ...

    def replace(self, **changes: object) -> "GaussianLaw":
        """The same with other parameters."""
        ...


class Reversal(NamedTuple):
    """Where two directions are lost together: r, and the ln N at which both condense there.

    For fewer points the larger variance is lost first, for more points the smaller one.
    """

    r: float
    log_n: float


def published_condensation(variances: ArrayLike, log_n: ArrayLike, *, normalized: bool) -> Array:
    """r_i at which direction i is lost as published, t_c^(i)(t) = t: shape log_n.shape + (k,).

    s_i²/(2 ln N) for normalized data, [s_i² + √(s_i⁴ + 4 ln N Σ s_k⁴)]/(4 ln N) otherwise: increasing in s_i².
    Source: arXiv 2410.08727 (see `geometric_memorization`); docs/theory.md §4.6.
    """
    s2, size = positive(variances, "variances"), positive(log_n, "log_n")[..., None]
    if s2.ndim != 1 or s2.size < 2:
        raise ValueError(f"variances has shape {s2.shape}: must be a list of two or more")
    common = 0.0 if normalized else float(np.sum(s2**2))
    return (s2 + np.sqrt(s2**2 + 4 * size * common)) / (4 * size)


def probe_divergence(law: Law, direction: int, r: ArrayLike) -> Array:
    """K(x, r) in nats at the probes x = E y + √r e_i, i = `direction`; shape of `r`.

    Linear manifold: ½ Σ_k [ln(1+λ_k/r) - λ_k/(λ_k+r)] + ½ rλ_i/(λ_i+r)². docs/theory.md §4.7.
    """
    ratio = positive(r, "r")
    return np.reshape(_along(law, direction)(ratio.ravel()), ratio.shape)


def _along(law: Law, direction: int) -> Callable[[Array], Array]:
    """K at the probes as a function of r (m,)."""
    origin, axis = law.mean, law.direction(direction)
    return lambda r: law.local_divergence(origin + np.sqrt(r)[:, None] * axis, r)


def probe_condensation(law: Law, direction: int, log_n: ArrayLike) -> Array:
    """r_i with K(√r e_i, r) = ln N, shape of `log_n`: `local_condensation` for many N at once (to 1e-9 of r).

    ValueError where a float cannot hold the answer.
    """
    levels, quantity = positive(log_n, "log_n"), "the local divergence at the probe"
    curve = covering(_along(law, direction), levels.min(), levels.max(), quantity)
    return curve.ratio_at(levels)


def reversal(law: Law, first: int, second: int) -> Reversal:
    """Where directions `first` and `second` are lost together: the largest root of K_i = K_j.

    Linear manifold: K_i - K_j = ½ r (λ_i-λ_j)(r² - λ_iλ_j)/[(λ_i+r)²(λ_j+r)²], so r = √(λ_iλ_j). ValueError for
    directions that are alike, and where a search between 1e-8 and 1e4 times the largest variance of the data finds
    no root (normalized data in two dimensions with nearly equal variances).
    Source: derived, docs/phase_diagrams.md §3.
    """
    ratios = _SEARCH * law.leading_variance()
    divergences = np.stack([probe_divergence(law, i, ratios) for i in (first, second)])
    leads = divergences[0] - divergences[1]
    if abs(leads[0]) < 1e-9 * divergences[0, 0]:
        raise fail("first, second", (first, second), "must be two directions of different variances")

    def lead(log_r: float) -> float:
        r = np.exp(log_r)
        return float(probe_divergence(law, first, r) - probe_divergence(law, second, r))

    reversed_at = np.flatnonzero(leads * leads[0] < 0)
    if reversed_at.size == 0:
        raise fail("law", law, f"the order of directions {first} and {second} does not reverse")
    i = reversed_at[0]
    r = float(np.exp(brentq(lead, np.log(ratios[i]), np.log(ratios[i - 1]), xtol=1e-12)))
    return Reversal(r, float(probe_divergence(law, first, r)))


def surviving_fraction(law: GaussianLaw, direction: int, *, log_n: float, r: float) -> float:
    """R_i = E[C_emp]_ii/C_ii of a Gaussian law at typical points, x ~ the noisy empirical law: exact at finite N.

    An anisotropic noise is an isotropic one on rescaled variances, so I-MMSE holds direction by direction:
    E[C_emp]_ii/r = 2 ∂I_emp/∂ln λ_i, and with I_emp = ln N - `finite_size.excess_entropy`

        R_i = 2 (1 + r/λ_i) ∂I_emp/∂ln λ_i,

    shared among the directions of the same variance. By central differences on fixed nodes, error about 1e-4.
    1 where the data set is as good as the population, 0 where it is lost. Derived, docs/phase_diagrams.md §4.
    """
    if not law.is_gaussian:
        raise fail("law", law, "must be Gaussian")
    log_n, r = nonnegative_scalar(log_n, "log_n"), positive_scalar(r, "r")
    s2 = law.variances
    if not 0 <= direction < s2.size:
        raise fail("direction", direction, f"must be an integer from 0 to {s2.size - 1}")
    group = s2 == s2[direction]

    def excess(shift: float) -> float:
        stretched = law.replace(variances=np.where(group, s2 * np.exp(shift), s2))
        return excess_entropy(stretched, log_n, r)

    slope = (excess(-_STEP) - excess(_STEP)) / (2 * _STEP)
    return float(2 * (1 + r / s2[direction]) * slope / np.count_nonzero(group))
