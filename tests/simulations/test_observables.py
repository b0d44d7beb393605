"""Observables of N points against exact finite-size theory, quadrature and counting."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2

from remanifold import theory
from remanifold.conventions.estimate import Estimate, fraction
from remanifold.manifolds import Linear, Mixture, Sphere
from remanifold.models import LinearScore
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.class_clones import class_clone_probability
from remanifold.simulations.clones import clones
from remanifold.simulations.data_sets import over_data_sets
from remanifold.simulations.exact_draws import noisy_points
from remanifold.simulations.held_out import best_noise, cross_entropy
from remanifold.simulations.planted_averages import planted_averages
from remanifold.simulations.probe_condensation import probe_condensation
from remanifold.simulations.profile import profile
from remanifold.simulations.reverse import reverse
from remanifold.simulations.scaling_collapse import scaling_curve
from remanifold.theory import finite_size

LAW, N = Linear([1.0] * 12), 300
LOG_N = np.log(N)
R_C = theory.collapse(LAW, log_n=LOG_N)


def assert_close(estimate, expected, errors=4.0):
    assert np.all(np.abs(estimate.mean - np.asarray(expected)) < errors * np.asarray(estimate.stderr)), (
        estimate,
        expected,
    )


# ---- planted queries ----------------------------------------------------------------------------


@pytest.mark.parametrize("law", [LAW, Sphere(5), Mixture.two_gaussians(8, 1.0, 0.5)])
def test_retrieval_and_excess_entropy_are_the_exact_averages(law):
    r_c = theory.collapse(law, log_n=LOG_N)
    ratios, rng = r_c * np.array([0.3, 1.0, 3.0]), np.random.default_rng(21)

    def measure(e, rng):
        found = planted_averages(e, ratios, rng, 200)
        return [found.retrieval.mean, found.participation.mean, found.excess_entropy.mean]

    mean, stderr = over_data_sets(law, N, measure, rng, 40)
    retrieval = [finite_size.retrieval(law, LOG_N, r) for r in ratios]
    entropy = [finite_size.excess_entropy(law, LOG_N, r) for r in ratios]
    assert_close(Estimate(mean[0], stderr[0]), retrieval)
    assert_close(Estimate(mean[1], stderr[1]), retrieval)
    assert_close(Estimate(mean[2], stderr[2]), entropy)
    assert mean[2, 1] > 0.5  # at r_c, where the asymptotic max(0, ln N - I) vanishes


def test_planted_weights_of_two_points_on_a_line():
    """w_1 = expit((1 ∓ ξ...)·2/r): E ln(1 + Z_rest/Z_1) at y = ±1 by quadrature."""
    e, r = EmpiricalScore([[-1.0], [1.0]]), 0.8

    def excess(z):
        return np.logaddexp(0, -2 * (1 + np.sqrt(r) * z) / r) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)

    exact, _ = quad(excess, -12, 12, epsabs=1e-12)
    assert_close(planted_averages(e, r, np.random.default_rng(1), 20_000).excess_entropy, exact)


def test_all_noise_ratios_share_their_random_numbers_and_shapes_follow():
    e = EmpiricalScore(LAW.sample(50, np.random.default_rng(0)))
    grid = planted_averages(e, np.full((2, 2), 0.4), np.random.default_rng(3), 64)
    one = planted_averages(e, 0.4, np.random.default_rng(3), 64)
    np.testing.assert_array_equal(grid.retrieval.mean, np.full((2, 2), one.retrieval.mean))
    assert isinstance(one.excess_entropy.mean, float)


# ---- trajectories -------------------------------------------------------------------------------


def test_profile_of_exact_trajectories_is_that_of_the_law_at_every_ratio():
    rng, ratios = np.random.default_rng(22), np.append(np.geomspace(10, 0.1, 5), 0.0)
    mixture = Mixture.two_gaussians(3, 1.0, 0.5)
    along = profile(mixture, reverse(mixture, noisy_points(mixture, 10.0, 3000, rng), ratios, rng))
    assert_close(along.dimension, mixture.dimension(ratios[:-1]))
    assert along.participation is None
    e = EmpiricalScore(LAW.sample(N, rng))
    along = profile(e, reverse(e, noisy_points(e, 10.0, 1500, rng), ratios, rng))
    planted, d = planted_averages(e, ratios[:-1], rng, 1500), e.dimension(ratios[:-1], rng, 1500)
    for here, there in ((along.participation, planted.retrieval), (along.dimension, d)):
        assert np.all(np.abs(here.mean - there.mean) < 4 * np.hypot(here.stderr, there.stderr))


def test_profile_of_a_learned_score_is_its_own_dimension():
    """The Wiener filter with other variances, along trajectories of the law: Σ λ/(λ+r), the same at every point."""
    learned, rng = LinearScore([2.0] * 3 + [0.1] * 9), np.random.default_rng(0)
    along = profile(learned, reverse(LAW, noisy_points(LAW, 4.0, 5, rng), [4.0, 1.0, 0.2], rng))
    exact = [3 * 2 / (2 + r) + 9 * 0.1 / (0.1 + r) for r in (4.0, 1.0, 0.2)]
    np.testing.assert_allclose(along.dimension.mean, exact, rtol=1e-12)
    assert along.participation is None


def test_profile_needs_two_trajectories():
    path = reverse(LAW, np.zeros((1, 12)), [1.0, 0.5], np.random.default_rng(0))
    with pytest.raises(ValueError, match="trajectory"):
        profile(LAW, path)


# ---- classes ------------------------------------------------------------------------------------


def test_class_clone_probability_of_many_points_is_that_of_the_population():
    mixture, rng, ratios = Mixture.two_gaussians(3, 1.0, 0.5), np.random.default_rng(23), np.array([0.5, 2.5, 10.0])
    values = []
    for _ in range(8):
        y, labels = mixture.sample_labelled(5000, rng)
        values.append(class_clone_probability(y, labels, ratios, rng, 600).mean)
    assert_close(Estimate.of(np.array(values).T), theory.clone_probability(mixture, ratios))
    assert abs(theory.clone_probability(mixture, theory.speciation(mixture)) - 0.775) < 0.001


def test_class_clone_probability_is_what_labelled_clones_count():
    rng = np.random.default_rng(24)
    y, labels = rng.standard_normal((60, 4)), rng.integers(5, 8, 60)
    expected = class_clone_probability(y, labels, [0.2, 2.0], rng, 4000)
    counted = clones(EmpiricalScore(y), [0.2, 2.0], rng, 4000, labels=labels).same_class
    assert np.all(np.abs(counted.mean - expected.mean) < 4 * np.hypot(counted.stderr, expected.stderr))
    assert np.all(expected.stderr < counted.stderr)
    with pytest.raises(ValueError, match="labels has shape"):
        class_clone_probability(y, labels[:-1], 1.0, rng)


# ---- finite-size scaling ------------------------------------------------------------------------


def test_sizes_fall_together_in_the_scaling_variable():
    """E w_1 for d = 16 and 64, N = 60 and 2000: the exact averages, within 0.07 of each other at equal u."""
    rng = np.random.default_rng(25)
    curves = []
    for d, n in ((16, 60), (64, 2000)):
        law, log_n = Linear([1.0] * d), np.log(n)
        grid = np.geomspace(0.3, 6, 9)
        curve = scaling_curve(law, n, theory.collapse(law, log_n=log_n) * grid, rng, replicas=6, n_queries=128)
        exact = [finite_size.retrieval(law, log_n, r) for r in curve.ratios[::4]]
        assert np.all(np.abs(curve.retrieval.mean[::4] - exact) < 5 * curve.retrieval.stderr[::4] + 1e-3)
        np.testing.assert_allclose(curve.width**2, law.dimension(curve.ratios), rtol=1e-5)
        curves.append(curve)
    at = np.array([-1.0, 0.0, 1.0])
    small, large = (np.interp(at, c.u, c.retrieval.mean) for c in curves)
    assert np.all(np.abs(small - large) < 0.07)
    small, large = (np.interp([-3.0, 3.0], c.u * c.width, c.retrieval.mean) for c in curves)
    assert np.all(np.abs(small - large) > 0.09)  # not at equal distance in nats


# ---- probes -------------------------------------------------------------------------------------


def participation_at_the_origin(d, n, r):
    """E Y at x = 0 for N normal points, |y|² ~ χ²_d: N ∫ s E[z² e^{-sz}] (E e^{-sz})^{N-1} ds, z = e^{-|y|²/2r}."""
    levels = np.linspace(0, 6 * d, 6001)
    density = chi2.pdf(levels, d)
    density /= density.sum()
    z = np.exp(-levels / (2 * r))

    def integrand(log_s):
        weight = np.exp(-np.exp(log_s) * z)
        return np.exp(2 * log_s) * (density @ (z**2 * weight)) * (density @ weight) ** (n - 1)

    grid = np.linspace(-15, 60, 301)
    return n * sum(integrand(u) for u in grid) * (grid[1] - grid[0])


def test_participation_at_a_probe_is_the_exact_average_over_data_sets():
    d, n, ratios = 6, 100, np.array([0.05, 0.2, 1.0])
    found = probe_condensation(Linear([1.0] * d), n, np.zeros(d), ratios, np.random.default_rng(26), 1500)
    assert_close(found.participation, [participation_at_the_origin(d, n, r) for r in ratios])


def test_divergence_at_a_probe_follows_the_law_and_saturates():
    law, rng = Linear([1.0] * 4 + [0.1] * 4), np.random.default_rng(27)
    r_local = theory.local_condensation(law, 5, log_n=LOG_N)
    found = probe_condensation(law, N, 5, r_local * np.array([0.02, 1.0, 30.0]), rng)
    np.testing.assert_allclose(found.population[1], 1, rtol=1e-8)
    assert 0.9 < found.divergence.mean[0] <= 1
    assert found.population[0] > 2
    assert 0.6 < found.divergence.mean[1] < 0.95  # the transition has a width
    np.testing.assert_allclose(found.divergence.mean[2], found.population[2], rtol=0.05)
    with pytest.raises(ValueError, match="n_points = 1"):
        probe_condensation(law, 1, 0, [1.0], rng)
    with pytest.raises(ValueError, match="one point"):
        probe_condensation(law, 10, np.zeros((2, 8)), [1.0], rng)


# ---- fresh points -------------------------------------------------------------------------------


def test_best_noise_is_the_exact_generalization_ratio():
    rng = np.random.default_rng(28)

    def gap(e, rng):
        """Slope of the cross-entropy at the exact r_g, which vanishes in the mean over data sets."""
        x, r = LAW.sample(300, rng), exact
        return np.mean(e.observe(x, r).mean_square_distance) / (12 * r) - 1

    exact = finite_size.generalization(LAW, log_n=LOG_N)
    assert_close(over_data_sets(LAW, N, gap, rng, 40), 0.0)
    found = over_data_sets(LAW, N, lambda e, rng: best_noise(e, LAW.sample(300, rng)).mean, rng, 40)
    assert abs(found.mean / exact - 1) < 0.02 + 4 * found.stderr / exact
    assert found.mean > 1.3 * theory.generalization(LAW, log_n=LOG_N)  # leading order is far off at d = 12


def test_best_noise_minimises_the_cross_entropy_and_its_error_is_honest():
    rng = np.random.default_rng(29)
    e, x = EmpiricalScore(LAW.sample(N, rng)), LAW.sample(2000, rng)
    r_g = best_noise(e, x).mean
    below, there, above = cross_entropy(e, x, r_g * np.array([0.97, 1.0, 1.03])).mean
    assert there < min(below, above)
    runs = [best_noise(e, part) for part in x.reshape(20, 100, 12)]
    scatter, quoted = np.std([run.mean for run in runs], ddof=1), np.mean([run.stderr for run in runs])
    assert 0.6 < scatter / quoted < 1.5


def test_cross_entropy_of_one_point_is_gaussian():
    x = np.random.default_rng(30).standard_normal((40_000, 2))
    found = cross_entropy(EmpiricalScore([[0.0, 0.0]]), x, [0.5, 2.0])
    assert_close(found, np.log(2 * np.pi * np.array([0.5, 2.0])) + 1 / np.array([0.5, 2.0]))
    assert_close(best_noise(EmpiricalScore([[0.0, 0.0]]), x), 1.0)


def test_held_out_training_points_are_refused():
    y = np.arange(6.0).reshape(3, 2)
    with pytest.raises(ValueError, match="held_out must not be training points"):
        best_noise(EmpiricalScore(y), y)
    with pytest.raises(ValueError, match="two or more"):
        cross_entropy(EmpiricalScore(y), y[:1], 1.0)


# ---- error bars ---------------------------------------------------------------------------------


def test_error_of_a_fraction():
    rng = np.random.default_rng(31)
    runs = fraction(rng.random((4000, 50)) < 0.2)
    assert abs(runs.stderr.mean() / runs.mean.std() - 1) < 0.1
    none = fraction(np.zeros(1000, bool))
    assert none.mean == 0
    assert 0.0005 < none.stderr < 0.002


def test_data_sets_are_independent_and_counted():
    e = over_data_sets(Linear([1.0]), 5, lambda e, rng: e.posterior_mean([0.0], 1e9), np.random.default_rng(0), 800)
    assert e.mean.shape == (1,)
    assert abs(e.stderr[0] / np.sqrt(0.2 / 800) - 1) < 0.15
    with pytest.raises(ValueError, match="replicas = 1"):
        over_data_sets(LAW, 5, lambda e, rng: 0.0, np.random.default_rng(0), 1)
