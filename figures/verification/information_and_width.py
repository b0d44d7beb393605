"""Identities of the posterior weights; collapse and the width of its transition."""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq

from ...conventions.estimate import Estimate
from ...manifolds import Linear, Sphere
from ...theory import collapse, finite_size
from .crossing import STEP, crossing, log_advantage, log_sum
from .quantity import Verified


def check_identities(rng: np.random.Generator, replicas: int) -> Iterator[Verified]:
    """Nishimori E w_1 = E Y, and the sum rule ∫ ½ d_emp d ln r = ln N."""
    from ...simulations import EmpiricalScore

    gaps, areas, n = [], [], 300
    log_r = np.linspace(-16, 12, 57)
    for _ in range(replicas):
        y = Linear([1.0] * 6).sample(n, rng)
        score = EmpiricalScore(y)
        x, index = score.planted(0.5, rng, 2000)
        own = np.exp(-np.sum((x - y[index]) ** 2, axis=1) / (2 * 0.5) - log_sum(score, x, 0.5))
        gaps.append(np.mean(own - score.participation(x, 0.5)))
        d = score.dimension(np.exp(log_r), rng, n_queries=2 * n).mean
        areas.append(np.trapezoid(0.5 * np.asarray(d), log_r))
    yield Verified("Nishimori: E w₁ - E Y", 0.0, Estimate.of(np.array(gaps)))
    yield Verified("sum rule: ∫ ½ d d ln r, N = 300", np.log(n), Estimate.of(np.array(areas)))


def check_collapse(rng: np.random.Generator, replicas: int) -> Iterator[Verified]:
    """r_c for N = 100 from the information of M = 40000 points: where their score has used up ln 100.

    The exact value allows for the finite M: the empirical information is ln M minus the excess entropy.
    """
    from ...simulations import EmpiricalScore

    log_n, m = np.log(100), 40_000
    for name, law in (("λ = 1×3, ¼×3", Linear([1.0] * 3 + [0.25] * 3)), ("sphere S³", Sphere(3))):
        leading = collapse(law, log_n=log_n)

        def information_left(log_r: float, law: Linear | Sphere = law) -> float:
            return np.log(m) - finite_size.excess_entropy(law, np.log(m), float(np.exp(log_r))) - log_n

        exact = float(np.exp(brentq(information_left, np.log(leading) - 0.1, np.log(leading) + 0.1, xtol=1e-6)))

        def measured_collapse(law: Linear | Sphere = law, exact: float = exact) -> float:
            score, log_r = EmpiricalScore(law.sample(m, rng)), np.log(exact) + STEP
            measured = np.asarray(score.information(np.exp(log_r), rng, n_queries=1500).mean)
            return np.exp(crossing(log_n, measured, log_r))

        measured = Estimate.of(np.array([measured_collapse() for _ in range(replicas // 2)]))
        yield Verified(f"collapse r_c, N = 100, {name}", exact, measured, leading)


def check_width(rng: np.random.Generator, replicas: int) -> Iterator[Verified]:
    """Retrieval and excess entropy at the predicted r_c: the finite-size theory is exact."""
    law, n = Linear([1.0] * 16), 3000
    log_n = np.log(n)
    r = collapse(law, log_n=log_n)
    advantage = np.array([log_advantage(law, n, 1.0, np.array([r]), rng, 1500)[0] for _ in range(replicas)])
    log_weight = -np.logaddexp(0, -advantage)
    exact = finite_size.retrieval(law, log_n, r)
    yield Verified("retrieval E w₁ at r_c, N = 3000, d = 16", exact, Estimate.of(np.exp(log_weight).mean(axis=1)))
    excess = finite_size.excess_entropy(law, log_n, r)
    yield Verified("excess entropy at r_c [nats]", excess, Estimate.of(-log_weight.mean(axis=1)), 0.0)
