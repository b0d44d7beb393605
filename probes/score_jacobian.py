"""The Jacobian of any score as products with vectors: by derivatives where the score has them, else by differences."""

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, fail, points, positive_integer, positive_scalar
from ..conventions.haar import orthogonal_matrix
from ..conventions.score import AnyScore, DifferentiableScore, Score, as_score, scores_at
from .points import one_point

# Displacement in units of √r: truncation then is of relative order 1e-8 for a score that varies on the scale √r,
# rounding of relative order 1e-12 √D.
_STEP = 1e-4


def jacobian_products(
    score: Score, x: Array, r: float, v: Array, *, transpose: bool = False, step: float | None = None
) -> Array:
    """J v, or Jᵀ v, for rows v (n, D) at the points x, (n, D) or one (D,): see `ScoreJacobian`."""
    if isinstance(score, DifferentiableScore):
        return score.jacobian_product(x, r, v, transpose=transpose)
    length = _STEP * np.sqrt(r) if step is None else step
    lengths = np.linalg.norm(v, axis=1, keepdims=True)
    directions = length * v / np.where(lengths > 0, lengths, 1.0)
    difference = scores_at(score, x + directions, r) - scores_at(score, x - directions, r)
    return difference * lengths / (2 * length)


class ScoreJacobian:
    """J = ∂score/∂x at one point x (D,) and noise ratio r > 0, without the matrix.

    Exact, by automatic differentiation or in closed form, for a `DifferentiableScore` (every learned one). Otherwise by
    central differences of length `step`, default 1e-4 √r: exact up to rounding for a linear score; J is then taken to
    be symmetric, as that of every gradient is. ValueError for arguments outside these ranges.
    """

    def __init__(self, score: AnyScore, x: ArrayLike, r: float, step: float | None = None) -> None:
        self.x, self.r = one_point(x), positive_scalar(r, "r")
        self.ambient_dim = self.x.size
        self.step = None if step is None else positive_scalar(step, "step")
        self.score = as_score(score, self.ambient_dim)

    def product(self, v: ArrayLike, *, transpose: bool = False) -> Array:
        """J v, or Jᵀ v, for the rows v (n, D)."""
        vectors = points(v, self.ambient_dim, "v")
        return jacobian_products(self.score, self.x, self.r, vectors, transpose=transpose, step=self.step)

    def shrinkage(self, v: Array) -> Array:
        """The symmetric part of ∂m/∂x = 1 + r J, applied to rows v: eigenvalues λ/(λ+r), 0 off the manifold."""
        product = self.product(v)
        if isinstance(self.score, DifferentiableScore):
            product = (product + self.product(v, transpose=True)) / 2
        return v + self.r * product

    def matrix(self) -> Array:
        """J, (D, D): D products."""
        return self.product(np.eye(self.ambient_dim)).T

    def trace(self, rng: np.random.Generator | None = None, probes: int | None = None) -> float:
        """tr J: exact by D products, or unbiased, (D/k) Σ q·Jq, over k = `probes` random orthogonal directions."""
        if probes is None:
            directions = np.eye(self.ambient_dim)
        else:
            if positive_integer(probes, "probes") > self.ambient_dim:
                raise fail("probes", probes, f"must be ≤ D = {self.ambient_dim}")
            directions = orthogonal_matrix(self.ambient_dim, rng, probes).T  # type: ignore[arg-type]
        return self.ambient_dim / len(directions) * float(np.sum(directions * self.product(directions, transpose=True)))
