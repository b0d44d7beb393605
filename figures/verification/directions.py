"""Directions of unequal variance: local condensation, and normalized data."""

from collections.abc import Iterator

import numpy as np

from ...conventions.estimate import Estimate
from ...manifolds import NormalizedLinear
from ...theory import local_condensation
from .crossing import STEP, crossing
from .quantity import Verified


def check_local_condensation(rng: np.random.Generator, replicas: int) -> Iterator[Verified]:
    """Where the exact K at the probes √r e_i of arXiv 2410.08727 reaches ln N, against that of 10⁵ points."""
    from ...simulations import EmpiricalScore

    law, log_n = NormalizedLinear.two_subspaces(), np.log(20)
    exact = [local_condensation(law, i, log_n=log_n) for i in (0, 2)]

    def roots() -> list[float]:
        score = EmpiricalScore(law.sample(100_000, rng))
        found = []
        for i, root in zip((0, 2), exact, strict=True):
            log_r = np.log(root) + STEP
            k = [float(score.local_divergence(np.sqrt(r) * law.direction(i), r)) for r in np.exp(log_r)]
            found.append(np.exp(crossing(log_n, np.array(k), log_r)))
        return found

    measured = np.array([roots() for _ in range(replicas)])
    for i, name in enumerate(("std 1", "std 0.3")):
        yield Verified(f"local condensation, √r eᵢ, {name}, N = 20", exact[i], Estimate.of(measured[:, i]))


def check_normalized(rng: np.random.Generator, replicas: int) -> Iterator[Verified]:
    """Information and dimension of normalized data against the planted law itself."""
    law, r = NormalizedLinear.two_subspaces(), 0.1
    y = law.sample(400 * replicas, rng)
    x = y + np.sqrt(r) * rng.standard_normal(y.shape)
    gap = -np.sum((x - y) ** 2, axis=1) / (2 * r) - law.log_partition(x, r)
    error = np.sum((y - law.posterior_mean(x, r)) ** 2, axis=1) / r
    yield Verified("information I(0.1), normalized data [nats]", float(law.information(r)), Estimate.of(gap))
    yield Verified("dimension d(0.1), normalized data", float(law.dimension(r)), Estimate.of(error))
