"""The points and queries of the benchmarks: normal clouds of a given spectrum, real digits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..theory import collapse


@dataclass(frozen=True)
class Problem:
    """N points of D dimensions and Q planted queries at noise ratio r.

    `decay` a: variances k^-a, k = 1 … D (0: isotropic).  `rank`: the points span only so many dimensions.
    `over_collapse`: r as a multiple of the collapse ratio of the law, in place of `r`.
    `images`: real training images instead (MNIST if its package is installed), centred, in units of their spread.
    """

    n_points: int
    dim: int
    n_queries: int
    r: float | None = None
    decay: float = 0.0
    rank: int | None = None
    over_collapse: float | None = None
    images: bool = False

    def float64(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Points (N, D), queries (Q, D), r."""
        rng = np.random.default_rng(0)
        points = self._images() if self.images else self._cloud(rng)
        r = self.ratio()
        planted = points[rng.integers(len(points), size=self.n_queries)]
        return points, planted + np.sqrt(r) * rng.standard_normal(planted.shape), r

    def float32(self) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
        """The same in single precision."""
        points, queries, r = self.float64()
        return points.astype(np.float32), queries.astype(np.float32), r

    def ratio(self) -> float:
        """The noise ratio r."""
        if self.r is not None:
            return self.r
        from ..manifolds import Linear

        law = Linear(np.arange(1, self.dim + 1) ** -self.decay)
        return float(self.over_collapse or 1.0) * collapse(law, log_n=float(np.log(self.n_points)))

    def _cloud(self, rng: np.random.Generator) -> NDArray[np.float64]:
        width = self.rank or self.dim
        points = rng.standard_normal((self.n_points, width)) * np.arange(1, width + 1) ** (-self.decay / 2)
        if self.rank is None:
            return points
        axes = np.linalg.qr(rng.standard_normal((self.dim, self.rank)))[0]
        return points @ axes.T

    def _images(self) -> NDArray[np.float64]:
        from ..manifolds import mnist

        pixels = np.asarray(mnist(self.n_points).points, dtype=np.float64)
        return (pixels - pixels.mean(axis=0)) / pixels.std()
