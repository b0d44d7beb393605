"""The linear denoiser: denoising score matching in closed form, its minimiser the Wiener filter.

Over linear maps with a constant, E|y - c - W u|² + ρ|W|² at x = y + √r ξ, u = x - centre, is least for

    W(r) = Λ (Λ + r + ρ)^{-1}  in the eigenbasis of the covariance of the data,

separately at every r, the average over ξ taken exactly. With the population covariance this is the exact score of the
Gaussian law with that covariance; with that of N points (divided by N) it is what N points teach a linear model:
it never collapses onto them, and its errors are those of a sample covariance (docs/spectra.md §1).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.arguments import Array, fail, nonnegative, nonnegative_scalar, numbers
from .learned_score import LearnedScore


class LinearScore(LearnedScore):
    """Linear score with variances λ along orthonormal directions, and 0 in all others.

    Args:
        variances: (k,) ≥ 0, at least one > 0 unless all directions are to be denoised away.
        basis: (D, k) with orthonormal columns; default the first k axes of D = k.
        centre: (D,), default the origin.
        ridge: ρ ≥ 0, in units of the variances.

    Raises:
        ValueError: for another shape, a negative variance or ridge, or a basis that is not orthonormal to 1e-8.
    """

    def __init__(
        self, variances: ArrayLike, basis: ArrayLike | None = None, centre: ArrayLike | None = None, ridge: float = 0.0
    ) -> None:
        self.variances = nonnegative(variances, "variances")
        if self.variances.ndim != 1 or self.variances.size == 0:
            raise fail("variances", variances, "must be a list of k ≥ 1 numbers")
        k = self.variances.size
        self.basis = np.eye(k) if basis is None else numbers(basis, "basis")
        if self.basis.ndim != 2 or self.basis.shape[1] != k or not _orthonormal(self.basis):
            raise ValueError(f"basis has shape {self.basis.shape}: must be (D, {k}) with orthonormal columns")
        self.ambient_dim = len(self.basis)
        origin = np.zeros(self.ambient_dim) if centre is None else centre
        self.centre = arguments.points(origin, self.ambient_dim, "centre")[0]
        self.ridge = nonnegative_scalar(ridge, "ridge")

    @classmethod
    def fit(cls, points: ArrayLike, ridge: float = 0.0) -> "LinearScore":
        """Trained on `points` (N, D): their mean and covariance (divided by N); at most N - 1 directions."""
        data = numbers(points, "points")
        if data.ndim != 2 or data.size == 0:
            raise ValueError(f"points has shape {data.shape}: must be (N, D) with N ≥ 1 and D ≥ 1")
        centre = data.mean(axis=0)
        _, singular, rows = np.linalg.svd((data - centre) / np.sqrt(len(data)), full_matrices=False)
        return cls(singular**2, rows.T, centre, ridge)

    @classmethod
    def from_covariance(
        cls, covariance: ArrayLike, centre: ArrayLike | None = None, ridge: float = 0.0
    ) -> "LinearScore":
        """Trained on infinitely many points of a law with this covariance (D, D) and mean `centre`.

        ValueError for a matrix that is not symmetric, or negative beyond rounding.
        """
        matrix = numbers(covariance, "covariance")
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.allclose(matrix, matrix.T, rtol=1e-9):
            raise ValueError(f"covariance has shape {matrix.shape}: must be a symmetric matrix (D, D)")
        values, vectors = np.linalg.eigh(matrix)
        if values[0] < -1e-9 * np.abs(values).max():
            raise fail("covariance", matrix, f"must not have negative eigenvalues (found {values[0]:g})")
        # what a vanishing eigenvalue comes out as, on any processor
        rounding = max(len(values), 256) * np.finfo(np.float64).eps * values[-1]
        return cls(np.where(values > rounding, values, 0.0), vectors, centre, ridge)

    def _mean(self, x: Array, ratio: Array) -> Array:
        along = (x - self.centre) @ self.basis
        return self.centre + (along * self._gains(ratio)) @ self.basis.T

    def _score(self, x: Array, ratio: Array) -> Array:
        """-u_⊥/r - Σ_k (r + ρ)/(r (λ + r + ρ)) u_k b_k: no digits cancel along the manifold."""
        return self._apply(x - self.centre, ratio)

    def _jacobians(self, x: Array, ratio: Array, of: str) -> Iterator[Array]:
        for r in ratio:
            if of == "mean":
                yield ((self.basis * self._gains(r)) @ self.basis.T)[None]
            else:
                yield self._apply(np.eye(self.ambient_dim), r)[None]

    def _product(self, x: Array, ratio: Array, v: Array, transpose: bool) -> Array:
        return self._apply(v, ratio)

    def _traces(self, x: Array, ratio: Array, frames: list[Array] | None) -> Array:
        return self._gains(ratio).sum(axis=1)

    def _gains(self, ratio: Array) -> Array:
        """λ/(λ + r + ρ)."""
        return self.variances / (self.variances + ratio + self.ridge)

    def _apply(self, u: Array, ratio: Array) -> Array:
        """J u for rows u (n, D)."""
        along = u @ self.basis
        slopes = (ratio + self.ridge) / ratio / (self.variances + ratio + self.ridge)
        return -(u - along @ self.basis.T) / ratio - (along * slopes) @ self.basis.T


def _orthonormal(basis: Array) -> bool:
    return bool(np.abs(basis.T @ basis - np.eye(basis.shape[1])).max() < 1e-8)
