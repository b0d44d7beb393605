"""The Jacobian of any score as products with vectors: by derivatives where the score has them, else by differences.

A score here is any object with `score(x, r)` of points (n, D) – a law, an `EmpiricalScore`, a `LearnedScore` – or such
a function itself.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, fail, numbers, points, positive_integer, positive_scalar
from ..conventions.haar import orthogonal_matrix

# Displacement in units of √r: truncation then is of relative order 1e-8 for a score that varies on the scale √r,
# rounding of relative order 1e-12 √D.
_STEP = 1e-4


def score_function(score: Any) -> Callable[[Array, float], Array]:
    """The function score(x, r) of an object with that method, or of a function; ValueError for anything else."""
    function = getattr(score, "score", score)
    if not callable(function):
        raise fail("score", score, "must have a method score(x, r), or be such a function")

    def checked(x: Array, r: float) -> Array:
        values = numbers(function(x, r), "score(x, r)")
        if values.shape != x.shape:
            raise ValueError(f"score(x, r) has shape {values.shape}: must be that of x, {x.shape}")
        return values

    return checked


class ScoreJacobian:
    """J = ∂score/∂x at one point x (D,) and noise ratio r > 0, without the matrix.

    Exact, by automatic differentiation or in closed form, for a score with `jacobian_product` (every `LearnedScore`).
    Otherwise by central differences of length `step`, default 1e-4 √r: exact up to rounding for a linear score;
    J is then taken to be symmetric, as that of every gradient is. ValueError for arguments outside these ranges.
    """

    def __init__(self, score: Any, x: ArrayLike, r: float, step: float | None = None) -> None:
        self.x = numbers(x, "x")
        if self.x.ndim != 1 or self.x.size == 0:
            raise fail("x", x, "must be one point (D,)")
        self.dim, self.r = self.x.size, positive_scalar(r, "r")
        self.step = _STEP * np.sqrt(self.r) if step is None else positive_scalar(step, "step")
        self._score, self._exact = score_function(score), getattr(score, "jacobian_product", None)

    def product(self, v: ArrayLike, *, transpose: bool = False) -> Array:
        """J v, or Jᵀ v, for the rows v (n, D)."""
        vectors = points(v, self.dim, "v")
        if self._exact is not None:
            return self._exact(self.x, self.r, vectors, transpose=transpose)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        directions = self.step * vectors / np.where(lengths > 0, lengths, 1.0)
        difference = self._score(self.x + directions, self.r) - self._score(self.x - directions, self.r)
        return difference * lengths / (2 * self.step)

    def shrinkage(self, v: Array) -> Array:
        """The symmetric part of ∂m/∂x = 1 + r J, applied to rows v: eigenvalues λ/(λ+r), 0 off the manifold."""
        product = self.product(v)
        if self._exact is not None:
            product = (product + self.product(v, transpose=True)) / 2
        return v + self.r * product

    def matrix(self) -> Array:
        """J, (D, D): D products."""
        return self.product(np.eye(self.dim)).T

    def trace(self, rng: np.random.Generator | None = None, probes: int | None = None) -> float:
        """tr J: exact by D products, or unbiased, (D/k) Σ q·Jq, over k = `probes` random orthogonal directions."""
        if probes is None:
            directions = np.eye(self.dim)
        else:
            if positive_integer(probes, "probes") > self.dim:
                raise fail("probes", probes, f"must be ≤ D = {self.dim}")
            directions = orthogonal_matrix(self.dim, rng, probes).T  # type: ignore[arg-type]
        return self.dim / len(directions) * float(np.sum(directions * self.product(directions, transpose=True)))
