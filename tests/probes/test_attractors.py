"""Fixed points of denoisers that can be found by hand, and where starts end."""

import numpy as np
import pytest
from scipy.optimize import brentq

from remanifold.models import LinearScore
from remanifold.probes import attractors, state_fractions
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.memorization import memorized_fraction
from remanifold.simulations.reverse import reverse


def test_two_points_merge_above_their_distance(rng):
    """m = tanh(x/r): below r = 1 the two solutions of x = tanh(x/r), above it the origin alone, which is spurious."""
    score, starts = EmpiricalScore([[-1.0], [1.0]]), np.linspace(-2, 2, 40)[:, None]
    found = attractors(score, starts, 0.5)
    root = brentq(lambda x: x - np.tanh(x / 0.5), 0.1, 1.0)
    np.testing.assert_allclose(np.sort(found.points[:, 0]), [-root, root], atol=1e-5)
    np.testing.assert_allclose(found.shares, [0.5, 0.5])
    merged = attractors(score, starts, 2.0)
    np.testing.assert_allclose(merged.points, [[0.0]], atol=1e-5)
    assert merged.shares == [1.0]
    fractions = state_fractions(score, starts, [[-1.0], [1.0]], 2.0, near=0.5)
    assert (fractions.memorized.mean, fractions.spurious.mean) == (0.0, 1.0)
    fractions = state_fractions(score, starts, [[-1.0], [1.0]], 0.5, near=0.5)
    assert (fractions.memorized.mean, fractions.spurious.mean) == (1.0, 0.0)
    assert fractions.memorized.stderr > 0  # not even when all starts agree


def test_at_small_noise_the_training_points_are_all_there_is(rng):
    points = rng.standard_normal((8, 3))
    score = EmpiricalScore(points)
    found = attractors(score, 2 * rng.standard_normal((200, 3)), 1e-3)
    assert found.unsettled == 0
    for point in found.points:
        assert np.min(np.linalg.norm(points - point, axis=1)) < 1e-6
    assert found.shares.sum() == pytest.approx(1)
    assert np.all(np.diff(found.shares) <= 0)


def test_a_generalized_manifold_has_no_isolated_state():
    """Along a Gaussian direction of variance λ the step shrinks by λ/(λ+r): 1000 steps suffice while r > λ/70 or so."""
    starts = np.array([[1.0, 0.3], [-1.0, 0.2]])
    score = LinearScore([1.0, 1e-6])
    assert attractors(score, starts, 1e-3).unsettled == 1.0
    settled = attractors(score, starts, 0.1)
    np.testing.assert_allclose(settled.points, [[0.0, 0.0]], atol=1e-5)
    assert state_fractions(score, starts, starts, 1e-3).unsettled.mean == 1.0


def test_nothing_settled_gives_an_empty_list():
    found = attractors(lambda x, r: np.ones_like(x), np.zeros((3, 2)), 1.0, steps=5)
    assert found.points.shape == (0, 2)
    assert found.shares.size == 0
    assert found.unsettled == 1.0


def test_samples_of_a_linear_score_have_its_law_and_are_no_copies(rng):
    """Any learned score drives the reverse process and the memorized fraction of `simulations`."""
    training = rng.standard_normal((40, 3)) * [1.0, 0.5, 0.5]
    score = LinearScore.fit(training)
    start = score.centre + np.sqrt(score.variances.max() + 400) * rng.standard_normal((2000, 3))
    samples = reverse(score, start, np.geomspace(400, 1e-4, 80), rng, method="ode").x[-1]
    np.testing.assert_allclose(np.cov(samples.T), np.cov(training.T, bias=True), atol=0.12)
    copies = memorized_fraction(samples, training)
    assert copies.mean < 3 * (1 / 3) ** 3  # by chance (1/3)^d, few points make it a little more
    exact = reverse(EmpiricalScore(training), training[:10] + 0.01, np.array([1e-3, 1e-5]), rng).x[-1]
    assert memorized_fraction(exact, training).mean == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: attractors(s, [0.0, 1.0], 1.0), "starts has shape"),
        (lambda s: attractors(s, [[0.0, 1.0]], 0.0), "r = 0.0"),
        (lambda s: attractors(s, [[0.0, 1.0]], 1.0, steps=0), "steps = 0"),
        (lambda s: attractors(s, [[0.0, 1.0]], 1.0, tolerance=0.0), "tolerance = 0.0"),
        (lambda s: state_fractions(s, [[0.0, 1.0]], [[0.0]], 1.0), "training has shape"),
        (lambda s: state_fractions(s, [[0.0, 1.0]], [[0.0, 0.0]], 1.0, near=0.0), "near = 0.0"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call(LinearScore([1.0, 0.5]))
