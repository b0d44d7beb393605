"""Local condensation at a probe, measured: how many training points the posterior there still counts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate
from ..conventions.law import Law
from .data_sets import over_data_sets
from .empirical_score import EmpiricalScore


class ProbeCondensation(NamedTuple):
    """At a probe, over data sets, arrays over r: E Y, and E K/ln N, the empirical divergence in units of its ceiling.

    `population` is K(x, r)/ln N of the law itself: its crossing of 1 is `theory.local_condensation`.
    """

    ratios: Array
    participation: Estimate
    divergence: Estimate
    population: Array


def probe_condensation(
    law: Law,
    n_points: int,
    direction_or_probe: int | ArrayLike,
    ratios: ArrayLike,
    rng: np.random.Generator,
    replicas: int = 64,
) -> ProbeCondensation:
    """Participation and local divergence of N points of `law` at a probe, over independent data sets.

    An integer i: the probe E y + √r e_i of arXiv 2410.08727, which moves with r; an array (D,): a fixed point.
    ValueError: N < 2, r ≤ 0, probe of wrong shape. Source: docs/theory.md §4.
    """
    ratios = np.atleast_1d(arguments.positive(ratios, "ratios"))
    if arguments.positive_integer(n_points, "n_points") < 2:
        raise arguments.fail("n_points", n_points, "must be ≥ 2, for ln N > 0")
    if isinstance(direction_or_probe, (int, np.integer)):
        probes = law.mean + np.sqrt(ratios)[:, None] * law.direction(int(direction_or_probe))
    else:
        probes = arguments.points(direction_or_probe, law.ambient_dim, "direction_or_probe")
        if len(probes) != 1:
            raise ValueError(f"direction_or_probe has shape {probes.shape}: must be one point ({law.ambient_dim},)")
        probes = np.repeat(probes, ratios.size, axis=0)

    def observe(empirical: EmpiricalScore, rng: np.random.Generator) -> Array:
        p = empirical.observe(probes, ratios)
        return np.array([p.participation, 1 - p.entropy / np.log(n_points)])

    mean, stderr = over_data_sets(law, n_points, observe, rng, replicas)
    exact = [float(law.local_divergence(x, float(r))) / np.log(n_points) for x, r in zip(probes, ratios, strict=True)]
    return ProbeCondensation(ratios, Estimate(mean[0], stderr[0]), Estimate(mean[1], stderr[1]), np.array(exact))
