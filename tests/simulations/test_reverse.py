"""The reverse process: exact laws at any step count, and the order at which the integrators converge."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import kstest

from remanifold.conventions.estimate import Estimate
from remanifold.manifolds import Linear, Mixture, Sphere
from remanifold.models import LinearScore
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.exact_draws import noisy_points
from remanifold.simulations.reverse import reverse, reverse_steps

LINE = np.array([-1.5, -1.0, 0.2, 0.9, 2.0])
TWO = Mixture([Linear([0.3], centre=[-1.0]), Linear([0.1], centre=[1.0])], weights=[0.3, 0.7])


def within(samples, expected, errors=4.0):
    mean, stderr = Estimate.of(np.asarray(samples, dtype=float))
    assert abs(mean - expected) < errors * stderr, (mean, expected, stderr)


def line_law(r):
    """Distribution function of the five points of LINE noised to r."""
    return lambda x: np.mean(ndtr((np.asarray(x)[..., None] - LINE) / np.sqrt(r)), axis=-1)


# ---- exact --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratios", [[9.0, 0.2], [9.0, 3.0, 1.0, 0.7, 0.2]])
def test_exact_trajectories_have_the_law_of_the_noised_points_at_any_step_count(ratios):
    e, rng = EmpiricalScore(LINE[:, None]), np.random.default_rng(1)
    path = reverse(e, noisy_points(e, 9.0, 20_000, rng), ratios, rng)
    for r, x in zip(path.ratios, path.x, strict=True):
        assert kstest(x[:, 0], line_law(r)).pvalue > 1e-3


def test_exact_trajectories_have_the_transitions_of_the_reverse_process():
    """Against the process as it is defined: a fresh posterior draw at every step, weights by hand."""
    rng, n = np.random.default_rng(2), 20_000
    y = rng.standard_normal((30, 2))
    e = EmpiricalScore(y)
    ratios = [6.0, 2.0, 0.6, 0.2]
    x = np.tile([1.0, -0.5], (n, 1))  # one start, far from stationary
    redrawn = [x]
    for t, s in pairwise(ratios):
        cumulative = np.cumsum(np.exp(-np.sum((x[:, None] - y) ** 2, axis=2) / (2 * t)), axis=1)
        chosen = np.argmax(cumulative > rng.random((n, 1)) * cumulative[:, -1:], axis=1)
        mean = y[chosen] + s / t * (x - y[chosen])
        x = mean + np.sqrt(s * (t - s) / t) * rng.standard_normal(x.shape)
        redrawn.append(x)
    path = reverse(e, redrawn[0], ratios, rng)
    for a, b in ((1, 1), (1, 2), (1, 3), (2, 3), (3, 3)):
        for moment in (
            lambda u, v: u[:, 0] * v[:, 0],
            lambda u, v: u[:, 1] * v[:, 1],
            lambda u, v: u[:, 0] ** 2 * v[:, 1],
        ):
            here, there = (Estimate.of(moment(p[a], p[b])) for p in (path.x, redrawn))
            assert abs(here.mean - there.mean) < 4 * np.hypot(here.stderr, there.stderr)


def test_the_exact_process_ends_on_training_points_each_equally_often():
    e, rng = EmpiricalScore(LINE[:, None]), np.random.default_rng(3)
    ends = reverse(e, noisy_points(e, 50.0, 10_000, rng), [50.0, 1.0, 0.0], rng).x[-1]
    shares = np.mean(np.abs(ends - LINE) < 1e-13, axis=0)
    np.testing.assert_allclose(shares, 0.2, atol=4 * np.sqrt(0.16 / 10_000))
    assert abs(shares.sum() - 1) < 1e-12


def test_two_times_of_a_gaussian_law():
    """E x_s x_t = λ + s for s < t, the covariance of Brownian motion started from the data."""
    law, rng = Linear([2.0, 0.3], ambient_dim=3, rng=np.random.default_rng(0)), np.random.default_rng(4)
    path = reverse(law, noisy_points(law, 5.0, 40_000, rng), [5.0, 1.0, 0.1, 0.0], rng)
    z = path.x @ law.embedding.basis
    for a, b in ((0, 0), (0, 1), (1, 1), (1, 2), (0, 3), (3, 3)):
        for k, variance in enumerate(law.variances):
            within(z[a, :, k] * z[b, :, k], variance + path.ratios[b])
    off = path.x - z @ law.embedding.basis.T
    within(np.sum(off[2] ** 2, axis=1), 0.1)
    assert np.abs(off[3]).max() < 1e-13


@pytest.mark.parametrize("r", [0.0, 0.05, 1.0])
def test_classes_of_unequal_weight_and_width(r):
    rng = np.random.default_rng(5)
    x = reverse(TWO, noisy_points(TWO, 20.0, 20_000, rng), [20.0, r], rng).x[-1, :, 0]

    def law(x):
        return 0.3 * ndtr((x + 1) / np.sqrt(0.3 + r)) + 0.7 * ndtr((x - 1) / np.sqrt(0.1 + r))

    assert kstest(x, law).pvalue > 1e-3


@pytest.mark.parametrize("law", [Linear([1.5, 0.2], ambient_dim=3), Mixture.two_gaussians(2, 1.0, 0.4)])
def test_clean_draws_have_the_posterior_mean_and_covariance(law):
    rng = np.random.default_rng(6)
    x = np.array([0.4, 0.2, -0.3])[: law.ambient_dim]
    y = law.posterior_draws(np.tile(x, (40_000, 1)), 0.7, rng).points
    centred = y - law.posterior_mean(x, 0.7)
    covariance = law.posterior_covariance(x, 0.7)
    for i in range(2):
        within(centred[:, i], 0.0)
        for j in range(i + 1):
            within(centred[:, i] * centred[:, j], covariance[i, j])


# ---- integrators --------------------------------------------------------------------------------


def flow_error(method, steps):
    """Largest error over 41 starts of the flow to r = 0.05, exact on the line: the flow conserves quantiles."""
    starts = np.linspace(-6, 6, 41)
    quantile = [brentq(lambda x, p=p: line_law(0.05)(x) - p, -9, 9, xtol=1e-13) for p in line_law(9.0)(starts)]
    ratios = np.linspace(3.0, np.sqrt(0.05), steps + 1) ** 2
    found = reverse(EmpiricalScore(LINE[:, None]), starts[:, None], ratios, np.random.default_rng(0), method).x[
        -1, :, 0
    ]
    return np.abs(found - quantile).max()


@pytest.mark.parametrize(("method", "order"), [("exponential", 1), ("ode", 2)])
def test_order_of_the_probability_flow(method, order):
    errors = np.array([flow_error(method, steps) for steps in (200, 400, 800)])
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:]), order, atol=0.15)
    assert errors[-1] < (1e-4 if order == 2 else 2e-2)


def variance_error(method, steps):
    """Relative error of the variance at r = 0.1, 640000 coordinates of unit variance from r = 4: (error, its s.e.)."""
    law, rng = Linear([1.0] * 16), np.random.default_rng(steps)
    *_, (_, x) = reverse_steps(law, noisy_points(law, 4.0, 40_000, rng), np.geomspace(4.0, 0.1, steps + 1), rng, method)
    return x.var() / 1.1 - 1, np.sqrt(2 / x.size)


@pytest.mark.parametrize(("method", "sign"), [("euler_maruyama", 1), ("ancestral", -1)])
def test_weak_order_one_of_the_stochastic_integrators(method, sign):
    """Halving the step halves the error of the variance, here 3 to 20 % against a standard error of 0.2 %."""
    (coarse, error), (fine, _) = (variance_error(method, steps) for steps in (16, 32))
    assert sign * fine > 0.03
    assert abs(coarse / fine - 2) < 0.2 + 4 * error * np.hypot(1, coarse / fine) / abs(fine)
    exact, _ = variance_error("exact", 16)
    assert abs(exact) < 4 * error


@pytest.mark.parametrize("method", ["ancestral", "exponential", "ode"])
def test_one_point_is_reached_without_error_in_two_steps(method):
    e, rng = EmpiricalScore([[1.0, 2.0]]), np.random.default_rng(7)
    path = reverse(e, noisy_points(e, 4.0, 20_000, rng), [4.0, 1.0, 0.0], rng, method)
    within(np.sum((path.x[1] - [1.0, 2.0]) ** 2, axis=1), 2.0)
    np.testing.assert_allclose(path.x[2], np.tile([1.0, 2.0], (20_000, 1)), rtol=1e-13)


def test_anything_with_a_posterior_mean_can_be_integrated():
    class Origin:
        def posterior_mean(self, x, r):
            return 0 * x

    path = reverse(Origin(), np.full((3, 2), 2.0), [4.0, 1.0], np.random.default_rng(0), "ode")
    np.testing.assert_allclose(path.x[1], 1.0, rtol=1e-13)
    sphere, rng = Sphere(2), np.random.default_rng(0)
    x = reverse(sphere, noisy_points(sphere, 9.0, 50, rng), np.geomspace(9, 1e-4, 40), rng, "ode").x[-1]
    assert np.abs(np.linalg.norm(x, axis=1) - 1).max() < 0.05


# ---- form ---------------------------------------------------------------------------------------


def test_steps_are_the_trajectory_and_a_seed_reproduces_it():
    x = np.zeros((4, 1))
    for method in ("exact", "ancestral", "euler_maruyama"):
        path = reverse(TWO, x, [3.0, 1.0, 0.5], np.random.default_rng(0), method)
        steps = list(reverse_steps(TWO, x, [3.0, 1.0, 0.5], np.random.default_rng(0), method))
        assert [r for r, _ in steps] == list(path.ratios)
        np.testing.assert_array_equal([points for _, points in steps], path.x)
        np.testing.assert_array_equal(path.x[0], x)


@pytest.mark.parametrize(
    ("law", "x", "ratios", "method", "message"),
    [
        (TWO, [[0.0]], [1.0, 0.5], "magic", "method = 'magic'.*euler_maruyama"),
        (TWO, [[0.0]], [0.5, 1.0], "exact", "ratios.*decreasing"),
        (TWO, [[0.0]], [0.5], "exact", "ratios.*decreasing"),
        (TWO, [[0.0]], [1.0, -0.5], "exact", "ratios"),
        (TWO, [[0.0]], [1.0, 0.0], "euler_maruyama", "ratios.*above 0"),
        (TWO, [0.0], [1.0, 0.5], "exact", "x has shape"),
        (TWO, [[np.nan]], [1.0, 0.5], "ode", "x"),
        (TWO, [[0.0, 0.0]], [1.0, 0.5], "exact", "x has shape"),
        (LinearScore([1.0]), [[0.0]], [1.0, 0.5], "exact", "law.*exact draws"),
    ],
)
def test_bad_arguments_are_refused_by_name(law, x, ratios, method, message):
    with pytest.raises(ValueError, match=message):
        reverse(law, x, ratios, np.random.default_rng(0), method)
    with pytest.raises(ValueError, match=message):
        reverse_steps(law, x, ratios, np.random.default_rng(0), method)  # at the call, not at the first step


def test_rng_must_be_a_generator():
    with pytest.raises(ValueError, match="rng"):
        reverse(TWO, [[0.0]], [1.0, 0.5], 3)
