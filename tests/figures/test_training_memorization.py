"""Memorization along training: bookkeeping, and the two ends that are known."""

from functools import partial

import numpy as np
import pytest

from remanifold.figures.catalogue import training_memorization
from remanifold.models import ScoreNetwork
from remanifold.simulations import EmpiricalScore


def test_lost_information_of_a_shifted_score():
    """s = s_pop + v/√r has E r|s - s_pop|² = |v|² at every r: ½ |v|² ln(r_max/r_min) nats."""
    law, ratios = training_memorization.LAW, training_memorization.RATIOS
    shift = np.zeros(law.ambient_dim)
    shift[-1] = 2.0
    lost = training_memorization.lost_information(lambda x, r: law.score(x, r) + shift / np.sqrt(r), 0, points=10)
    assert lost.mean == pytest.approx(2 * np.log(ratios[-1] / ratios[0]), rel=1e-6)
    assert training_memorization.lost_information(law, 0, points=10).mean == 0


def test_the_empirical_score_copies_and_the_population_does_not():
    points = training_memorization.training_points(20, 0)
    assert training_memorization.copied(EmpiricalScore(points), points, 60, 0).mean > 0.9
    assert training_memorization.copied(training_memorization.LAW, points, 60, 0).mean < 0.1


def test_training_is_taken_up_where_it_stopped(tmp_path):
    follow = partial(training_memorization.follow, batch=16, n=20, seed=0, width=8)
    follow(tmp_path / "whole", steps=[3, 7])
    (tmp_path / "whole" / "step-7").rename(tmp_path / "expected")
    for file in (tmp_path / "whole").glob("checkpoint*"):
        file.unlink()
    follow(tmp_path / "whole", steps=[3, 7])
    x = np.ones((2, training_memorization.LAW.ambient_dim))
    first, second = (ScoreNetwork.load(tmp_path / name) for name in ("expected", "whole/step-7"))
    assert np.array_equal(first.score(x, 0.1), second.score(x, 0.1))


def test_first_step_and_exponent():
    steps, n = np.array([1.0, 10.0, 100.0]), np.array([10.0, 20.0, 40.0, 80.0])
    assert training_memorization.first_step(steps, np.array([0.0, 0.2, 0.4]), 0.3) == pytest.approx(10**1.5)
    assert training_memorization.first_step(steps, np.array([0.0, 0.2, 0.2]), 0.3) is None
    slope = training_memorization.exponent(n, 3 * n**1.5)
    assert slope.mean == pytest.approx(1.5)
    assert slope.stderr < 1e-10
    assert np.isnan(training_memorization.exponent(n, np.array([1.0, np.nan, np.nan, 2.0])).mean)


def test_the_time_of_an_event_and_its_error():
    """A curve that falls by one in a factor e of the steps, known to 0.1: ln τ is known to 0.1."""
    steps = np.exp(np.arange(6.0))
    time = training_memorization.crossing_time(steps, 4 - np.arange(6.0), np.full(6, 0.1), -1.0, 1.5)
    assert time.mean == pytest.approx(np.exp(2.5))
    assert time.stderr == pytest.approx(np.exp(2.5) * np.sinh(0.1))
    assert np.isnan(training_memorization.crossing_time(steps, np.zeros(6), np.full(6, 0.1), 1.0, 0.5).mean)
