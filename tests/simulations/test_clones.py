"""Clones and U-turns: the probability to meet again is the participation, of points and of classes."""

import numpy as np
import pytest

from remanifold import theory
from remanifold.manifolds import HiddenManifold, Linear, Mixture
from remanifold.models import LinearScore
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.clones import clones
from remanifold.simulations.data_sets import over_data_sets
from remanifold.simulations.u_turn import u_turn
from remanifold.theory import finite_size

LAW, N = Linear([1.0] * 8 + [0.25] * 4), 200
RATIOS = theory.collapse(LAW, log_n=np.log(N)) * np.array([0.3, 1.0, 3.0])
both = pytest.mark.parametrize("experiment", [clones, u_turn])


def z_score(estimate, expected, error=0.0):
    return np.abs(estimate.mean - np.asarray(expected)) / np.hypot(estimate.stderr, error)


@both
def test_the_same_point_is_found_with_the_probability_of_the_participation(experiment):
    """P = E Y = E w_1 at one data set, Y by a pass over planted queries of their own."""
    rng = np.random.default_rng(11)
    e = EmpiricalScore(LAW.sample(N, rng))
    met = experiment(e, RATIOS, rng, 6000)
    for k, r in enumerate(RATIOS):
        x, _ = e.planted(r, rng, 6000)
        y = e.participation(x, r)
        assert abs(met.same_point.mean[k] - y.mean()) < 4 * np.hypot(met.same_point.stderr[k], y.std() / np.sqrt(6000))
    assert met.same_class is None


@both
def test_over_data_sets_it_is_the_exact_retrieval(experiment):
    rng = np.random.default_rng(12)
    met = over_data_sets(LAW, N, lambda e, rng: experiment(e, RATIOS, rng, 300).same_point.mean, rng, 40)
    exact = [finite_size.retrieval(LAW, np.log(N), r) for r in RATIOS]
    assert 0.03 < exact[2] < 0.3 < exact[1] < 0.8 < exact[0] < 0.99
    assert np.all(z_score(met, exact) < 4)


@both
@pytest.mark.parametrize(
    "mixture",
    [
        Mixture.two_gaussians(4, separation=1.0, variance=0.5),
        Mixture([Linear([0.5, 0.2], centre=c) for c in ([0, 2], [2, 0], [-1, -1])], weights=[0.2, 0.3, 0.5]),
    ],
)
def test_classes_of_a_population_meet_with_the_clone_probability(experiment, mixture):
    ratios = np.array([0.3, 2.0, 8.0])
    met = experiment(mixture, ratios, np.random.default_rng(13), 8000)
    assert np.all(z_score(met.same_class, theory.clone_probability(mixture, ratios), 1e-4) < 4)
    assert np.all(z_score(met.square_distance, 2 * ratios * mixture.dimension(ratios), 1e-3) < 4)
    assert met.same_point is None


@both
def test_the_square_distance_of_two_ends_is_twice_the_posterior_variance(experiment):
    """E|y - y'|² = 2 tr C = 2r d(r), for a population and for its points."""
    rng = np.random.default_rng(14)
    met = experiment(LAW, RATIOS, rng, 6000)
    assert np.all(z_score(met.square_distance, 2 * RATIOS * LAW.dimension(RATIOS)) < 4)
    assert met.same_point is met.same_class is None
    e = EmpiricalScore(LAW.sample(N, rng))
    d = e.dimension(RATIOS, rng, 6000)
    assert np.all(
        z_score(experiment(e, RATIOS, rng, 6000).square_distance, 2 * RATIOS * d.mean, 2 * RATIOS * d.stderr) < 4
    )


@both
def test_labelled_points(experiment):
    """Many points, much noise: classes meet as in the population although points do not."""
    mixture, rng = Mixture.two_gaussians(3, separation=1.0, variance=0.5), np.random.default_rng(15)
    y, labels = mixture.sample_labelled(20_000, rng)
    met = experiment(EmpiricalScore(y), 2.0, rng, 3000, labels=labels)
    assert np.all(z_score(met.same_class, theory.clone_probability(mixture, 2.0), 0.003) < 4)
    assert met.same_point.mean[0] < 0.01


def test_without_noise_all_meet_and_the_error_of_a_sure_thing_is_not_zero():
    met = clones(EmpiricalScore(np.arange(5.0)[:, None]), [1e-6], np.random.default_rng(0), 100)
    assert met.same_point.mean[0] == 1
    assert 0.005 < met.same_point.stderr[0] < 0.02
    assert met.square_distance.mean[0] == 0


@both
@pytest.mark.parametrize(
    ("law", "ratios", "options", "message"),
    [
        (LAW, [0.0], {}, "ratios"),
        (LAW, [1.0], {"labels": [0, 1]}, "labels.*only training points"),
        (EmpiricalScore([[0.0], [1.0]]), [1.0], {"labels": [0, 1, 1]}, "labels has shape"),
        (EmpiricalScore([[0.0], [1.0]]), [1.0], {"labels": [0.5, 1.0]}, "labels.*integer"),
        (HiddenManifold(2, 3, "tanh", rng=np.random.default_rng(0)), [1.0], {}, "exact draws"),
        (LinearScore([1.0, 1.0]), [1.0], {}, "exact draws"),
    ],
)
def test_bad_arguments_are_refused_by_name(experiment, law, ratios, options, message):
    with pytest.raises(ValueError, match=message):
        experiment(law, ratios, np.random.default_rng(0), 10, **options)


@both
def test_one_trial_has_no_error_bar(experiment):
    with pytest.raises(ValueError, match="= 1: must be ≥ 2"):
        experiment(LAW, [1.0], np.random.default_rng(0), 1)
