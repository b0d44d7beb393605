"""The hidden manifold: data on a curved random manifold, known through the replica method."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from theory.hidden_information import Function, State, activation_function, information_density, states
from theory.validation import Array, generator, points, positive, positive_integer, positive_scalar

_STEP = 0.03  # in ln r, for d(r) = -2 dI/d ln r


class HiddenManifold:
    """y = f(W z/√d), z ~ N(0, 1)^d, W (D × d) of independent N(0, 1) entries drawn once from `rng`.

    `latent_dim` d, `ambient_dim` D, `activation` f: linear, tanh, erf, relu, sign, sin or any vectorised callable.
    I(r) and d(r) are replica-symmetric values, exact for d, D → ∞ at fixed α = D/d and typical W; at finite d they
    differ by O(1) nat in the total (tanh, α = 2, r = 0.3: 0.551, 0.576, 0.584 per latent dimension at d = 6, 10, 14
    against 0.588). The law at a given point x has no closed form: sample it and use the empirical score. ValueError
    for bad arguments, and at r so small that the replica sums do not resolve f (theory.hidden_information.states).
    Source: arXiv 2502.09578, 2502.04339; theory notes §7, docs/hidden_manifold.md.
    """

    def __init__(
        self,
        latent_dim: int,
        ambient_dim: int,
        activation: str | Function = "tanh",
        *,
        rng: np.random.Generator,
    ):
        self.latent_dim = positive_integer(latent_dim, "latent_dim")
        self.ambient_dim = positive_integer(ambient_dim, "ambient_dim")
        self.activation = activation
        self._function = activation_function(activation)
        self.weights = generator(rng).standard_normal((self.ambient_dim, self.latent_dim))
        self.intrinsic_dim = min(self.latent_dim, self.ambient_dim)
        self._density = lru_cache(maxsize=512)(
            lambda r: information_density(self.activation, r, self.ambient_dim / self.latent_dim)
        )

    def __repr__(self) -> str:
        name = self.activation if isinstance(self.activation, str) else getattr(self.activation, "__name__", "callable")
        return f"HiddenManifold(latent_dim={self.latent_dim}, ambient_dim={self.ambient_dim}, activation={name})"

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """`n` points of the law, shape (n, D)."""
        return self.image(generator(rng).standard_normal((positive_integer(n, "n"), self.latent_dim)))

    def image(self, z: ArrayLike) -> Array:
        """f(W z/√d) of latent points z (d,) or (n, d), shape (D,) or (n, D)."""
        latent = points(z, self.latent_dim, "z")
        y = self._function(latent @ self.weights.T / np.sqrt(self.latent_dim))
        return y[0] if np.ndim(z) == 1 else y

    def tangent_basis(self, z: ArrayLike) -> Array:
        """Orthonormal basis (D, d) of the tangent space at the image of one latent point z (d,), smooth f, d ≤ D."""
        latent = points(z, self.latent_dim, "z")
        if len(latent) != 1:
            raise ValueError("z: must be one latent point")
        u = latent[0] @ self.weights.T / np.sqrt(self.latent_dim)
        h = 1e-3
        near = self._function(u + h) - self._function(u - h)
        far = self._function(u + 2 * h) - self._function(u - 2 * h)
        slope = (8 * near - far) / (12 * h)
        return np.linalg.qr(slope[:, None] * self.weights)[0]

    @property
    def mean(self) -> Array:
        """E y, shape (D,): that of the row norms of W as drawn."""
        nodes = ndtri((np.arange(4096) + 0.5) / 4096)
        scale = np.linalg.norm(self.weights, axis=1) / np.sqrt(self.latent_dim)
        return self._function(scale[:, None] * nodes).mean(axis=1)

    def information(self, r: ArrayLike) -> Array:
        """I(r) in nats, the replica value per latent dimension times d; r > 0 of any shape."""
        values = np.vectorize(lambda ratio: self._density(float(ratio)), otypes=[np.float64])
        return self.latent_dim * values(positive(r, "r"))[()]

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = -2 dI/d ln r by a five-point rule, relative error about 1e-6 between transitions."""
        ratio = positive(r, "r")
        near = self.information(ratio * np.exp(_STEP)) - self.information(ratio * np.exp(-_STEP))
        far = self.information(ratio * np.exp(2 * _STEP)) - self.information(ratio * np.exp(-2 * _STEP))
        return -2 * (8 * near - far) / (12 * _STEP)

    def states(self, r: float) -> tuple[State, ...]:
        """Equilibrium and metastable states of the posterior at noise ratio r, information in nats per latent dim."""
        return states(self.activation, positive_scalar(r, "r"), self.ambient_dim / self.latent_dim)
