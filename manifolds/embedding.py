"""An isometric copy of R^k in R^D: axis-aligned, by a given orthonormal basis, or a random one; shifted if asked."""

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, fail, numbers, points, positive_integer
from ..conventions.haar import orthogonal_matrix
from .value import Value


class Embedding(Value):
    """x = centre + B z with B (D, k) orthonormal; B = None means the first k axes.

    `span_dim` k, `ambient_dim` D ≥ k (default k, or what `basis` says), `basis` (D, k) with orthonormal
    columns, or `rng` to draw B from the Haar measure; `centre` (D,), default the origin. ValueError otherwise.
    """

    span_dim: int
    ambient_dim: int
    basis: Array | None
    centre: Array | None
    _drawn = ("basis",)

    def __init__(
        self,
        span_dim: int,
        ambient_dim: int | None = None,
        basis: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
        centre: ArrayLike | None = None,
    ):
        span_dim = positive_integer(span_dim, "span_dim")
        if basis is not None and rng is not None:
            raise ValueError("basis and rng: give one of them, a basis or a generator to draw it")
        columns = None if basis is None else numbers(basis, "basis")
        if columns is not None and (columns.ndim != 2 or columns.shape[1] != span_dim):
            raise ValueError(f"basis has shape {columns.shape}: must have shape (ambient_dim, {span_dim})")
        default = span_dim if columns is None else columns.shape[0]
        dim = default if ambient_dim is None else positive_integer(ambient_dim, "ambient_dim")
        if dim < span_dim:
            raise fail("ambient_dim", ambient_dim, f"must be ≥ {span_dim}, the dimensions that the data span")
        if columns is not None:
            _check_orthonormal(columns, dim)
        if rng is not None:
            columns = orthogonal_matrix(dim, rng, span_dim)
        self._set(span_dim=span_dim, ambient_dim=dim, basis=columns)
        self._set(centre=None if centre is None else points(centre, dim, "centre")[0])

    def _parameter(self, name: str) -> object:
        implied = name == "ambient_dim" and (self.basis is not None or self.ambient_dim == self.span_dim)
        return None if implied else getattr(self, name)

    def split(self, x: ArrayLike) -> tuple[Array, Array]:
        """Coordinates z (n, k) of points x ((D,) or (n, D)) and their squared distance (n,) from the span."""
        shifted = points(x, self.ambient_dim)
        if self.centre is not None:
            shifted = shifted - self.centre
        if self.basis is None:
            inside, outside = shifted[:, : self.span_dim], shifted[:, self.span_dim :]
            return inside, np.einsum("ij,ij->i", outside, outside)
        inside = shifted @ self.basis
        outside = shifted - inside @ self.basis.T  # rounding only, where the basis is square
        return inside, np.einsum("ij,ij->i", outside, outside)

    def lift(self, z: Array) -> Array:
        """Points x (n, D) at coordinates z (n, k)."""
        lifted = self.lift_vectors(z)
        return lifted if self.centre is None else lifted + self.centre

    def sphere_tangents(self, y: ArrayLike, radius: float) -> Array:
        """Orthonormal basis (D, k-1) of the tangent space of the centred sphere in the span, at one point y (D,)."""
        z, _ = self.split(points(y, self.ambient_dim, "y"))
        if len(z) != 1 or abs(np.linalg.norm(z) / radius - 1) > 1e-6:
            raise ValueError(f"y: must be one point of the sphere of radius {radius:g}")
        _, _, frame = np.linalg.svd(z)
        return self.lift_vectors(frame[1:]).T

    def lift_vectors(self, z: Array) -> Array:
        """Vectors (..., D) with coordinates z (..., k): like `lift` without the shift."""
        if self.basis is not None:
            return z @ self.basis.T
        lifted = np.zeros((*z.shape[:-1], self.ambient_dim))
        lifted[..., : self.span_dim] = z
        return lifted

    def lift_covariance(self, c: Array) -> Array:
        """B C Bᵀ (n, D, D) for C (n, k, k)."""
        if self.basis is not None:
            return self.basis @ c @ self.basis.T
        lifted = np.zeros((len(c), self.ambient_dim, self.ambient_dim))
        lifted[:, : self.span_dim, : self.span_dim] = c
        return lifted


def _check_orthonormal(columns: Array, ambient_dim: int) -> None:
    if columns.shape[0] != ambient_dim:
        raise ValueError(f"basis has shape {columns.shape}: must have {ambient_dim} rows (ambient_dim)")
    error = np.abs(columns.T @ columns - np.eye(columns.shape[1])).max()
    if error > 1e-10:
        raise ValueError(f"basis: must have orthonormal columns (BᵀB differs from 1 by {error:.2g})")
