"""All critical points at once against the single functions, in every clock, and where there are none."""

import math

import numpy as np
import pytest

from remanifold.manifolds import Linear, Mixture, Sphere
from remanifold.theory import (
    DDPM,
    OrnsteinUhlenbeck,
    RectifiedFlow,
    collapse,
    critical_points,
    generalization,
    onset,
    speciation,
    symmetry_breaking,
)

ALWAYS = [
    "onset of traps",
    "collapse",
    "generalization",
    "symmetry breaking (density)",
    "symmetry breaking (drift)",
    "symmetry breaking (covariance)",
]
LOG_N = math.log(500)


@pytest.mark.parametrize("law", [Linear([3.0] * 4 + [0.2] * 9, ambient_dim=15), Sphere(6, 4.0)], ids=repr)
def test_points_of_a_law_without_classes(law):
    points = critical_points(law, log_n=LOG_N)
    assert list(points) == ALWAYS  # no speciation
    for name, find in zip(ALWAYS, (onset, collapse, generalization), strict=False):
        assert points[name].r == find(law, log_n=LOG_N)
    for name, convention in zip(ALWAYS[3:], ("density", "drift", "covariance"), strict=True):
        assert points[name].r == symmetry_breaking(law, convention)
    assert points["onset of traps"].r > points["collapse"].r


def test_points_of_a_mixture():
    law = Mixture.two_gaussians(64)
    points = critical_points(law, log_n=LOG_N)
    assert list(points) == [*ALWAYS, "speciation"]
    assert points["speciation"].r == speciation(law) == pytest.approx(63.0)  # |m|² - v
    assert points["symmetry breaking (covariance)"].r == pytest.approx(64.0)


def test_times_are_those_of_the_processes():
    point = critical_points(Linear([1.0] * 8), log_n=LOG_N)["collapse"]
    r = 1 / (500 ** (2 / 8) - 1)
    assert point.r == pytest.approx(r, rel=1e-12)
    assert point.reason == ""
    assert point.times["VE t"] == pytest.approx(r)
    assert point.times["OU t"] == pytest.approx(0.5 * math.log(1 + r))
    assert OrnsteinUhlenbeck().noise_ratio(point.times["OU t"]) == pytest.approx(r)
    assert RectifiedFlow().noise_ratio(point.times["flow t"]) == pytest.approx(r)
    step = point.times["DDPM step"]
    assert DDPM().noise_ratio(math.floor(step)) < r < DDPM().noise_ratio(math.ceil(step))


def test_no_time_beyond_the_end_of_a_schedule():
    law = Linear([1e7] * 3)
    point = critical_points(law, log_n=1.0)["collapse"]
    assert point.r > DDPM().noise_ratio(1000)
    assert point.times["DDPM step"] is None
    assert point.times["VE t"] == point.r


def test_a_point_that_does_not_exist_says_why():
    law = Mixture.two_gaussians(3, variance=0.0)  # holds ln 2 nats
    points = critical_points(law, log_n=5.0)
    assert points["collapse"].r is None
    assert points["collapse"].times == {}
    assert "never reaches 5" in points["collapse"].reason
    assert points["speciation"].r == pytest.approx(3.0)
    small = critical_points(Linear([0.5] * 4), log_n=5.0)["symmetry breaking (covariance)"]
    assert small.r is None
    assert "must exceed 1" in small.reason


@pytest.mark.parametrize("log_n", [0.0, -1.0, math.nan, np.array([1.0, 2.0])])
def test_bad_log_n(log_n):
    with pytest.raises(ValueError, match=r"^log_n = .*: must be"):
        critical_points(Linear([1.0]), log_n=log_n)
