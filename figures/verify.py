"""Theory against simulation: every critical point that exists, with the z-score of the difference."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import brentq

from ..conventions.arguments import Array
from ..conventions.estimate import Estimate
from ..manifolds import Linear, Mixture, NormalizedLinear, Sphere
from ..theory import (
    basin_radius,
    clone_probability,
    collapse,
    finite_size,
    generalization,
    local_condensation,
    onset,
    speciation,
    symmetry_breaking,
)

if TYPE_CHECKING:
    from ..simulations import EmpiricalScore

STEP = np.array([-0.02, 0.02])  # the two places around a predicted point between which the measured one is interpolated


class Row(NamedTuple):
    """One comparison; `leading` is the leading-order value where theory has an exact one besides."""

    quantity: str
    theory: float
    simulation: Estimate
    leading: float | None = None

    @property
    def z(self) -> float:
        """(simulation - theory)/standard error."""
        return (self.simulation.mean - self.theory) / self.simulation.stderr


Check = Callable[[np.random.Generator, int], Iterator[Row]]


def checks() -> dict[str, Check]:
    """The comparisons by subject; each takes a generator and a number of replicas."""
    return {
        "identities": _identities,
        "collapse": _collapse,
        "width of collapse": _width,
        "onset and basin": _landscape,
        "generalization": _generalization,
        "local condensation": _local_condensation,
        "normalized data": _normalized,
        "symmetry breaking": _symmetry_breaking,
        "speciation": _speciation,
    }


def _identities(rng: np.random.Generator, replicas: int) -> Iterator[Row]:
    """Nishimori E w_1 = E Y, and the sum rule ∫ ½ d_emp d ln r = ln N."""
    from ..simulations import EmpiricalScore

    gaps, areas, n = [], [], 300
    log_r = np.linspace(-16, 12, 57)
    for _ in range(replicas):
        y = Linear([1.0] * 6).sample(n, rng)
        score = EmpiricalScore(y)
        x, index = score.planted(0.5, rng, 2000)
        own = np.exp(-np.sum((x - y[index]) ** 2, axis=1) / (2 * 0.5) - _log_sum(score, x, 0.5))
        gaps.append(np.mean(own - score.participation(x, 0.5)))
        d = score.dimension(np.exp(log_r), rng, n_queries=2 * n).mean
        areas.append(np.trapezoid(0.5 * np.asarray(d), log_r))
    yield Row("Nishimori: E w₁ - E Y", 0.0, Estimate.of(np.array(gaps)))
    yield Row("sum rule: ∫ ½ d d ln r, N = 300", np.log(n), Estimate.of(np.array(areas)))


def _collapse(rng: np.random.Generator, replicas: int) -> Iterator[Row]:
    """r_c for N = 100 from the information of M = 40000 points: where their score has used up ln 100.

    The exact value allows for the finite M: the empirical information is ln M minus the excess entropy.
    """
    from ..simulations import EmpiricalScore

    log_n, m = np.log(100), 40_000
    for name, law in (("λ = 1×3, ¼×3", Linear([1.0] * 3 + [0.25] * 3)), ("sphere S³", Sphere(3))):
        leading = collapse(law, log_n=log_n)

        def information_left(log_r: float, law: Linear | Sphere = law) -> float:
            return np.log(m) - finite_size.excess_entropy(law, np.log(m), float(np.exp(log_r))) - log_n

        exact = float(np.exp(brentq(information_left, np.log(leading) - 0.1, np.log(leading) + 0.1, xtol=1e-6)))

        def crossing(law: Linear | Sphere = law, exact: float = exact) -> float:
            score, log_r = EmpiricalScore(law.sample(m, rng)), np.log(exact) + STEP
            measured = np.asarray(score.information(np.exp(log_r), rng, n_queries=1500).mean)
            return np.exp(_crossing(log_n, measured, log_r))

        measured = Estimate.of(np.array([crossing() for _ in range(replicas // 2)]))
        yield Row(f"collapse r_c, N = 100, {name}", exact, measured, leading)


def _width(rng: np.random.Generator, replicas: int) -> Iterator[Row]:
    """Retrieval and excess entropy at the predicted r_c: the finite-size theory is exact."""
    law, n = Linear([1.0] * 16), 3000
    log_n = np.log(n)
    r = collapse(law, log_n=log_n)
    advantage = np.array([_log_advantage(law, n, 1.0, np.array([r]), rng, 1500)[0] for _ in range(replicas)])
    log_weight = -np.logaddexp(0, -advantage)
    exact = finite_size.retrieval(law, log_n, r)
    yield Row("retrieval E w₁ at r_c, N = 3000, d = 16", exact, Estimate.of(np.exp(log_weight).mean(axis=1)))
    excess = finite_size.excess_entropy(law, log_n, r)
    yield Row("excess entropy at r_c [nats]", excess, Estimate.of(-log_weight.mean(axis=1)), 0.0)


def _landscape(rng: np.random.Generator, replicas: int) -> Iterator[Row]:
    """Onset r_o and basin radius ρ*: roots of the measured mean of ln Z_1/Z_rest."""
    law, n = Linear([1.0] * 12), 500
    log_n = np.log(n)
    exact = finite_size.onset(law, log_n=log_n)

    def onset_root() -> float:
        log_r = np.log(exact) + STEP
        return np.exp(_crossing(0.0, _log_advantage(law, n, 0.0, np.exp(log_r), rng, 1500).mean(axis=1), log_r))

    roots = np.array([onset_root() for _ in range(replicas)])
    yield Row("onset r_o, N = 500, d = 12", exact, Estimate.of(roots), onset(law, log_n=log_n))

    r = float(np.sqrt(exact * collapse(law, log_n=log_n)))
    rho = finite_size.basin_radius(law, r, log_n=log_n)

    def basin_root() -> float:
        seed = rng.integers(2**63)  # the same points and noise at both radii
        radii = rho + STEP
        gaps = [_log_advantage(law, n, s, np.array([r]), np.random.default_rng(seed), 1500).mean() for s in radii]
        return _crossing(0.0, np.array(gaps), radii)

    measured = Estimate.of(np.array([basin_root() for _ in range(replicas)]))
    yield Row(f"basin radius ρ* at r = {r:.3f}", rho, measured, basin_radius(law, r, log_n=log_n))


def _generalization(rng: np.random.Generator, replicas: int) -> Iterator[Row]:
    """r_g: where E <|x-y|²>/D = r for fresh points x, the stationary point of KL(ν ‖ p_emp)."""
    from ..simulations import EmpiricalScore

    law, n = Linear([1.0] * 12), 500
    log_n = np.log(n)
    exact = finite_size.generalization(law, log_n=log_n)

    def root() -> float:
        score = EmpiricalScore(law.sample(n, rng))
        x = law.sample(2000, rng)
        log_r = np.log(exact) + STEP
        excess = [np.mean(score.observe(x, r).mean_square_distance) / (12 * r) - 1 for r in np.exp(log_r)]
        return np.exp(_crossing(0.0, np.array(excess), log_r))

    roots = np.array([root() for _ in range(replicas)])
    yield Row("generalization r_g, N = 500, d = 12", exact, Estimate.of(roots), generalization(law, log_n=log_n))


def _local_condensation(rng: np.random.Generator, replicas: int) -> Iterator[Row]:
    """Where the exact K at the probes √r e_i of arXiv 2410.08727 reaches ln N, against that of 10⁵ points."""
    from ..simulations import EmpiricalScore

    law, log_n = NormalizedLinear.two_subspaces(), np.log(20)
    exact = [local_condensation(law, i, log_n=log_n) for i in (0, 2)]

    def roots() -> list[float]:
        score = EmpiricalScore(law.sample(100_000, rng))
        found = []
        for i, root in zip((0, 2), exact, strict=True):
            log_r = np.log(root) + STEP
            k = [float(score.local_divergence(np.sqrt(r) * law.direction(i), r)) for r in np.exp(log_r)]
            found.append(np.exp(_crossing(log_n, np.array(k), log_r)))
        return found

    measured = np.array([roots() for _ in range(replicas)])
    for i, name in enumerate(("std 1", "std 0.3")):
        yield Row(f"local condensation, √r eᵢ, {name}, N = 20", exact[i], Estimate.of(measured[:, i]))


def _normalized(rng: np.random.Generator, replicas: int) -> Iterator[Row]:
    """Information and dimension of normalized data against the planted law itself."""
    law, r = NormalizedLinear.two_subspaces(), 0.1
    y = law.sample(400 * replicas, rng)
    x = y + np.sqrt(r) * rng.standard_normal(y.shape)
    gap = -np.sum((x - y) ** 2, axis=1) / (2 * r) - law.log_partition(x, r)
    error = np.sum((y - law.posterior_mean(x, r)) ** 2, axis=1) / r
    yield Row("information I(0.1), normalized data [nats]", float(law.information(r)), Estimate.of(gap))
    yield Row("dimension d(0.1), normalized data", float(law.dimension(r)), Estimate.of(error))


def _symmetry_breaking(rng: np.random.Generator, replicas: int) -> Iterator[Row]:
    """Two Gaussians: where the centre turns unstable, in each convention, from the posterior of N = 20000 points."""
    from ..simulations import EmpiricalScore

    law = Mixture.two_gaussians(4, separation=1.0, variance=0.5)
    scores = [EmpiricalScore(law.sample(20_000, rng)) for _ in range(replicas)]
    for convention in ("density", "drift", "covariance"):
        roots = [symmetry_breaking(_Sampled(score), convention) for score in scores]  # type: ignore[arg-type]
        predicted = symmetry_breaking(law, convention)
        yield Row(f"symmetry breaking ({convention}), two Gaussians", predicted, Estimate.of(np.array(roots)))


class _Sampled:
    """What symmetry breaking reads of a law, measured on points, at the centre of the true law."""

    def __init__(self, score: "EmpiricalScore"):
        self.score = score
        self.mean = np.zeros(score.ambient_dim)

    def leading_posterior_variance(self, x: Array, r: float) -> float:
        return float(np.linalg.eigvalsh(self.score.posterior_covariance(x, r))[-1])

    def leading_variance(self) -> float:
        return self.leading_posterior_variance(self.mean, 1e9)


def _speciation(rng: np.random.Generator, replicas: int) -> Iterator[Row]:
    """Clone probability at the speciation ratio r = |m|² - v, from class-resolved posterior weights."""
    from ..simulations import EmpiricalScore

    law = Mixture.two_gaussians(3, separation=1.0, variance=0.5)
    r = speciation(law)

    def together() -> float:
        y, label = law.sample_labelled(40_000, rng)
        x = law.sample(1000, rng) + np.sqrt(r) * rng.standard_normal((1000, 3))
        logs = [EmpiricalScore(y[label == k]).log_density(x, r) + np.log(np.mean(label == k)) for k in (0, 1)]
        first = 1 / (1 + np.exp(logs[1] - logs[0]))
        return float(np.mean(first**2 + (1 - first) ** 2))

    values = np.array([together() for _ in range(replicas)])
    yield Row("clone probability at speciation r_S", float(clone_probability(law, r)), Estimate.of(values))


def _log_advantage(law: Linear, n: int, noise: float, r: Array, rng: np.random.Generator, count: int) -> Array:
    """ln Z_1/Z_rest at `count` points x = y^1 + √noise·r ξ, y^1 beside n - 1 others, shape (len(r), count)."""
    from ..simulations import EmpiricalScore

    rest = EmpiricalScore(law.sample(n - 1, rng))
    y, xi = law.sample(count, rng), rng.standard_normal((count, law.ambient_dim))
    own = noise * np.sum(xi**2, axis=1) / 2
    return np.array([-own - _log_sum(rest, y + np.sqrt(noise * ratio) * xi, ratio) for ratio in r])


def _log_sum(score: "EmpiricalScore", x: Array, r: float) -> Array:
    """ln Σ_μ exp(-|x-y^μ|²/2r)."""
    constant = np.log(score.n_points) + 0.5 * score.ambient_dim * np.log(2 * np.pi * r)
    return np.asarray(score.log_density(x, r)) + constant


def _crossing(level: float, values: Array, at: Array) -> float:
    """Where a decreasing curve, measured at two close places, takes the value `level`."""
    return float(at[0] + (values[0] - level) / (values[0] - values[1]) * (at[1] - at[0]))


def run(seed: int = 0, *, quick: bool = True) -> list[Row]:
    """All comparisons, with progress on a terminal; `quick` uses 32 independent replicas, otherwise 128."""
    from .stages import tracked

    rng = np.random.default_rng(seed)
    subjects = tracked(checks().values(), "theory against simulation")
    return [row for check in subjects for row in check(rng, 32 if quick else 128)]
