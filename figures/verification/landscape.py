"""Onset of traps, basin radius and generalization."""

from collections.abc import Iterator

import numpy as np

from ...conventions.estimate import Estimate
from ...manifolds import Linear
from ...theory import basin_radius, collapse, finite_size, generalization, onset
from .crossing import STEP, crossing, log_advantage
from .quantity import Verified


def check_landscape(rng: np.random.Generator, replicas: int) -> Iterator[Verified]:
    """Onset r_o and basin radius ρ*: roots of the measured mean of ln Z_1/Z_rest."""
    law, n = Linear([1.0] * 12), 500
    log_n = np.log(n)
    exact = finite_size.onset(law, log_n=log_n)

    def onset_root() -> float:
        log_r = np.log(exact) + STEP
        return np.exp(crossing(0.0, log_advantage(law, n, 0.0, np.exp(log_r), rng, 1500).mean(axis=1), log_r))

    roots = np.array([onset_root() for _ in range(replicas)])
    yield Verified("onset r_o, N = 500, d = 12", exact, Estimate.of(roots), onset(law, log_n=log_n))

    r = float(np.sqrt(exact * collapse(law, log_n=log_n)))
    rho = finite_size.basin_radius(law, r, log_n=log_n)

    def basin_root() -> float:
        seed = rng.integers(2**63)  # the same points and noise at both radii
        radii = rho + STEP
        gaps = [log_advantage(law, n, s, np.array([r]), np.random.default_rng(seed), 1500).mean() for s in radii]
        return crossing(0.0, np.array(gaps), radii)

    measured = Estimate.of(np.array([basin_root() for _ in range(replicas)]))
    yield Verified(f"basin radius ρ* at r = {r:.3f}", rho, measured, basin_radius(law, r, log_n=log_n))


def check_generalization(rng: np.random.Generator, replicas: int) -> Iterator[Verified]:
    """r_g: where E <|x-y|²>/D = r for fresh points x, the stationary point of KL(ν ‖ p_emp)."""
    from ...simulations import EmpiricalScore

    law, n = Linear([1.0] * 12), 500
    log_n = np.log(n)
    exact = finite_size.generalization(law, log_n=log_n)

    def root() -> float:
        score = EmpiricalScore(law.sample(n, rng))
        x = law.sample(2000, rng)
        log_r = np.log(exact) + STEP
        excess = [np.mean(score.observe(x, r).mean_square_distance) / (12 * r) - 1 for r in np.exp(log_r)]
        return np.exp(crossing(0.0, np.array(excess), log_r))

    roots = np.array([root() for _ in range(replicas)])
    yield Verified("generalization r_g, N = 500, d = 12", exact, Estimate.of(roots), generalization(law, log_n=log_n))
