"""Basin radius along random rays: a closed case, brute force, and theory."""

import numpy as np
import pytest
from scipy.special import ndtr

from remanifold import theory
from remanifold.benchmarks.long_double import posterior
from remanifold.conventions.estimate import Estimate
from remanifold.manifolds import Linear
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.basin import basin
from remanifold.simulations.data_sets import over_data_sets


def test_two_points_on_a_line():
    """Points ±1: the edge is the middle, ρ = 1/(r ξ²) on rays that point there, none on the others."""
    edges = basin(EmpiricalScore([[-1.0], [1.0]]), 0.2, np.random.default_rng(1), 4000)
    assert abs(np.mean(np.isinf(edges.edges)) - 0.5) < 4 * 0.5 / np.sqrt(4000)
    for rho in (0.5, 2.0, 10.0):
        left = ndtr(-1 / np.sqrt(0.2 * rho))  # ξ < -1/√(rρ)
        mean, stderr = edges.dominance(rho)
        assert abs(mean - (1 - left)) < 4 * stderr


def test_the_planted_weight_is_one_half_at_the_edge():
    y, r = np.random.default_rng(2).standard_normal((40, 3)), 0.1
    rng = np.random.default_rng(3)
    planted, index = EmpiricalScore(y).planted(r, np.random.default_rng(3), 50)
    edges = basin(EmpiricalScore(y), r, rng, 50).edges
    checked = 0
    for x, mu, rho in zip(planted, index, edges, strict=True):
        if 0 < rho < np.inf:
            there = posterior(y, y[mu] + np.sqrt(rho) * (x - y[mu]), r)
            assert abs(there.weights[mu] - 0.5) < 1e-9
            checked += 1
        elif rho == 0:
            assert posterior(y, y[mu], r).weights[mu] <= 0.5
    assert checked > 30


def _shares(found, rho):
    return [found.dominance(s).mean for s in rho]


def test_dominance_is_that_of_a_fresh_point_among_others():
    """P(Z_1 > Z_rest) at x = y^1 + √(ρ r) ξ by brute force over points and noise, over data sets.

    Dominance asks for the whole segment, but along a ray that starts inside there is one exit only."""
    law, n, r, rng = Linear([1.0] * 12), 200, 0.5, np.random.default_rng(4)
    rho = np.array([0.3, 0.8, 1.5])
    measured = over_data_sets(law, n, lambda e, g: _shares(basin(e, r, g, 200), rho), rng, 20)
    hits = []
    for _ in range(20):
        rest, y = law.sample(n - 1, rng), law.sample(200, rng)
        xi, wins = rng.standard_normal(y.shape), []
        for s in (0.0, *rho):
            x = y + np.sqrt(s * r) * xi
            rest_sum = np.exp(-np.sum((x[:, None] - rest) ** 2, axis=2) / (2 * r)).sum(axis=1)
            wins.append(np.exp(-np.sum((x - y) ** 2, axis=1) / (2 * r)) > rest_sum)
        hits.append([np.mean(wins[0] & win) for win in wins[1:]])
    brute = Estimate.of(np.array(hits).T)
    assert np.all(np.abs(measured.mean - brute.mean) < 4 * np.hypot(measured.stderr, brute.stderr))


def test_radius_follows_theory():
    """ρ* at half-way between collapse and onset; leading order is 10 to 20 % off at d = 24 (docs/dynamics.md §5)."""
    law, n, rng = Linear([1.0] * 24), 1000, np.random.default_rng(5)
    log_n = np.log(n)
    r = np.sqrt(theory.collapse(law, log_n=log_n) * theory.onset(law, log_n=log_n))
    measured = over_data_sets(law, n, lambda e, g: basin(e, r, g, 200).radius().mean, rng, 6)
    assert abs(measured.mean / theory.basin_radius(law, r, log_n=log_n) - 1) < 0.2
    assert abs(measured.mean / theory.finite_size.basin_radius(law, r, log_n=log_n) - 1) < 0.2


def test_error_of_the_radius_is_the_scatter_of_repeated_runs():
    e, rng = EmpiricalScore(np.random.default_rng(6).standard_normal((100, 8))), np.random.default_rng(7)
    runs = [basin(e, 0.3, rng, 200).radius() for _ in range(30)]
    scatter, quoted = np.std([run.mean for run in runs], ddof=1), np.mean([run.stderr for run in runs])
    assert 0.6 < scatter / quoted < 1.5


def test_no_basin_and_no_edge():
    twins = basin(EmpiricalScore([[0.0], [0.0]]), 1.0, np.random.default_rng(0), 20)
    assert np.all(twins.edges == 0)
    assert twins.radius() == (0.0, 0.0)
    with pytest.raises(ValueError, match="unbounded"):
        basin(EmpiricalScore([[0.0]]), 1.0, np.random.default_rng(0), 20).radius()


def test_bad_arguments_are_refused_by_name():
    e = EmpiricalScore([[0.0], [1.0]])
    with pytest.raises(ValueError, match="r = 0"):
        basin(e, 0.0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="n_rays = 3"):
        basin(e, 1.0, np.random.default_rng(0), 3)
