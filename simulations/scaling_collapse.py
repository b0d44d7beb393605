"""The transition of one law and size in the variable in which all sizes fall together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate
from ..conventions.law import Law
from ..theory.finite_size.scaling import information_variance
from .data_sets import over_data_sets
from .empirical_score import EmpiricalScore
from .planted_averages import planted_averages


class ScalingCurve(NamedTuple):
    """One curve, arrays over r: u = (ln N - I)/√V, the width √V [nats], E w_1 and the excess entropy [nats]."""

    ratios: Array
    u: Array
    width: Array
    retrieval: Estimate
    excess_entropy: Estimate


def scaling_curve(
    law: Law,
    n_points: int,
    ratios: ArrayLike,
    rng: np.random.Generator,
    replicas: int = 16,
    n_queries: int = 256,
) -> ScalingCurve:
    """Measured retrieval and excess entropy of N points of `law` at `ratios`, over data sets, against u and √V.

    At large size E w_1 → Φ(-u) and (excess entropy)/√V → φ(u) + u Φ(u) for every law (`theory.finite_size.scaling`,
    which has the corrections). `law` has closed energies (Linear, Sphere, products, mixtures of one spread).
    ValueError: r ≤ 0, a law without it. Source: docs/theory.md §5; docs/finite_size.md §4.
    """
    ratios = np.atleast_1d(arguments.positive(ratios, "ratios"))
    variance = [information_variance(law, float(r)).total for r in ratios]
    width = np.sqrt(variance)

    def averages(empirical: EmpiricalScore, rng: np.random.Generator) -> Array:
        found = planted_averages(empirical, ratios, rng, n_queries)
        return np.array([found.retrieval.mean, found.excess_entropy.mean])

    mean, stderr = over_data_sets(law, n_points, averages, rng, replicas)
    u = (np.log(n_points) - np.asarray(law.information(ratios))) / width
    return ScalingCurve(ratios, u, width, Estimate(mean[0], stderr[0]), Estimate(mean[1], stderr[1]))
