"""The points at which a score is asked: one, or clean ones that are noised."""

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, fail, generator, numbers


def one_point(x: ArrayLike, least: int = 1) -> Array:
    """x as one point (D,), D ≥ `least`; ValueError otherwise."""
    point = numbers(x, "x")
    if point.ndim != 1 or point.size < least:
        raise fail("x", x, f"must be one point (D,) with D ≥ {least} coordinates")
    return point


def clean_and_noise(points: ArrayLike, rng: np.random.Generator) -> tuple[Array, Array]:
    """Clean points y (n, D), n ≥ 2 for an error bar, and one ξ for each, the same at every r: x = y + √r ξ."""
    clean = numbers(points, "points")
    if clean.ndim != 2 or len(clean) < 2 or clean.shape[1] == 0:
        raise ValueError(f"points has shape {clean.shape}: must be (n, D) with n ≥ 2")
    return clean, generator(rng).standard_normal(clean.shape)
