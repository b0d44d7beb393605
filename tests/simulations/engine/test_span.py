"""Points that span few dimensions: the same answers as in the ambient space, and no span where there is none."""

import numpy as np
import pytest

from remanifold.simulations import EmpiricalScore
from remanifold.simulations.engine.span import find_span


@pytest.fixture(scope="module")
def flat():
    """300 points of rank 5 in 40 dimensions, off the origin."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((300, 5)) @ rng.standard_normal((5, 40)) + 3.0


def test_rank_and_coordinates(flat):
    span = find_span(flat)
    assert span.axes.shape == (40, 5)
    np.testing.assert_allclose(span.axes.T @ span.axes, np.eye(5), atol=1e-13)
    np.testing.assert_allclose(span.coordinates @ span.axes.T + span.origin, flat, atol=1e-12)


def test_rare_points_off_the_common_plane_are_found():
    rng = np.random.default_rng(1)
    y = np.zeros((20000, 50))
    y[:, :3] = rng.standard_normal((20000, 3))
    y[12345, 40], y[777, 30] = 1e-6, 5.0
    span = find_span(y)
    assert span.axes.shape == (50, 5)
    np.testing.assert_allclose(span.coordinates @ span.axes.T + span.origin, y, atol=1e-12)


@pytest.mark.parametrize("y", [np.random.default_rng(2).standard_normal((500, 30)), np.zeros((5, 8)), np.ones((9, 1))])
def test_no_span_where_it_does_not_pay(y):
    assert find_span(y) is None


@pytest.mark.parametrize("r", [1e-6, 0.1, 5.0, 1e4])
def test_answers_are_those_of_the_ambient_space(flat, r):
    rng = np.random.default_rng(3)
    x = flat[:6] + np.sqrt(r) * rng.standard_normal((6, 40))
    inside, ambient = EmpiricalScore(flat), _in_ambient(flat)
    assert (inside.span_dim, ambient.span_dim) == (5, 40)
    for value, expected in zip(inside.observe(x, r), ambient.observe(x, r), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(inside.score(x, r), ambient.score(x, r), rtol=1e-9, atol=1e-9 / r**0.5)
    covariance = inside.posterior_covariance(x[:2], r)
    np.testing.assert_allclose(covariance, ambient.posterior_covariance(x[:2], r), atol=1e-10)
    spectrum = inside.jacobian_spectrum(x[:2], r)
    assert spectrum.shape == (2, 40)
    np.testing.assert_allclose(r * spectrum, r * ambient.jacobian_spectrum(x[:2], r), atol=1e-9)
    assert "5 of 40 dimensions" in inside.plan(r).reason
    np.testing.assert_allclose(inside.training_points([3, 7]), flat[[3, 7]], atol=1e-13)


def test_averages_are_those_of_the_ambient_space(flat):
    for name in ("information", "dimension"):
        inside = getattr(EmpiricalScore(flat), name)([0.01, 1.0], np.random.default_rng(4), 100)
        ambient = getattr(_in_ambient(flat), name)([0.01, 1.0], np.random.default_rng(4), 100)
        assert np.all(np.abs(inside.mean - ambient.mean) < 0.5 * ambient.stderr + 1e-12)


def _in_ambient(y):
    """The score without the shortcut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("remanifold.simulations.coordinates.find_span", lambda points: None)
        return EmpiricalScore(y)
