"""Which subspace is lost first: at the probes √r e_i, as published and exactly, and at typical points.

Probe (arXiv 2410.08727): direction i is lost where the posterior at x = √r e_i condenses, K_i(r) = ln N. The published
Gaussian energies always put the larger variance first. Exactly, the order of a linear manifold reverses at
r = √(λ_i λ_j), that of normalized data at an r found numerically. Derived, docs/phase_diagrams.md §3, §4.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from ..conventions.arguments import Array, fail, nonnegative_scalar, positive, positive_scalar
from ..conventions.energy_law import EnergyLaw
from . import finite_size
from .integrals.angular_gaussian import angular_gaussian
from .integrals.smooth_curve import covering

_STEP = 0.02  # in ln λ, for the derivative of the excess entropy


class Reversal(NamedTuple):
    """Where two directions are lost together: r, and the ln N at which both condense there.

    For fewer points the larger variance is lost first, for more points the smaller one.
    """

    r: float
    log_n: float


def published_condensation(variances: ArrayLike, log_n: ArrayLike, *, normalized: bool) -> Array:
    """r_i at which direction i is lost as published, t_c^(i)(t) = t: shape log_n.shape + (k,).

    s_i²/(2 ln N) for normalized data, [s_i² + √(s_i⁴ + 4 ln N Σ s_k⁴)]/(4 ln N) otherwise: increasing in s_i².
    Source: arXiv 2410.08727 (see `geometric_memorization`).
    """
    s2, size = _spectrum(variances), positive(log_n, "log_n")[..., None]
    common = 0.0 if normalized else float(np.sum(s2**2))
    return (s2 + np.sqrt(s2**2 + 4 * size * common)) / (4 * size)


def probe_divergence(variances: ArrayLike, direction: int, r: ArrayLike, *, normalized: bool) -> Array:
    """K(x, r) in nats at the probe x = √r e_i of a linear manifold around the origin, i = `direction`; shape of `r`.

    ½ Σ_k [ln(1+λ_k/r) - λ_k/(λ_k+r)] + ½ rλ_i/(λ_i+r)², or one integral for the same data `normalized` to the unit
    sphere. The manifolds' `local_divergence` for all r at once; relative error about 1e-13 for K > 1e-3.
    """
    s2, ratio = _spectrum(variances), positive(r, "r")
    if not 0 <= direction < s2.size:
        raise fail("direction", direction, f"must be an integer from 0 to {s2.size - 1}")
    if normalized:
        scaled, group, counts = np.unique(s2 / s2.max(), return_inverse=True, return_counts=True)
        squares = np.zeros((ratio.size, scaled.size))
        squares[:, group[direction]] = 1 / ratio.ravel()
        law = angular_gaussian(squares, scaled, counts.astype(np.float64))
        return np.maximum(law.overlap_excess - law.log_mgf_excess, 0.0).reshape(ratio.shape)
    u = s2 / ratio[..., None]
    own = u[..., direction]
    return 0.5 * (np.log1p(u) - u / (1 + u)).sum(axis=-1) + 0.5 * own / (1 + own) ** 2


def probe_condensation(variances: ArrayLike, direction: int, log_n: ArrayLike, *, normalized: bool) -> Array:
    """r_i with K(√r e_i, r) = ln N, shape of `log_n`: `local_condensation` for many N at once (to 1e-9 of r).

    ValueError where a float cannot hold the answer.
    """
    levels, s2 = positive(log_n, "log_n"), _spectrum(variances)

    def divergence(r: Array) -> Array:
        return probe_divergence(s2, direction, r, normalized=normalized)

    return covering(divergence, levels.min(), levels.max(), "the local divergence at the probe").ratio_at(levels)


def reversal(variances: ArrayLike, first: int, second: int, *, normalized: bool) -> Reversal:
    """Where directions `first` and `second`, of different variances, are lost together.

    Linear manifold: K_i - K_j = ½ r (λ_i-λ_j)(r² - λ_iλ_j)/[(λ_i+r)²(λ_j+r)²], so r = √(λ_iλ_j), and K_i there is ln N.
    Normalized data: the largest root of K_i = K_j. ValueError for equal variances, and for normalized
    data in two dimensions with nearly equal variances, where a search between r = 1e-8 and 1e4 finds no root.
    Source: derived, docs/phase_diagrams.md §3.
    """
    s2 = _spectrum(variances)
    if not (min(first, second) >= 0 and max(first, second) < s2.size) or s2[first] == s2[second]:
        raise fail("first, second", (first, second), "must be two directions of different variances")

    def divergence(i: int, r: Array) -> Array:
        return probe_divergence(s2, i, r, normalized=normalized)

    if not normalized:
        r = float(np.sqrt(s2[first]) * np.sqrt(s2[second]))
        return Reversal(r, float(divergence(first, np.array(r))))
    high, low = (first, second) if s2[first] > s2[second] else (second, first)

    def lead(log_r: float) -> float:
        r = np.exp(np.array(log_r))
        return float(divergence(high, r) - divergence(low, r))

    log_r = np.linspace(np.log(1e4), np.log(1e-8), 80)
    leads = divergence(high, np.exp(log_r)) - divergence(low, np.exp(log_r))
    reversed_at = np.flatnonzero(leads < 0)
    if reversed_at.size == 0 or reversed_at[0] == 0:
        raise fail("variances", s2, "the order of the two directions does not reverse between r = 1e-8 and 1e4")
    i = reversed_at[0]
    r = float(np.exp(brentq(lead, log_r[i], log_r[i - 1], xtol=1e-12)))
    return Reversal(r, float(divergence(high, np.array(r))))


def surviving_fraction(
    linear: Callable[[Array], EnergyLaw], variances: ArrayLike, direction: int, *, log_n: float, r: float
) -> float:
    """R_i = E[C_emp]_ii/C_ii at typical points, x ~ the noisy empirical law: exact at finite N.

    Of a linear manifold, `linear` being its class. An anisotropic noise is an isotropic one on
    rescaled variances, so I-MMSE holds direction by direction: E[C_emp]_ii/r = 2 ∂I_emp/∂ln λ_i, and
    with I_emp = ln N - `finite_size.excess_entropy`

        R_i = 2 (1 + r/λ_i) ∂I_emp/∂ln λ_i,

    shared among the directions of the same variance. By central differences on fixed nodes, error about 1e-4.
    1 where the data set is as good as the population, 0 where it is lost. Derived, docs/phase_diagrams.md §4.
    """
    s2 = _spectrum(variances)
    log_n, r = nonnegative_scalar(log_n, "log_n"), positive_scalar(r, "r")
    if not 0 <= direction < s2.size:
        raise fail("direction", direction, f"must be an integer from 0 to {s2.size - 1}")
    group = s2 == s2[direction]

    def excess(shift: float) -> float:
        return finite_size.excess_entropy(linear(np.where(group, s2 * np.exp(shift), s2)), log_n, r)

    slope = (excess(-_STEP) - excess(_STEP)) / (2 * _STEP)
    return float(2 * (1 + r / s2[direction]) * slope / np.count_nonzero(group))


def _spectrum(variances: ArrayLike) -> Array:
    s2 = positive(variances, "variances")
    if s2.ndim != 1 or s2.size < 2:
        raise ValueError(f"variances has shape {s2.shape}: must be a list of two or more")
    return s2
