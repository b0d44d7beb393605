"""Averages over independent data sets: the disorder average that theory takes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.estimate import Estimate
from ..conventions.law import Law
from ..conventions.progress import tracked
from .empirical_score import EmpiricalScore


def over_data_sets(
    law: Law,
    n_points: int,
    measure: Callable[[EmpiricalScore, np.random.Generator], ArrayLike],
    rng: np.random.Generator,
    replicas: int = 32,
) -> Estimate:
    """Mean of measure(empirical, rng) over `replicas` independent data sets of `n_points` points of `law`.

    `measure` returns a number or an array of fixed shape; the mean has that shape. The standard error is that over
    data sets, whatever is correlated within one. ValueError: replicas < 2, n_points < 1.
    """
    if arguments.positive_integer(replicas, "replicas") < 2:
        raise arguments.fail("replicas", replicas, "must be ≥ 2, for an error bar")
    rng = arguments.generator(rng)
    values = [
        np.asarray(measure(EmpiricalScore(law.draws(n_points, rng).points), rng), dtype=np.float64)
        for _ in tracked(range(replicas), "data sets")
    ]
    return Estimate.of(np.stack(values, axis=-1))
