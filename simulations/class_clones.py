"""Probability that two clones end in the same class, from the class weights of the training points."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate
from .empirical_score import EmpiricalScore


def class_clone_probability(
    y: ArrayLike, labels: ArrayLike, r: ArrayLike, rng: np.random.Generator, n_queries: int = 512
) -> Estimate:
    """φ(r) = E Σ_k P(k|x)², P(k|x) = Σ_{μ in class k} w_μ(x), over x = y^μ + √r ξ; shape of r.

    `y` (N, D) training points and their integer `labels` (N,). The mean of what `clones(…, labels=…)` counts, with a
    smaller error; for a mixture and N → ∞ it is `theory.clone_probability`. All r share their random numbers.
    ValueError: labels of wrong shape, r ≤ 0, n_queries < 2. Source: arXiv 2402.18491; docs/theory.md §4.
    """
    empirical, ratios = EmpiricalScore(y), arguments.positive(r, "r")
    classes = class_labels(labels, empirical.n_points)
    if arguments.positive_integer(n_queries, "n_queries") < 2:
        raise arguments.fail("n_queries", n_queries, "must be ≥ 2, for an error bar")
    parts, shares = _classes(np.asarray(y, dtype=np.float64), classes)
    seed = int(arguments.generator(rng).integers(2**63))
    together = np.empty((ratios.size, n_queries))
    for k, ratio in enumerate(ratios.flat):
        x, _ = empirical.planted(ratio, np.random.default_rng(seed), n_queries)
        joint = np.array([part.log_density(x, ratio) for part in parts]) + np.log(shares)[:, None]
        together[k] = np.exp(2 * (joint - logsumexp(joint, axis=0))).sum(axis=0)
    return Estimate.of(together.reshape(*ratios.shape, n_queries))


def class_labels(labels: ArrayLike, n_points: int) -> NDArray[np.integer[Any]]:
    """`labels` as integers (N,); ValueError unless there is one for each of `n_points` points."""
    classes = np.asarray(labels)
    if classes.shape != (n_points,) or not np.issubdtype(classes.dtype, np.integer):
        raise ValueError(f"labels has shape {classes.shape}: must be one integer for each of {n_points} points")
    return classes


def _classes(y: Array, labels: NDArray[np.integer[Any]]) -> tuple[list[EmpiricalScore], Array]:
    """One score for each class, and the shares of the classes."""
    values, counts = np.unique(labels, return_counts=True)
    return [EmpiricalScore(y[labels == k]) for k in values], counts / counts.sum()
