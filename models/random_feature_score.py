"""The random-feature denoiser: ridge regression at every r, its average over the noise in closed form.

    m(x, r) = centre + s (A_r φ(u) + B_r u + c_r),   u = (x - centre)/s,   s = rms coordinate of the centred data,
    φ_i(u) = √2 cos(k_i·u + b_i),   k_i ~ N(0, 1/ℓ²) (D,),  b_i uniform:   kernel exp(-|u-u'|²/2ℓ²)   (Rahimi–Recht)

A_r, B_r and c_r minimise E|y - m|² + ρ (|A|² + |B|²) over the N points y and *all* noise, from the moments

    E φ_i(u)       = √2 d_i ⟨cos θ_i⟩,   d_i = exp(-r|k_i|²/2),   θ_i = k_i·y + b_i
    E φ_i φ_j      = e^{-r|k_i - k_j|²/2} ⟨cos(θ_i - θ_j)⟩ + e^{-r|k_i + k_j|²/2} ⟨cos(θ_i + θ_j)⟩
    E ξ √r φ_i     = -r k_i √2 d_i ⟨sin θ_i⟩      (Gaussian integration by parts),

⟨·⟩ over the points, r in units of s². Two p × p sums over the data serve every r. Derived, docs/models.md §3.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cho_factor, cho_solve

from ..conventions.arguments import Array, fail, generator, numbers, positive_integer, positive_scalar
from .learned_score import LearnedScore

_KEPT = 64  # fits at different r that are remembered


class Weights(NamedTuple):
    """A (D, p), B (D, D), c (D,) at one r, and the mean squared error E|y - m|² on the training points."""

    features: Array
    linear: Array
    constant: Array
    loss: float


class RandomFeatureScore(LearnedScore):
    """Random Fourier features and a linear map, fitted to `points` in closed form at each r that is asked for.

    As p grows and ρ falls it tends to the empirical score, on which it collapses; at small p it generalizes.

    Args:
        points: training set (N, D), not all equal.
        n_features: p. A fit takes of order (p + D)³ operations.
        rng: draws the features.
        length: ℓ, in units of the rms coordinate s; default √D, the typical distance from the centre.
        ridge: ρ > 0, against features of unit mean square.

    Raises:
        ValueError: for an argument outside its range; in the methods, for a ridge too small for the normal equations
            to be solved in float64.
    """

    def __init__(
        self,
        points: ArrayLike,
        n_features: int,
        rng: np.random.Generator,
        length: float | None = None,
        ridge: float = 1e-6,
    ) -> None:
        data = numbers(points, "points")
        if data.ndim != 2 or data.size == 0:
            raise ValueError(f"points has shape {data.shape}: must be (N, D) with N ≥ 1 and D ≥ 1")
        self.ambient_dim, self.centre = data.shape[1], data.mean(axis=0)
        self.sigma_data = float(np.sqrt(np.mean((data - self.centre) ** 2)))
        if not self.sigma_data > 0:
            raise fail("points", data, "must not be all the same point")
        self.ridge = positive_scalar(ridge, "ridge")
        self.length = np.sqrt(self.ambient_dim) if length is None else positive_scalar(length, "length")
        p = positive_integer(n_features, "n_features")
        self.wave_vectors = generator(rng).standard_normal((p, self.ambient_dim)) / self.length
        self.phases = rng.uniform(0, 2 * np.pi, p)
        self._moments(data)
        self._fits: dict[float, Weights] = {}

    def denoising_loss(self, r: float) -> float:
        """E|y - m(x, r)|² over the training points and the noise, exact; squared units of the data."""
        return self._weights(positive_scalar(r, "r")).loss * self.sigma_data**2

    # ---- the fit ---------------------------------------------------------------------------------------------------

    def _moments(self, data: Array) -> None:
        """Averages over the points that do not depend on r."""
        y = (data - self.centre) / self.sigma_data
        angles = y @ self.wave_vectors.T + self.phases
        cosines, sines, n = np.cos(angles), np.sin(angles), len(y)
        even, odd = cosines.T @ cosines / n, sines.T @ sines / n
        self._difference, self._sum = even + odd, even - odd  # ⟨cos(θ_i - θ_j)⟩ and ⟨cos(θ_i + θ_j)⟩
        self._cosine, self._sine = cosines.mean(axis=0), sines.mean(axis=0)
        self._covariance, self._cross = y.T @ y / n, y.T @ cosines / n
        squares = np.sum(self.wave_vectors**2, axis=1)
        products = self.wave_vectors @ self.wave_vectors.T
        self._square = squares
        self._square_difference = np.maximum(squares[:, None] + squares - 2 * products, 0.0)
        self._square_sum = np.maximum(squares[:, None] + squares + 2 * products, 0.0)

    def _weights(self, r: float) -> Weights:
        if r not in self._fits:
            if len(self._fits) >= _KEPT:
                self._fits.pop(next(iter(self._fits)))
            self._fits[r] = self._fit(r / self.sigma_data**2)
        return self._fits[r]

    def _fit(self, r: float) -> Weights:
        """The normal equations; the constant is eliminated by taking covariances instead of second moments."""
        d, p = self.ambient_dim, len(self.phases)
        damped = np.sqrt(2) * np.exp(-r * self._square / 2)
        mean = damped * self._cosine
        target = np.hstack([damped * self._cross, self._covariance])  # E y (φ, u)ᵀ; E y = 0
        matrix = np.empty((p + d, p + d))
        matrix[:p, :p] = np.exp(-r * self._square_difference / 2) * self._difference
        matrix[:p, :p] += np.exp(-r * self._square_sum / 2) * self._sum - np.outer(mean, mean)
        matrix[p:, :p] = damped * self._cross - r * self.wave_vectors.T * (damped * self._sine)
        matrix[:p, p:] = matrix[p:, :p].T
        matrix[p:, p:] = self._covariance + r * np.eye(d)
        try:
            factor = cho_factor(matrix + self.ridge * np.eye(p + d), lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            raise fail(
                "ridge", self.ridge, f"too small for the normal equations at r = {r * self.sigma_data**2:g}"
            ) from None
        solution = cho_solve(factor, target.T, check_finite=False).T
        loss = np.trace(self._covariance) - 2 * np.sum(solution * target) + np.sum((solution @ matrix) * solution)
        return Weights(solution[:, :p], solution[:, p:], -solution[:, :p] @ mean, float(loss))

    # ---- what a learned score provides -----------------------------------------------------------------------------

    def _mean(self, x: Array, ratio: Array) -> Array:
        u, mean = (x - self.centre) / self.sigma_data, np.empty_like(x)
        for r, rows in _groups(ratio):
            weights = self._weights(r)
            features = np.sqrt(2) * np.cos(self._angles(u[rows]))
            mean[rows] = features @ weights.features.T + u[rows] @ weights.linear.T + weights.constant
        return self.centre + self.sigma_data * mean

    def _score(self, x: Array, ratio: Array) -> Array:
        return (self._mean(x, ratio) - x) / ratio

    def _jacobians(self, x: Array, ratio: Array, of: str) -> Iterator[Array]:
        u = (x - self.centre) / self.sigma_data
        for point, r in zip(u, ratio[:, 0], strict=True):
            weights = self._weights(float(r))
            slopes = -np.sqrt(2) * np.sin(self._angles(point))
            jacobian = (weights.features * slopes) @ self.wave_vectors + weights.linear
            yield (jacobian if of == "mean" else (jacobian - np.eye(self.ambient_dim)) / r)[None]

    def _product(self, x: Array, ratio: Array, v: Array, transpose: bool) -> Array:
        u, product = (x - self.centre) / self.sigma_data, np.empty_like(v)
        for r, rows in _groups(ratio):
            weights = self._weights(r)
            slopes = -np.sqrt(2) * np.sin(self._angles(u[rows]))
            if transpose:
                inner = (v[rows] @ weights.features * slopes) @ self.wave_vectors + v[rows] @ weights.linear
            else:
                inner = (v[rows] @ self.wave_vectors.T * slopes) @ weights.features.T + v[rows] @ weights.linear.T
            product[rows] = (inner - v[rows]) / r
        return product

    def _angles(self, u: Array) -> Array:
        return u @ self.wave_vectors.T + self.phases


def _groups(ratio: Array) -> Iterator[tuple[float, Array]]:
    """Each noise ratio with the mask of its rows."""
    for r in np.unique(ratio[:, 0]):
        yield float(r), ratio[:, 0] == r
