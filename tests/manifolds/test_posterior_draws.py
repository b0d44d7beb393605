"""Exact draws of the posterior: their law is the posterior that every law knows in closed form or by cubature."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, kstest

from remanifold.manifolds import HiddenManifold, Linear, Mixture, NormalizedLinear, Parametric, Product, Sphere, Torus
from remanifold.manifolds.von_mises_fisher import von_mises_fisher

RNG = np.random.default_rng(11)


def spiral(u):
    return np.stack([(1 + u[:, 0]) * np.cos(3 * u[:, 0]), (1 + u[:, 0]) * np.sin(3 * u[:, 0])], axis=1)


LAWS = {
    "linear": Linear([1.0, 0.3, 0.0], ambient_dim=4, rng=RNG),
    "circle": Sphere(1, 0.7, ambient_dim=3, rng=RNG, centre=[1.0, 0.0, -1.0]),
    "sphere": Sphere(2, 1.5, ambient_dim=4),
    "ten-sphere": Sphere(10),
    "torus": Torus([1.0, 0.5], ambient_dim=5, rng=RNG),
    "product": Product([Sphere(2), Linear([0.7]), Parametric.ellipse(1.5, 1.0)]),
    "gaussian classes": Mixture.two_gaussians(3, separation=0.7),
    "classes of any kind": Mixture([Sphere(1, ambient_dim=2), Linear([0.5, 0.2], centre=[1.0, 0.0])], [1.0, 2.0]),
    "ellipse": Parametric.ellipse(1.5, 0.7, ambient_dim=3),
    "open curve with a density": Parametric(spiral, [(0.0, 2.0)], density=lambda u: 1 + u[:, 0] ** 2),
    "moebius": Parametric.moebius(),
}


# each draw on a curve or surface cuts panels of its own
FEW = {"product": 1500, "ellipse": 1500, "open curve with a density": 1500, "moebius": 300}
DRAWS = {name: FEW.get(name, 20_000) for name in LAWS}


def point_near(law, r, rng):
    return law.sample(1, rng)[0] + math.sqrt(r) * rng.standard_normal(law.ambient_dim)


def check_moments(draws, mean, covariance):
    """Mean and covariance of independent draws (n, D) against the exact ones, in their own standard errors."""
    n = len(draws)
    floor = 1e-10 * math.sqrt(np.trace(covariance)) + 1e-12
    error = np.sqrt(np.diag(covariance) / n) + floor
    assert np.all(np.abs(draws.mean(axis=0) - mean) < 5 * error)
    products = (draws - mean)[:, :, None] * (draws - mean)[:, None, :]
    error = products.std(axis=0) / math.sqrt(n) + floor**2
    # the errors of flat directions are rounding: what is left is relative to the whole covariance
    assert np.all(np.abs(products.mean(axis=0) - covariance) < 5 * error + 1e-9 * np.trace(covariance))


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("scale", [1e-4, 0.05, 0.7, 20.0])
def test_moments_are_those_of_the_posterior(name, scale):
    law, rng = LAWS[name], np.random.default_rng(3)
    r = scale * law.leading_variance()
    x = point_near(law, r, rng)
    draws = law.sample_posterior(np.tile(x, (DRAWS[name], 1)), r, rng)
    check_moments(draws, law.posterior_mean(x, r), law.posterior_covariance(x, r))


@pytest.mark.parametrize("name", LAWS)
def test_each_point_has_its_own_noise_ratio(name):
    law, rng = LAWS[name], np.random.default_rng(4)
    ratios = law.leading_variance() * np.array([1e-2, 0.3, 5.0])
    x = np.array([point_near(law, r, rng) for r in ratios])
    order = rng.permutation(np.repeat(np.arange(3), DRAWS[name] // 3))
    draws = law.sample_posterior(x[order], ratios[order], rng)
    for i, r in enumerate(ratios):
        check_moments(draws[order == i], law.posterior_mean(x[i], float(r)), law.posterior_covariance(x[i], float(r)))


@pytest.mark.parametrize("name", LAWS)
def test_noised_data_give_the_data_back(name):
    """y drawn given x = y' + √r ξ has the law of y': the posterior of a sample is a sample."""
    law, rng = LAWS[name], np.random.default_rng(5)
    r = 0.3 * law.leading_variance()
    y = law.sample(DRAWS[name], rng)
    again = law.sample_posterior(y + math.sqrt(r) * rng.standard_normal(y.shape), r, rng)
    check_moments(again, law.mean, law.covariance())


@pytest.mark.parametrize("k", [2, 3, 5, 40])
@pytest.mark.parametrize("kappa", [0.0, 0.3, 7.0, 300.0, 1e9])
def test_angle_on_the_sphere_has_the_exact_density(k, kappa):
    """Kolmogorov–Smirnov against ∫ e^{κ cos θ} sin^{k-2} θ dθ, in θ √κ where the law is narrow."""
    rng = np.random.default_rng(6)
    field = np.zeros(k)
    field[-1] = kappa
    draws = von_mises_fisher(np.tile(field, (4000, 1)), rng)
    np.testing.assert_allclose(np.sum(draws**2, axis=1), 1, atol=1e-12)
    across = np.linalg.norm(draws[:, :-1], axis=1)
    angle = np.arctan2(across, draws[:, -1])
    width = 1 / math.sqrt(max(kappa, 1.0))
    end = min(math.pi, 40 * math.sqrt(k) * width)
    grid = np.linspace(0, end, 4001)
    density = np.exp(-2 * kappa * np.sin(grid / 2) ** 2) * np.sin(grid) ** (k - 2)
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    check, total = grid[1000], np.trapezoid(density, grid)
    exact = quad(lambda t: math.exp(-2 * kappa * math.sin(t / 2) ** 2) * math.sin(t) ** (k - 2), 0, check, epsabs=0)
    assert cumulative[1000] * grid[1] == pytest.approx(exact[0], abs=1e-3 * total)
    assert kstest(angle, lambda t: np.interp(t, grid, cumulative / cumulative[-1])).pvalue > 1e-3


def test_directions_around_the_field_are_uniform():
    field = np.tile([0.0, 3.0, 4.0], (20_000, 1))
    draws = von_mises_fisher(field, np.random.default_rng(7))
    across = np.arctan2(draws[:, 0], draws @ [0.0, 0.8, -0.6])
    assert kstest(across / (2 * math.pi) + 0.5, "uniform").pvalue > 1e-3


def test_panels_and_points_in_them_have_the_exact_law():
    """Angles on an ellipse, by χ² against the tilted density integrated by quad."""
    law, r, x = Parametric.ellipse(1.5, 0.7), 0.2, np.array([0.5, 0.4])
    draws = law.sample_posterior(np.tile(x, (4_000, 1)), r, np.random.default_rng(8))
    t = np.arctan2(draws[:, 1] / 0.7, draws[:, 0] / 1.5)

    def density(t):
        y = np.array([1.5 * math.cos(t), 0.7 * math.sin(t)])
        return math.hypot(1.5 * math.sin(t), 0.7 * math.cos(t)) * math.exp(-np.sum((x - y) ** 2) / (2 * r))

    edges = np.linspace(-math.pi, math.pi, 21)
    mass = np.array([quad(density, a, b)[0] for a, b in pairwise(edges)])
    expected = len(t) * mass / mass.sum()
    seen, keep = np.histogram(t, edges)[0], expected > 5
    statistic = float(np.sum((seen[keep] - expected[keep]) ** 2 / expected[keep]))
    assert chi2.sf(statistic, int(keep.sum()) - 1) > 1e-3


@pytest.mark.parametrize("name", ["gaussian classes", "classes of any kind"])
def test_classes_are_drawn_with_the_points(name):
    law, rng = LAWS[name], np.random.default_rng(9)
    x = point_near(law, 0.5, rng)
    draws = law.posterior_draws(np.tile(x, (20_000, 1)), 0.5, rng)
    exact = law.class_posterior(x, 0.5)
    seen = np.bincount(draws.label, minlength=law.n_classes) / len(draws.label)
    assert np.all(np.abs(seen - exact) < 5 * np.sqrt(exact * (1 - exact) / len(draws.label)))
    for k, component in enumerate(law.components):
        own = draws.points[draws.label == k]
        if len(own) > 100:
            check_moments(own, component.posterior_mean(x, 0.5), component.posterior_covariance(x, 0.5))
    data = law.draws(4000, rng)
    assert data.label.shape == (4000,)
    assert np.all(np.abs(np.bincount(data.label) / 4000 - law.weights) < 5 * np.sqrt(law.weights / 4000))


def test_one_point_and_no_draws():
    assert LAWS["sphere"].sample_posterior(np.zeros(4), 1.0, RNG).shape == (1, 4)
    assert LAWS["sphere"].draws(5, RNG).label is None
    three = Parametric(lambda u: np.column_stack([u, np.sum(u**2, axis=1)]), [(0.0, 1.0)] * 3, log2_nodes=4)
    for law in (NormalizedLinear([1.0, 0.5]), HiddenManifold(3, 4, rng=RNG), three):
        with pytest.raises(ValueError, match="no exact draws"):
            law.posterior_draws(np.zeros((2, law.ambient_dim)), 0.3, RNG)
    with pytest.raises(ValueError, match=r"r has shape \(3,\): must be a number or an array of shape \(2,\)"):
        LAWS["sphere"].posterior_draws(np.zeros((2, 4)), np.ones(3), RNG)
