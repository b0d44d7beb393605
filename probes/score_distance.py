"""How far a score is from another, and how much of the way from the population's to the training points' it has gone.

Errors are dimensionless, E r|s - s*|² = E|m - m*|²/r: the excess denoising loss of s over s* in units of r, the unit
of the dimension d(r). If s* is the score of the law of x, its integral ½ ∫ E r|s - s*|² d ln r is the information
that s loses, in nats (I-MMSE; docs/theory.md §2).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, positive, positive_scalar
from ..conventions.estimate import Estimate
from ..conventions.score import AnyScore, as_score, scores_at
from .points import clean_and_noise


class MemoryShare(NamedTuple):
    """Where a score lies between the population's and the empirical one, at one r.

    `memorized`: E⟨s - s_pop, s_emp - s_pop⟩/E|s_emp - s_pop|², 0 at the population's score and 1 at the empirical.
    `aside`: the part of its error, E r|·|², that is neither: perpendicular to the line through both.
    `to_population`, `to_empirical`, `apart`: E r|·|² of the three differences, `apart` that of the two references.
    """

    memorized: Estimate
    aside: Estimate
    to_population: Estimate
    to_empirical: Estimate
    apart: Estimate


def score_error(
    score: AnyScore, reference: AnyScore, points: ArrayLike, r: ArrayLike, rng: np.random.Generator
) -> Estimate:
    """E r|s(x) - s*(x)|² over x = y + √r ξ, y the clean points (n, D), n ≥ 2; of the shape of r.

    At training points x follows the law on which training minimises; at fresh ones the law that the population's score
    belongs to. The same ξ at every r.
    ValueError for arguments outside their range.
    """
    ratios = positive(r, "r")
    clean, xi = clean_and_noise(points, rng)
    squares = [
        _squares(_difference(score, reference, clean + np.sqrt(ratio) * xi, ratio), ratio) for ratio in ratios.ravel()
    ]
    return Estimate.of(np.array(squares).reshape(*ratios.shape, len(clean)))


def share_of_memory(
    score: AnyScore,
    population: AnyScore,
    empirical: AnyScore,
    points: ArrayLike,
    r: float,
    rng: np.random.Generator,
) -> MemoryShare:
    """How much of the way from the population's score to the empirical one a score has gone, at one noise ratio r.

    Points as in `score_error`. The two references coincide where noise hides the points one from another (r far above
    collapse): `apart` is then small and the error of `memorized`, by propagation for a ratio of means, large.
    ValueError where `apart` is 0. Derived, docs/models.md §5.
    """
    ratio = positive_scalar(r, "r")
    clean, xi = clean_and_noise(points, rng)
    x = clean + np.sqrt(ratio) * xi
    ours = _difference(score, population, x, ratio)
    theirs = _difference(empirical, population, x, ratio)
    along, apart = ratio * np.sum(ours * theirs, axis=1), _squares(theirs, ratio)
    if not apart.mean() > 0:
        raise ValueError(f"r = {ratio}: the empirical and the population's score do not differ at these points")
    share = along.mean() / apart.mean()
    aside = _squares(ours - share * theirs, ratio)
    # deviations of a ratio of means, to first order: (along - share·apart)/E apart, plus their mean, the ratio itself
    memorized = share + (along - share * apart) / apart.mean()
    parts = (memorized, aside, _squares(ours, ratio), _squares(ours - theirs, ratio), apart)
    return MemoryShare(*(Estimate.of(part) for part in parts))


def _difference(score: AnyScore, reference: AnyScore, x: Array, r: float) -> Array:
    one, other = (as_score(which, x.shape[1]) for which in (score, reference))
    return scores_at(one, x, r) - scores_at(other, x, r)


def _squares(difference: Array, r: float) -> Array:
    return r * np.sum(difference**2, axis=1)
