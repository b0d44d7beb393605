"""Phase diagrams as arrays: the critical lines of a law at any number of ln N, and its plane of ln N and r.

I(r) and G(r, 0) of a law depend on r alone, so each is a Chebyshev series in ln r, computed once from some 30 to 100
evaluations and inverted for any number of ln N; d(r) = -2 dI/d ln r and E K(r, 0) = G + ∂G/∂ln r are their slopes.
Derived, docs/phase_diagrams.md §1, §2.
"""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..conventions.arguments import Array, fail, positive
from ..conventions.law import InformedLaw, Law, has_energies
from .finite_size.scaling import annealed_form, information_variance
from .integrals.smooth_curve import SmoothCurve, covering


class CriticalLines(NamedTuple):
    """Critical noise ratios at each ln N, of one shape; leading order, like the functions they are named after."""

    collapse: Array
    onset: Array
    generalization: Array


class Phase(IntEnum):
    """Phases of the (ln N, r) plane, from large to small noise."""

    NOISE = 0  # one valley: nothing is resolved yet
    CLASSES = 1  # mixtures: classes are told apart, their insides are not yet resolved
    COVERAGE = 2  # the score follows the population
    TRAPS = 3  # r_c < r < r_o: training points are traps, but typical noisy points do not feel them
    CONDENSED = 4  # r < r_c: the posterior sits on few training points
    MEMORIZED = 5  # condensed, and r < r_g: less noise takes the density away from the population's


class NoisePlane(NamedTuple):
    """The plane of ln N (n) and r (m): first what depends on r alone, (m,), then fields (n, m), then lines (n,)."""

    information: Array  # I(r) in nats
    dimension: Array  # d(r)
    variance: Array  # V(r), the variance of the information density
    deficit: Array  # ln N - I(r) in nats: what the data set lacks; > 0 where condensed
    retrieval: Array  # E w_1 in the Gaussian approximation
    excess_entropy: Array  # E ln(1 + Z_rest/Z_1) in nats, likewise
    phase: NDArray[np.int8]  # members of `Phase`
    lines: CriticalLines


class CollapseLine(NamedTuple):
    """Collapse at each ln N, of one shape."""

    ratio: Array  # r_c
    dimension: Array  # d(r_c), how many dimensions are seen at collapse


def collapse_line(law: InformedLaw, log_n: ArrayLike, *, tolerance: float = 1e-12) -> CollapseLine:
    """r_c, I(r_c) = ln N, and d(r_c) for every `log_n` > 0 at once; r_c agrees with `collapse` to 1e-10.

    `tolerance`: of the Chebyshev series, relative to the largest I; coarser is quicker for a slow law.
    ValueError where a level is never reached, as there. Source: docs/theory.md §4.1.
    """
    levels = positive(log_n, "log_n")
    curve = _information_curve(law, levels, tolerance)
    ratio = curve.ratio_at(levels)
    return CollapseLine(ratio, -2 * curve.slope(ratio))


def critical_lines(law: Law, log_n: ArrayLike, *, tolerance: float = 1e-12) -> CriticalLines:
    """Collapse, onset and generalization for every `log_n` > 0 at once.

    I(r_c) = ln N; G(r_o, 0) = ln N; and r_g = -2 r' G'(r')/D with G + G' = ln N at r', where G' = ∂G(r, 0)/∂ln r.
    Agrees with the functions of these names to 1e-10 (r_g: 1e-7) for laws that are known to rounding.
    ValueError where a level is never reached. Source: docs/theory.md §4.1, §4.3.
    """
    levels = positive(log_n, "log_n")
    condensed = _information_curve(law, levels, tolerance).ratio_at(levels)
    return _lines(law, levels, condensed, tolerance)


