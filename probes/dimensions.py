"""Intrinsic dimension by every rule, from any score: one call for a law, N points, a network.

The rules themselves are in `probes.dimension_rules`; here they are fed. On a linear-Gaussian score all are known:
d(r) = Σ λ/(λ+r), FLIPD = D - Σ 1 · r/(λ+r) + r |s|², the others count.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..conventions.arguments import Array, fail, generator, positive, positive_integer, positive_scalar
from ..conventions.estimate import Estimate
from ..conventions.haar import orthogonal_matrix
from ..conventions.score import AnyScore, Score, SpectralScore, as_score, scores_at
from .dimension_rules import cliff, flipd, largest_gap, occupation
from .points import clean_and_noise, one_point
from .score_jacobian import ScoreJacobian, jacobian_products


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


def dimensions(score: AnyScore, x: ArrayLike, r: float, rng: np.random.Generator) -> Dimensions:
    """All rules at one point x (D,), D ≥ 2, of any score; costs about 6 D scores.

    `rng` draws the displacements of the normal bundle. ValueError for arguments outside their range.
    """
    jacobian = ScoreJacobian(score, one_point(x, least=2), r)
    matrix = jacobian.matrix()
    singular = _resolved(np.linalg.svd(matrix, compute_uv=False))
    symmetric = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    value = scores_at(jacobian.score, jacobian.x[None], jacobian.r)[0]
    return Dimensions(
        _gap(singular),
        cliff(singular) if jacobian.ambient_dim >= 8 else None,
        float(occupation(symmetric, jacobian.r)),
        float(flipd(value, np.trace(matrix), jacobian.r)),
        normal_bundle(score, x, r, rng),
    )


def normal_bundle(
    score: AnyScore, x: ArrayLike, r: float, rng: np.random.Generator, displacements: int | None = None
) -> int | None:
    """Dimension by the normal bundle: scores at x + √r ξ_i point off the manifold; D minus the directions they span.

    The (K, D) matrix of the scores at K = `displacements` Gaussian displacements (default 4 D, as published) has
    singular values near √(K/r) in normal directions and small ones in tangent directions; the largest gap between
    neighbours counts the small ones. Valid while √r is far below the extent and the curvature radius of the manifold,
    and x on it. None if all are equal.

    ValueError for K < D (the rank would then count displacements) and for arguments outside their range.
    Source: arXiv 2212.12611, algorithm 1.
    """
    point = one_point(x, least=2)
    number = 4 * point.size if displacements is None else positive_integer(displacements, "displacements")
    if number < point.size:
        raise fail("displacements", number, f"must be ≥ D = {point.size}")
    ratio = positive_scalar(r, "r")
    xi = generator(rng).standard_normal((number, point.size))
    scores = scores_at(as_score(score, point.size), point + np.sqrt(ratio) * xi, ratio)
    return _gap(_resolved(np.linalg.svd(scores, compute_uv=False)))


def dimension_curve(
    score: AnyScore, r: ArrayLike, rng: np.random.Generator, *, points: ArrayLike, probes: int | None = None
) -> Estimate:
    """d(r) = E tr ∂m/∂x at x = y + √r ξ over the clean points y (n, D), n ≥ 2, for any score.

    The average that `dimension` of a learned score takes, for every leg: traces of the posterior covariance where the
    score has one, else by D products with J; or, with `probes`, from that many random orthogonal directions at each
    point, the same at every r. `r` one number or an array. Estimate(mean, stderr) of the shape of r; docs/theory.md §2.
    ValueError for arguments outside their range.
    """
    clean, xi = clean_and_noise(points, rng)
    ratios, dim = positive(r, "r"), clean.shape[1]
    asked, frames = as_score(score, dim), None
    if probes is not None:
        if positive_integer(probes, "probes") > dim:
            raise fail("probes", probes, f"must be ≤ D = {dim}")
        frames = np.array([orthogonal_matrix(dim, rng, probes).T for _ in clean])
    traces = np.array([_traces(asked, clean + np.sqrt(ratio) * xi, float(ratio), frames) for ratio in ratios.ravel()])
    return Estimate.of(traces.reshape(*ratios.shape, len(clean)))


def _traces(score: Score, x: Array, r: float, frames: Array | None) -> Array:
    """tr ∂m/∂x at each point, (n,): exact, or D + r (D/k) Σ q·Jq over the k rows q of that point's frame (n, k, D)."""
    if frames is not None:
        n, k, dim = frames.shape
        q = frames.reshape(n * k, dim)
        products = jacobian_products(score, np.repeat(x, k, axis=0), r, q, transpose=True)
        return dim * (1 + r * np.einsum("nd,nd->n", q, products).reshape(n, k).mean(axis=1))
    if isinstance(score, SpectralScore):
        return np.array([np.trace(score.posterior_covariance(point, r)) for point in x]) / r
    return np.array([point.size + r * ScoreJacobian(score, point, r).trace() for point in x])


def _resolved(singular_values: NDArray[np.floating]) -> Array:
    """Without the digits that differences and the decomposition have not got: the rules compare neighbours."""
    largest = singular_values[0]
    scale = largest if largest > 0 else 1.0
    return np.asarray(np.round(singular_values / scale, 9) * scale, dtype=np.float64)


def _gap(singular_values: Array) -> int | None:
    return largest_gap(singular_values) if singular_values[0] > singular_values[-1] else None
