"""Spectrum of a score's Jacobian from scores at orthogonally displaced points, for any score.

With q_1 … q_D the rows of a Haar-random orthogonal matrix Q, σ the displacement, s the score and J its
Jacobian:

    stacked      rows  s(x_0 + σ q_i)/σ                          arXiv 2410.08727, as in its published code
    difference   rows [s(x_0 + σ q_i) - s(x_0 - σ q_i)]/(2σ)     central difference

For a score linear around x_0 the second is exactly Q Jᵀ, with the singular values of J. The first is
Q Jᵀ + (1/σ) 1 s(x_0)ᵀ: where the score does not vanish, a matrix of rank one and size √D |s(x_0)|/σ is added,
which raises the first singular value (the published code drops it) and shifts the others, less, between
neighbours. Both see the score over a distance σ; with σ = √r (the default, and the published choice) that is
the scale on which the score itself varies, so neither is the Jacobian at x_0 of a curved or a condensed
score.
"""

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, one_of, positive_scalar
from ..conventions.haar import orthogonal_matrix
from ..conventions.score import AnyScore, as_score, scores_at
from .points import one_point


def orthogonal_probes(
    score: AnyScore,
    x: ArrayLike,
    r: float,
    rng: np.random.Generator,
    spread: float | None = None,
    kind: str = "stacked",
) -> Array:
    """Singular values (D,), descending, of the matrix of probed scores at noise ratio r.

    Normal directions have large values (1/r for an exact score), tangent ones small (1/(λ+r)).

    Args:
        score: any score, or a function of points (n, D) and r, returning (n, D).
        x: the point x_0, (D,).
        r: noise ratio > 0.
        rng: draws the orthogonal matrix.
        spread: displacement σ > 0 in units of the data, default √r.
        kind: "stacked" or "difference", see above.

    Raises:
        ValueError: for arguments outside these ranges, or a score that returns another shape or NaN.
    """
    rows, _ = probed_scores(score, x, r, rng, spread, kind)
    return np.asarray(np.linalg.svd(rows, compute_uv=False), dtype=np.float64)


def probed_scores(
    score: AnyScore,
    x: ArrayLike,
    r: float,
    rng: np.random.Generator,
    spread: float | None = None,
    kind: str = "stacked",
) -> tuple[Array, Array]:
    """The matrix (D, D) of probed scores and the orthogonal matrix Q; arguments as `orthogonal_probes`."""
    one_of(kind, ["stacked", "difference"], "kind")
    origin, ratio = one_point(x), positive_scalar(r, "r")
    sigma = np.sqrt(ratio) if spread is None else positive_scalar(spread, "spread")
    frame, asked = orthogonal_matrix(origin.size, rng), as_score(score, origin.size)
    above = scores_at(asked, origin + sigma * frame, ratio)
    if kind == "stacked":
        return above / sigma, frame
    return (above - scores_at(asked, origin - sigma * frame, ratio)) / (2 * sigma), frame