def noise_plane(
    law: Law,
    log_n: ArrayLike,
    r: ArrayLike,
    *,
    noise_above: float = math.inf,
    coverage_below: float = math.inf,
    tolerance: float = 1e-12,
) -> NoisePlane:
    """The (ln N, r) plane of a law: `log_n` (n,) > 0 and `r` (m,) > 0.

    Retrieval and excess entropy are E expit(-X) and E ln(1 + e^X), X = ln N - I(r) + √V z, z ~ N(0, 1): the Gaussian
    approximation of docs/theory.md §5.1. At collapse it gives E w_1 = 0.5 where `finite_size` has 0.57 (N = 3000,
    16 equal variances) and 0.63 (S^8), and 0.23 nats too much excess entropy in both. V is exact for a linear manifold,
    `finite_size.scaling.information_variance` for other laws with closed energies, and for the rest d(r), on curved
    manifolds up to twice V.
    `noise_above` and `coverage_below` bound the phases that do not depend on N: at larger r the phase is NOISE, at
    smaller COVERAGE, between them CLASSES. ValueError for bad arguments.
    """
    sizes, ratio = _axis(log_n, "log_n"), _axis(r, "r")
    information = _information_curve(law, sizes, tolerance, np.log([ratio.min(), ratio.max()]))
    lines = _lines(law, sizes, information.ratio_at(sizes), tolerance)
    dimension = -2 * information.slope(ratio)
    variance = _variance(law, ratio, dimension)
    deficit = sizes[:, None] - information(ratio)
    retrieval, excess = annealed_form(deficit, variance)
    phase = _phases(ratio, lines, noise_above, coverage_below)
    return NoisePlane(information(ratio), dimension, variance, deficit, retrieval, excess, phase, lines)


def _variance(law: Law, r: Array, dimension: Array) -> Array:
    """V(r) (m,), see `noise_plane`; `dimension` is d(r)."""
    if law.is_gaussian or not has_energies(law):
        return dimension

    def at(ratio: float) -> float:
        return information_variance(law, float(ratio)).total

    if r.size < 40:
        return np.array([at(ratio) for ratio in r])
    return SmoothCurve(np.vectorize(at), np.log(r.min()), np.log(r.max()), tolerance=1e-5)(r)


def _axis(value: ArrayLike, argument: str) -> Array:
    array = positive(value, argument)
    if array.ndim != 1 or array.size == 0:
        raise fail(argument, array, "must be one-dimensional, of one or more numbers")
    return array


def _information_curve(law: InformedLaw, levels: Array, tolerance: float, include: ArrayLike = ()) -> SmoothCurve:
    ends, name = (levels.min(), levels.max()), "the information"
    return covering(law.information, *ends, name, include=include, tolerance=tolerance)


def _lines(law: Law, levels: Array, condensed: Array, tolerance: float) -> CriticalLines:
    """Freezing at a fresh point is below onset, since E K ≤ G: the range of G must reach down to it."""

    def frozen_share(r: Array) -> Array:
        return law.mean_local_divergence(r, 0.0)

    def gap_at(r: Array) -> Array:
        return law.free_energy_gap(r, 0.0)

    quantity = "the free-energy gap at a training point"
    gap = covering(gap_at, levels.min(), levels.max(), quantity, lower=frozen_share, tolerance=tolerance)
    frozen = gap.plus_slope().ratio_at(levels)
    return CriticalLines(condensed, gap.ratio_at(levels), -2 * frozen * gap.slope(frozen) / law.ambient_dim)


def _phases(r: Array, lines: CriticalLines, noise_above: float, coverage_below: float) -> NDArray[np.int8]:
    alone = np.where(r > noise_above, Phase.NOISE, np.where(r > coverage_below, Phase.CLASSES, Phase.COVERAGE))
    phase = np.broadcast_to(alone, (lines.collapse.size, r.size)).astype(np.int8)
    phase[r < lines.onset[:, None]] = Phase.TRAPS
    phase[r < lines.collapse[:, None]] = Phase.CONDENSED
    phase[r < np.minimum(lines.collapse, lines.generalization)[:, None]] = Phase.MEMORIZED
    return phase
