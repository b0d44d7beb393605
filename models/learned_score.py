"""What every learned score answers, whatever it is made of: the names that the exact and the empirical score use too.

A subclass evaluates its posterior mean, score and Jacobian; this class checks arguments, averages and diagonalises.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.arguments import Array, fail, generator, positive, positive_integer
from ..conventions.estimate import Estimate
from ..conventions.haar import orthogonal_matrix
from ..conventions.score import LocalAverages


class LearnedScore(ABC):
    """Posterior mean, score and Jacobian of a model of the score.

    Points x are (D,) or (n, D), `ambient_dim` = D; r is one number > 0 or one per point (n,); arrays are float64.
    A learned score need not be a gradient: its Jacobian need not be symmetric.
    ValueError for an argument outside its range, in every method.
    """

    ambient_dim: int

    # ---- what a subclass provides, for x (n, D) and ratio (n, 1) ---------------------------------------------------

    @abstractmethod
    def _mean(self, x: Array, ratio: Array) -> Array:
        """m(x, r), (n, D)."""

    @abstractmethod
    def _score(self, x: Array, ratio: Array) -> Array:
        """(m - x)/r, (n, D), without loss of digits at small r."""

    @abstractmethod
    def _jacobians(self, x: Array, ratio: Array, of: str) -> Iterator[Array]:
        """∂m_i/∂x_j (`of` "mean") or ∂s_i/∂x_j ("score"), (n, D, D), some points at a time."""

    @abstractmethod
    def _product(self, x: Array, ratio: Array, v: Array, transpose: bool) -> Array:
        """J v or Jᵀ v at each point, (n, D), J = ∂score/∂x."""

    # ---- what it answers -------------------------------------------------------------------------------------------

    def posterior_mean(self, x: ArrayLike, r: ArrayLike) -> Array:
        """The denoiser m(x, r), shape of x."""
        return self._mean(*self._arguments(x, r)).reshape(np.shape(x))

    def score(self, x: ArrayLike, r: ArrayLike) -> Array:
        """(m(x, r) - x)/r, the learned ∇ log p_r, shape of x."""
        return self._score(*self._arguments(x, r)).reshape(np.shape(x))

    def posterior_covariance(self, x: ArrayLike, r: ArrayLike) -> Array:
        """C = r ∂m/∂x, shape (D, D) or (n, D, D): the posterior covariance if this were an exact score.

        Returned as it is: element [i, j] is r ∂m_i/∂x_j, not symmetrised, eigenvalues may be negative.
        """
        batch, ratio = self._arguments(x, r)
        covariance = ratio[:, :, None] * np.concatenate(list(self._jacobians(batch, ratio, "mean")))
        return covariance.reshape(*np.shape(x), self.ambient_dim)

    def jacobian_spectrum(self, x: ArrayLike, r: ArrayLike, k: int | None = None) -> Array:
        """Eigenvalues of the *symmetric part* of J = ∂score/∂x, descending: the k largest, or all D; (k,) or (n, k).

        For an exact score J = -(1 - C/r)/r is symmetric and this is its spectrum: tangent directions near 0
        (-1/(λ+r) for variance λ), normal ones near -1/r. For large D see `probes.jacobian_spectrum`.
        """
        batch, ratio = self._arguments(x, r)
        kept = self.ambient_dim if k is None else positive_integer(k, "k")
        if kept > self.ambient_dim:
            raise fail("k", k, f"must be ≤ D = {self.ambient_dim}")
        parts = [
            np.linalg.eigvalsh((jacobian + jacobian.transpose(0, 2, 1)) / 2)[:, ::-1][:, :kept]
            for jacobian in self._jacobians(batch, ratio, "score")
        ]
        return np.concatenate(parts).reshape(*np.shape(x)[:-1], kept)

    def jacobian_product(self, x: ArrayLike, r: ArrayLike, v: ArrayLike, *, transpose: bool = False) -> Array:
        """J v, or Jᵀ v, without the matrix: v (n, D), at the points x (n, D), or all at one point x (D,).

        Returns the shape of v.
        """
        vectors = arguments.points(v, self.ambient_dim, "v")
        batch = arguments.points(x, self.ambient_dim)
        if len(batch) == 1:
            batch = np.broadcast_to(batch, vectors.shape)
        if batch.shape != vectors.shape:
            raise ValueError(f"v has shape {vectors.shape}: must be (n, D) with one row per point {batch.shape}")
        batch, ratio = self._arguments(batch, r)
        return self._product(batch, ratio, vectors, transpose).reshape(np.shape(v))

    def local_averages(self, x: ArrayLike, r: ArrayLike) -> LocalAverages:
        """tr ∂m/∂x at each point, and no participation: a network has no training points."""
        traces = self._traces(*self._arguments(x, r), None)
        return LocalAverages(traces.reshape(np.shape(x)[:-1])[()], None)

    def dimension(
        self, r: ArrayLike, rng: np.random.Generator, *, points: ArrayLike, probes: int | None = None
    ) -> Estimate:
        """d(r) = E tr ∂m/∂x at x = y + √r ξ, y the given clean points (training or held out).

        For an exact score this is E tr C/r = MMSE/r (docs/theory.md §2). Every point is used once, with the
        same ξ at every r, so that the curve is smooth in r.

        Args:
            r: noise ratio, one number or an array of any shape.
            rng: draws ξ, and the probes.
            points: (n, D), n ≥ 2.
            probes: estimate each trace from that many random orthogonal directions, instead of exactly (as D); for
                images, where D passes per point are too many. Unbiased; its scatter is part of the error.

        Returns:
            Estimate(mean, stderr) of the shape of r; the error is that of the mean over points, ξ and probes.
        """
        clean, ratios = arguments.points(points, self.ambient_dim, "points"), positive(r, "r")
        if len(clean) < 2:
            raise ValueError(f"points has shape {np.shape(points)}: two points at least are needed for an error bar")
        if probes is not None and positive_integer(probes, "probes") > self.ambient_dim:
            raise fail("probes", probes, f"must be ≤ D = {self.ambient_dim}")
        xi = generator(rng).standard_normal(clean.shape)
        frames = None if probes is None else [orthogonal_matrix(self.ambient_dim, rng, probes).T for _ in clean]
        column = np.ones((len(clean), 1))
        traces = np.array([self._traces(clean + np.sqrt(s) * xi, s * column, frames) for s in ratios.ravel()])
        return Estimate.of(traces.reshape(*ratios.shape, len(clean)))

    # ---- inner workings --------------------------------------------------------------------------------------------

    def _arguments(self, x: ArrayLike, r: ArrayLike) -> tuple[Array, Array]:
        """Points (n, D) and noise ratios (n, 1)."""
        batch, ratio = arguments.points(x, self.ambient_dim), positive(r, "r")
        if ratio.ndim and ratio.shape != (len(batch),):
            raise ValueError(f"r has shape {ratio.shape}: must be one number or one per point ({len(batch)},)")
        return batch, np.broadcast_to(ratio, len(batch))[:, None]

    def _traces(self, x: Array, ratio: Array, frames: list[Array] | None) -> Array:
        """tr ∂m/∂x at each point, (n,): exact, or D + r (D/k) Σ q·Jq over the k rows q of that point's frame."""
        if frames is None:
            return np.concatenate([np.trace(part, axis1=1, axis2=2) for part in self._jacobians(x, ratio, "mean")])
        q = np.concatenate(frames)
        repeats = len(frames[0])
        products = self._product(np.repeat(x, repeats, axis=0), np.repeat(ratio, repeats, axis=0), q, True)
        quotients = np.einsum("nd,nd->n", q, products).reshape(len(x), repeats)
        return self.ambient_dim * (1 + ratio[:, 0] * quotients.mean(axis=1))
