"""Dimension and participation along reverse trajectories."""

from typing import NamedTuple

import numpy as np

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate
from ..conventions.progress import tracked
from ..manifolds.manifold import Manifold
from .empirical_score import EmpiricalScore
from .reverse import Trajectory


class Profile(NamedTuple):
    """Means over trajectories at each of `ratios` (T,): d = tr C/r, Y = Σ w² (None for a population)."""

    ratios: Array
    dimension: Estimate
    participation: Estimate | None


def profile(law: EmpiricalScore | Manifold, trajectory: Trajectory) -> Profile:
    """Dimension tr C(x, r)/r and participation at the points of `trajectory`, with standard errors over trajectories.

    Along exact trajectories that start from p_r the means are those of `dimension(r)` and `participation` at every
    r; along others they show what the start or the integrator does. A last ratio of 0 is left out. The n trajectories
    are independent, the ratios of one trajectory are not. ValueError: fewer than two trajectories.
    Source: docs/theory.md §2, §3.
    """
    kept = trajectory.ratios > 0
    ratios, points = trajectory.ratios[kept], trajectory.x[kept]
    if points.shape[1] < 2:
        raise arguments.fail("trajectory", trajectory.x.shape, "must hold two or more trajectories, for an error bar")
    values = [_observe(law, x, float(r)) for r, x in tracked(list(zip(ratios, points, strict=True)), "profile")]
    dimension = Estimate.of(np.array([d for d, _ in values]))
    shares = [y for _, y in values if y is not None]
    return Profile(ratios, dimension, Estimate.of(np.array(shares)) if shares else None)


def _observe(law: EmpiricalScore | Manifold, x: Array, r: float) -> tuple[Array, Array | None]:
    if isinstance(law, EmpiricalScore):
        p = law.observe(x, r)
        return np.maximum(p.mean_square_distance - np.sum((x - p.mean) ** 2, axis=1), 0.0) / r, p.participation
    return np.trace(law.posterior_covariance(x, r), axis1=1, axis2=2) / r, None
