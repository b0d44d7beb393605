"""Finite size on tori and products: energies of independent factors add; brute force, and products that are known."""

import math

import numpy as np
import pytest

from remanifold.manifolds import Linear, Mixture, Product, Sphere, Torus
from remanifold.theory import collapse, finite_size
from remanifold.theory.finite_size import averages, node_average


def planted_means(law, n, r, noise, seed, sets=40, per_set=200):
    """w_1, ln(1 + Z_rest/Z_1) and ln(Z_rest/Z_1) in ambient coordinates, one mean a batch of independent data sets."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(sets):
        y = law.sample(n * per_set, rng).reshape(per_set, n, -1)
        x = y[:, 0] + np.sqrt(noise) * rng.standard_normal(y[:, 0].shape)
        energy = np.sum((x[:, None] - y) ** 2, axis=2) / (2 * r)
        ratio = energy[:, 0] + np.logaddexp.reduce(-energy[:, 1:], axis=1)
        entropy = np.logaddexp(0, ratio)
        rows.append([np.exp(-entropy).mean(), entropy.mean(), ratio.mean()])
    return np.array(rows)


def z_scores(samples, exact, error):
    return (samples.mean(axis=0) - exact) / np.hypot(samples.std(axis=0, ddof=1) / math.sqrt(len(samples)), error)


@pytest.mark.parametrize(
    ("law", "n", "scale"),
    [
        (Torus([1.0, 0.5], ambient_dim=5, rng=np.random.default_rng(3)), 60, 1.0),
        (Torus([1.0, 1.0]), 30, 0.3),
        (Product([Sphere(3, 2.0), Linear([1.0, 0.2])]), 40, 3.0),
        (Product([Mixture.two_gaussians(2), Linear([0.3])]), 50, 1.0),
    ],
)
def test_products_by_brute_force(law, n, scale):
    log_n = math.log(n)
    r = scale * collapse(law, log_n=log_n)
    exact = np.array([finite_size.retrieval(law, log_n, r), finite_size.excess_entropy(law, log_n, r)])
    assert np.all(np.abs(z_scores(planted_means(law, n, r, r, n)[:, :2], exact, [1e-4, 3e-4])) < 4)
    at_point = finite_size.log_ratio(law, log_n, r, 0.0)
    assert abs(z_scores(planted_means(law, n, r, 0.0, n + 1, sets=20)[:, 2], at_point, 2e-3 * abs(at_point))) < 4


def test_a_product_of_linear_manifolds_is_linear():
    """Two radii in one, one radius in the other: the nodes have nothing in common."""
    whole, log_n = Linear([1.0] * 9), 7.0
    parts = Product([Linear([1.0] * 4), Linear([1.0] * 5)])
    for scale in (0.2, 1.0, 5.0):
        r = scale * collapse(whole, log_n=log_n)
        for average in (
            finite_size.retrieval,
            finite_size.excess_entropy,
            finite_size.log_density_gap,
            finite_size.held_out_log_density_gap,
        ):
            assert average(parts, log_n, r) == pytest.approx(average(whole, log_n, r), abs=1e-7)
    assert finite_size.log_ratio(parts, log_n, 1.0, 0.5) == pytest.approx(
        finite_size.log_ratio(whole, log_n, 1.0, 0.5), abs=1e-6
    )


def test_factors_do_not_share_their_nodes():
    radii = node_average.noisy_points(Torus([1.0, 1.0, 1.0]).energies(), 0.5).radii
    correlation = np.corrcoef(radii, rowvar=False)
    assert np.abs(correlation - np.eye(3)).max() < 0.02


def slope_of_divergence(law, n, r, seed, sets=40, per_set=200):
    """d/d ln r of KL(ν ‖ p_emp,r) = D/2 - E<|x-y|²>/2r at fresh points, one mean a batch."""
    rng, slopes = np.random.default_rng(seed), []
    for _ in range(sets):
        y = law.sample(per_set * n, rng).reshape(per_set, n, -1)
        squares = np.sum((law.sample(per_set, rng)[:, None] - y) ** 2, axis=2)
        weights = np.exp(-(squares - squares.min(axis=1, keepdims=True)) / (2 * r))
        mean = np.sum(weights * squares, axis=1) / weights.sum(axis=1)
        slopes.append(np.mean(law.ambient_dim / 2 - mean / (2 * r)))
    return np.array(slopes)


def test_onset_basin_and_generalization_on_a_torus():
    """Roots of the measured mean of ln Z_1/Z_rest, and of the slope of the measured divergence."""
    law, n = Torus([1.0, 0.7]), 60
    log_n = math.log(n)
    opened = finite_size.onset(law, log_n=log_n)
    assert abs(z_scores(planted_means(law, n, opened, 0.0, 5)[:, 2], 0.0, 2e-3)) < 4
    assert z_scores(planted_means(law, n, 0.9 * opened, 0.0, 6)[:, 2], 0.0, 0.0) < -4
    assert finite_size.basin_radius(law, 1.01 * opened, log_n=log_n) == 0
    found = finite_size.generalization(law, log_n=log_n)
    assert abs(z_scores(slope_of_divergence(law, n, found, 8), 0.0, 2e-3)) < 4
    assert z_scores(slope_of_divergence(law, n, 0.9 * found, 9), 0.0, 0.0) < -4


def test_error_over_scrambles(monkeypatch):
    """The stated error where x takes more than two numbers: the spread of independent node sets."""
    law, log_n = Linear([1.0, 1.0, 0.3, 0.3, 0.3, 0.05]), math.log(1000)
    r = collapse(law, log_n=log_n)
    sobol, found = node_average.qmc.Sobol, []
    for seed in range(4):
        averages._posterior_averages.cache_clear()
        node_average._sobol.cache_clear()
        monkeypatch.setattr(
            node_average.qmc, "Sobol", lambda dim, scramble, rng, s=seed: sobol(dim, rng=np.random.default_rng(s))
        )
        found.append([finite_size.retrieval(law, log_n, r), finite_size.excess_entropy(law, log_n, r)])
    node_average._sobol.cache_clear()
    spread = np.std(found, axis=0, ddof=1)
    assert 0 < spread[0] < 6e-5
    assert 0 < spread[1] < 3e-4


def test_astronomical_numbers_on_products():
    law, log_n = Product([Sphere(4), Linear([1.0] * 40 + [0.1] * 40)]), 30 * math.log(10)
    r = collapse(law, log_n=log_n)
    assert 0.5 < finite_size.retrieval(law, log_n, r) < 0.6
    assert 2 < finite_size.excess_entropy(law, log_n, r) < 4
    spread = finite_size.excess_entropy(Torus([1.0, 0.3]), log_n, 1e-25)
    assert spread == pytest.approx(log_n - float(Torus([1.0, 0.3]).information(1e-25)), abs=0.1)
