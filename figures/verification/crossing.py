"""The exact empirical score around a predicted point: where a measured mean takes a level."""

from typing import TYPE_CHECKING

import numpy as np

from ...conventions.arguments import Array
from ...manifolds import Linear

if TYPE_CHECKING:
    from ...simulations import EmpiricalScore

STEP = np.array([-0.02, 0.02])  # the two places around a predicted point between which the measured one is interpolated


def crossing(level: float, values: Array, at: Array) -> float:
    """Where a decreasing curve, measured at two close places, takes the value `level`."""
    return float(at[0] + (values[0] - level) / (values[0] - values[1]) * (at[1] - at[0]))


def log_advantage(law: Linear, n: int, noise: float, r: Array, rng: np.random.Generator, count: int) -> Array:
    """ln Z_1/Z_rest at `count` points x = y^1 + √noise·r ξ, y^1 beside n - 1 others, shape (len(r), count)."""
    from ...simulations import EmpiricalScore

    rest = EmpiricalScore(law.sample(n - 1, rng))
    y, xi = law.sample(count, rng), rng.standard_normal((count, law.ambient_dim))
    own = noise * np.sum(xi**2, axis=1) / 2
    return np.array([-own - log_sum(rest, y + np.sqrt(noise * ratio) * xi, ratio) for ratio in r])


def log_sum(score: "EmpiricalScore", x: Array, r: float) -> Array:
    """ln Σ_μ exp(-|x-y^μ|²/2r)."""
    constant = np.log(score.n_points) + 0.5 * score.ambient_dim * np.log(2 * np.pi * r)
    return np.asarray(score.log_density(x, r)) + constant
