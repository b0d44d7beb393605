"""Intrinsic dimension by every rule, from any score: one call for a law, N points, a network.

The rules themselves are in `probes.dimension_rules`; here they are fed. On a linear-Gaussian score all are known:
d(r) = Σ λ/(λ+r), FLIPD = D - Σ 1 · r/(λ+r) + r |s|², the others count.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..conventions.arguments import Array, fail, generator, numbers, positive, positive_integer, positive_scalar
from ..conventions.estimate import Estimate
from .dimension_rules import cliff, flipd, largest_gap, occupation
from .score_jacobian import ScoreJacobian, score_function


class Dimensions(NamedTuple):
    """The dimension at one point and r by five rules; None where a rule finds none.

    `gap`: singular values of J below the largest gap. `cliff`: the published rule of arXiv 2410.08727, which returns
    one more than the step (`probes.dimension_rules.cliff`); None below D = 8. `occupation`: tr ∂m/∂x = d(r) at the
    point. `flipd`: arXiv 2406.03537. `normal_bundle`: arXiv 2212.12611.
    """

    gap: int | None
    cliff: int | None
    occupation: float
    flipd: float
    normal_bundle: int | None


def dimensions(score: Any, x: ArrayLike, r: float, rng: np.random.Generator) -> Dimensions:
    """All rules at one point x (D,), D ≥ 2, of any score (`probes.score_jacobian`); costs about 6 D scores.

    `rng` draws the displacements of the normal bundle. ValueError for arguments outside their range.
    """
    jacobian = ScoreJacobian(score, x, r)
    if jacobian.dim < 2:
        raise fail("x", x, "must have D ≥ 2 coordinates")
    matrix = jacobian.matrix()
    singular = _resolved(np.linalg.svd(matrix, compute_uv=False))
    symmetric = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    value = score_function(score)(jacobian.x[None], jacobian.r)[0]
    return Dimensions(
        _gap(singular),
        cliff(singular) if jacobian.dim >= 8 else None,
        float(occupation(symmetric, jacobian.r)),
        float(flipd(value, np.trace(matrix), jacobian.r)),
        normal_bundle(score, x, r, rng),
    )


def normal_bundle(
    score: Any, x: ArrayLike, r: float, rng: np.random.Generator, displacements: int | None = None
) -> int | None:
    """Dimension by the normal bundle: scores at x + √r ξ_i point off the manifold; D minus the directions they span.

    The (K, D) matrix of the scores at K = `displacements` Gaussian displacements (default 4 D, as published) has
    singular values near √(K/r) in normal directions and small ones in tangent directions; the largest gap between
    neighbours counts the small ones. Valid while √r is far below the extent and the curvature radius of the manifold,
    and x on it. None if all are equal.

    ValueError for K < D (the rank would then count displacements) and for arguments outside their range.
    Source: arXiv 2212.12611, algorithm 1.
    """
    point = numbers(x, "x")
    if point.ndim != 1 or point.size < 2:
        raise fail("x", x, "must be one point (D,), D ≥ 2")
    number = 4 * point.size if displacements is None else positive_integer(displacements, "displacements")
    if number < point.size:
        raise fail("displacements", number, f"must be ≥ D = {point.size}")
    ratio = positive_scalar(r, "r")
    noise = generator(rng).standard_normal((number, point.size))
    scores = score_function(score)(point + np.sqrt(ratio) * noise, ratio)
    return _gap(_resolved(np.linalg.svd(scores, compute_uv=False)))


def dimension_curve(
    score: Any, r: ArrayLike, points: ArrayLike, rng: np.random.Generator, probes: int | None = None
) -> Estimate:
    """d(r) = E tr ∂m/∂x at x = y + √r ξ over the clean points y (n, D), n ≥ 2, for any score.

    The same average as `LearnedScore.dimension` (and the same numbers for the same rng), with J by differences where
    the score has no derivative of its own. `r` one number or an array; `probes`: random orthogonal directions per
    trace instead of all D. Estimate(mean, stderr) of the shape of r; docs/theory.md §2.
    ValueError for arguments outside their range.
    """
    if hasattr(score, "jacobian_product"):
        return score.dimension(r, points, rng, probes)
    clean, ratios = numbers(points, "points"), positive(r, "r")
    if clean.ndim != 2 or len(clean) < 2 or clean.shape[1] == 0:
        raise ValueError(f"points has shape {clean.shape}: must be (n, D) with n ≥ 2")
    noise = generator(rng).standard_normal(clean.shape)
    traces = np.empty((ratios.size, len(clean)))
    for row, ratio in zip(traces, ratios.ravel(), strict=True):
        jacobians = (ScoreJacobian(score, x, ratio) for x in clean + np.sqrt(ratio) * noise)
        row[:] = [clean.shape[1] + ratio * jacobian.trace(rng, probes) for jacobian in jacobians]
    return Estimate.of(traces.reshape(*ratios.shape, len(clean)))


def _resolved(singular_values: NDArray[np.floating]) -> Array:
    """Without the digits that differences and the decomposition have not got: the rules compare neighbours."""
    largest = singular_values[0]
    scale = largest if largest > 0 else 1.0
    return np.asarray(np.round(singular_values / scale, 9) * scale, dtype=np.float64)


def _gap(singular_values: Array) -> int | None:
    return largest_gap(singular_values) if singular_values[0] > singular_values[-1] else None
