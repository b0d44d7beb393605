"""What the posterior says about the point that was noised: retrieval, participation, excess entropy."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate
from ..conventions.progress import tracked
from .empirical_score import EmpiricalScore


class Planted(NamedTuple):
    """Averages over planted queries x = y^μ + √r ξ, each of the shape of r.

    `retrieval` E w_μ and `participation` E Σ w² (equal in the mean: Nishimori), `excess_entropy`
    E ln(1 + Z_rest/Z_μ) = -E ln w_μ in nats.
    """

    retrieval: Estimate
    participation: Estimate
    excess_entropy: Estimate


def planted_averages(
    empirical: EmpiricalScore, r: ArrayLike, rng: np.random.Generator, n_queries: int = 512
) -> Planted:
    """`Planted` averages at each r, with the same points and noise for all r, so that curves are smooth.

    Standard errors are over queries at these training points; `over_data_sets` has those over data sets, which
    `theory.finite_size` averages. ValueError: r ≤ 0, n_queries < 2. Source: arXiv 2402.18491; docs/theory.md §3, §5.
    """
    ratios = arguments.positive(r, "r")
    if arguments.positive_integer(n_queries, "n_queries") < 2:
        raise arguments.fail("n_queries", n_queries, "must be ≥ 2, for an error bar")
    seed = int(arguments.generator(rng).integers(2**63))
    samples = np.empty((3, ratios.size, n_queries))
    for k in tracked(range(ratios.size), "planted queries"):
        samples[:, k] = _planted(empirical, float(ratios.flat[k]), np.random.default_rng(seed), n_queries)
    return Planted(*(Estimate.of(values.reshape(*ratios.shape, n_queries)) for values in samples))


def log_own_weight(empirical: EmpiricalScore, x: Array, y: Array, r: float) -> Array:
    """ln w_μ(x) ≤ 0 of the training points y = y^μ (n, D) at the queries x (n, D), shape (n,).

    Absolute error about 1e-13 |x-y|²/2r, so that 1 - w_μ is lost below that.
    """
    constant = np.log(empirical.n_points) + 0.5 * empirical.ambient_dim * np.log(2 * np.pi * r)
    log_sum = np.asarray(empirical.log_density(x, r)) + constant
    return np.minimum(-np.sum((x - y) ** 2, axis=1) / (2 * r) - log_sum, 0.0)


def _planted(empirical: EmpiricalScore, r: float, rng: np.random.Generator, n: int) -> Array:
    """w_μ, Y and -ln w_μ of n queries, shape (3, n)."""
    x, index = empirical.planted(r, rng, n)
    log_weight = log_own_weight(empirical, x, empirical.training_points(index), r)
    return np.array([np.exp(log_weight), empirical.participation(x, r), -log_weight])
