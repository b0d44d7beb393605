"""How far from a training point its trap still wins, measured along random directions."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate, fraction
from .empirical_score import EmpiricalScore
from .planted_averages import log_own_weight

_WIDEST = 2.0**20  # in units of r: beyond, a direction counts as unbounded
_HALVINGS = 32


class Basin(NamedTuple):
    """Edges ρ of the basin along n rays y^μ + √(ρ r) ξ: 0 where y^μ is not in its own basin, inf where unbounded."""

    edges: Array

    def dominance(self, rho: float) -> Estimate:
        """Fraction of rays that still lie in the basin at ρ, with its standard error."""
        return fraction(self.edges > rho)

    def radius(self) -> Estimate:
        """ρ at which half of the rays have left; half the width of the ±1 s.e. band of the median.

        To be compared with `theory.basin_radius`, which averages ln Z_1/Z_rest where this takes its median.
        ValueError where the median is infinite.
        """
        half = 0.5 / np.sqrt(self.edges.size)
        low, middle, high = np.quantile(self.edges, [0.5 - half, 0.5, 0.5 + half], method="nearest")
        if np.isinf(high):
            raise ValueError("radius: half of the directions or more are unbounded, the basin has no median edge")
        return Estimate(float(middle), float(high - low) / 2)


def basin(empirical: EmpiricalScore, r: float, rng: np.random.Generator, n_rays: int = 500) -> Basin:
    """Where w_μ falls to one half along rays x = y^μ + √(ρ r) ξ, ξ standard normal, at noise ratio r.

    ln Z_1/Z_rest is concave in √ρ (minus a log-sum-exp of linear functions), so that a ray which starts in the basin
    leaves it once at most, and bisection finds the edge, here to 1e-9 relative. Rays are spread evenly over the
    training points. About 45 passes over the points. ValueError: r ≤ 0, n_rays < 16.
    Source: arXiv 2502.09578; derived in docs/dynamics.md §5.
    """
    r = arguments.positive_scalar(r, "r")
    if arguments.positive_integer(n_rays, "n_rays") < 16:
        raise arguments.fail("n_rays", n_rays, "must be ≥ 16, for a median with an error bar")
    planted, index = empirical.planted(r, rng, n_rays)
    y = empirical.training_points(index)
    displacement = planted - y  # √r ξ

    def inside(root: Array) -> NDArray[np.bool_]:
        """Whether w_μ > ½ at √ρ = `root` (n,)."""
        x = y + root[:, None] * displacement
        return log_own_weight(empirical, x, y, r) > -np.log(2)

    return Basin(_edges(inside, n_rays))


def _edges(inside: Callable[[Array], NDArray[np.bool_]], n: int) -> Array:
    """Edges ρ by doubling √ρ from 1 until outside, then bisection."""
    low, high = np.zeros(n), np.ones(n)
    begin = inside(low)
    unbounded = np.ones(n, bool)
    while np.any(unbounded) and high.max() < np.sqrt(_WIDEST):
        unbounded = inside(high)
        low, high = np.where(unbounded, high, low), np.where(unbounded, 2 * high, high)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        within = inside(middle)
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.where(begin, np.where(unbounded, np.inf, low**2), 0.0)
