"""The states a denoiser remembers: fixed points of x → m(x, r), which are the maxima of the density p_r.

At small r the empirical score's are the training points. Those that are not near one – a mean of points that the noise
has merged, or of a law without memory – are spurious states (arXiv 2505.21777), the first sign of generalization.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..conventions.arguments import Array, numbers, positive_integer, positive_scalar
from ..conventions.estimate import Estimate, fraction
from ..conventions.score import AnyScore, as_score, scores_at


class Attractors(NamedTuple):
    """Different fixed points (k, D), the fraction of starts that reach each (k,), and of those that reach none.

    `unsettled` starts still moved after all steps: for variance λ the approach takes some λ/r of them. Where the score
    has a continuum of fixed points (a sphere's own score) every start ends at one of its own, and they count nothing.
    """

    points: Array
    shares: Array
    unsettled: float


class StateFractions(NamedTuple):
    """Fractions of starts, adding up to 1: near a training point, at another fixed point, at none."""

    memorized: Estimate
    spurious: Estimate
    unsettled: Estimate


def attractors(
    score: AnyScore, starts: ArrayLike, r: float, *, steps: int = 1000, tolerance: float = 1e-6
) -> Attractors:
    """Iterates x → x + r s(x, r) = m(x, r) from `starts` (n, D) at fixed r until a step is below `tolerance` √r.

    For an exact score each step raises the density (it is the mean-shift of a Gaussian kernel), so that limits are
    maxima but for starts on a ridge. End points within √r/10 of one another are one attractor.
    ValueError for arguments outside their range.
    """
    ends, settled = _settle(score, starts, r, steps, tolerance)
    kept: list[Array] = []
    counts: list[int] = []
    for end in ends[settled]:
        near = [i for i, point in enumerate(kept) if np.linalg.norm(point - end) < np.sqrt(r) / 10]
        if near:
            counts[near[0]] += 1
        else:
            kept.append(end)
            counts.append(1)
    order = np.argsort(counts, kind="stable")[::-1]
    points = np.array(kept).reshape(-1, ends.shape[1])[order]
    return Attractors(points, np.array(counts, dtype=np.float64)[order] / len(ends), float(np.mean(~settled)))


def state_fractions(
    score: AnyScore,
    starts: ArrayLike,
    training: ArrayLike,
    r: float,
    *,
    near: float = 1.0,
    steps: int = 1000,
    tolerance: float = 1e-6,
) -> StateFractions:
    """Where the starts end: memorized if within `near` √r of a training point (N, D), else spurious, else unsettled.

    Other arguments as `attractors`. Standard errors are binomial, at Laplace's (k+1)/(n+2).
    """
    ends, settled = _settle(score, starts, r, steps, tolerance)
    data = numbers(training, "training")
    if data.ndim != 2 or data.shape[1] != ends.shape[1] or len(data) == 0:
        raise ValueError(f"training has shape {data.shape}: must be (N, {ends.shape[1]}) with N ≥ 1")
    reach = positive_scalar(near, "near") * np.sqrt(r)
    close = np.array([np.min(np.sum((data - end) ** 2, axis=1)) <= reach**2 for end in ends])
    return StateFractions(*(fraction(hits) for hits in (settled & close, settled & ~close, ~settled)))


def _settle(
    score: AnyScore, starts: ArrayLike, r: float, steps: int, tolerance: float
) -> tuple[Array, NDArray[np.bool_]]:
    """End points (n, D) and whether each has come to rest."""
    ratio, x = positive_scalar(r, "r"), numbers(starts, "starts").copy()
    if x.ndim != 2 or x.size == 0:
        raise ValueError(f"starts has shape {x.shape}: must be (n, D) with n ≥ 1")
    asked = as_score(score, x.shape[1])
    least = positive_scalar(tolerance, "tolerance") * np.sqrt(ratio)
    moving = np.arange(len(x))
    for _ in range(positive_integer(steps, "steps")):
        step = ratio * scores_at(asked, x[moving], ratio)
        x[moving] += step
        moving = moving[np.linalg.norm(step, axis=1) > least]
        if not len(moving):
            break
    settled = np.ones(len(x), dtype=bool)
    settled[moving] = False
    return x, settled
