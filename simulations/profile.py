"""Dimension and participation along reverse trajectories."""

from typing import NamedTuple

import numpy as np

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate
from ..conventions.progress import tracked
from ..conventions.score import ProfiledScore
from .reverse import Trajectory


class Profile(NamedTuple):
    """Means over trajectories at each of `ratios` (T,): d = tr C/r, Y = Σ w² (None without training points)."""

    ratios: Array
    dimension: Estimate
    participation: Estimate | None


def profile(score: ProfiledScore, trajectory: Trajectory) -> Profile:
    """Dimension tr C(x, r)/r and participation at the points of `trajectory`, with standard errors over trajectories.

    Along exact trajectories that start from p_r the means are those of `dimension(r)` and `participation` at every
    r; along others they show what the start or the integrator does. A last ratio of 0 is left out. The n trajectories
    are independent, the ratios of one trajectory are not. `score`: a law, N points, or a learned score.
    ValueError: fewer than two trajectories.
    Source: docs/theory.md §2, §3.
    """
    kept = trajectory.ratios > 0
    ratios, points = trajectory.ratios[kept], trajectory.x[kept]
    if points.shape[1] < 2:
        raise arguments.fail("trajectory", trajectory.x.shape, "must hold two or more trajectories, for an error bar")
    at = tracked(list(zip(ratios, points, strict=True)), "profile")
    dimension, shares = zip(*(score.local_averages(x, float(r)) for r, x in at), strict=True)
    condensed = None if shares[0] is None else Estimate.of(np.array(shares))
    return Profile(ratios, Estimate.of(np.array(dimension)), condensed)
