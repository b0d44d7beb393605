"""Spectrum of a score's Jacobian from scores at orthogonally displaced points, for any score.

The score may be learned, empirical or exact: a function score(x, r) of points (n, D) that returns (n, D).
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

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, fail, numbers, one_of, positive_scalar
from ..conventions.haar import orthogonal_matrix

Score = Callable[[Array, float], ArrayLike]


def orthogonal_probes(
    score: Score,
    centre: ArrayLike,
    r: float,
    rng: np.random.Generator,
    spread: float | None = None,
    kind: str = "stacked",
) -> Array:
    """Singular values (D,), descending, of the matrix of probed scores at noise ratio r.

    Normal directions have large values (1/r for an exact score), tangent ones small (1/(λ+r)).

    Args:
        score: function of points (n, D) and r, returning (n, D).
        centre: the point x_0, (D,).
        r: noise ratio > 0.
        rng: draws the orthogonal matrix.
        spread: displacement σ > 0 in units of the data, default √r.
        kind: "stacked" or "difference", see above.

    Raises:
        ValueError: for arguments outside these ranges, or a score that returns another shape or NaN.
    """
    one_of(kind, ["stacked", "difference"], "kind")
    origin = numbers(centre, "centre")
    if origin.ndim != 1 or origin.size == 0:
        raise fail("centre", centre, "must be one point (D,)")
    ratio = positive_scalar(r, "r")
    sigma = np.sqrt(ratio) if spread is None else positive_scalar(spread, "spread")
    steps = sigma * orthogonal_matrix(origin.size, rng)
    rows = _scores(score, origin + steps, ratio) / sigma
    if kind == "difference":
        rows = (rows - _scores(score, origin - steps, ratio) / sigma) / 2
    return np.asarray(np.linalg.svd(rows, compute_uv=False), dtype=np.float64)


def _scores(score: Score, x: Array, r: float) -> Array:
    values = numbers(score(x, r), "score(x, r)")
    if values.shape != x.shape:
        raise ValueError(f"score(x, r) has shape {values.shape}: must be that of x, {x.shape}")
    return values
