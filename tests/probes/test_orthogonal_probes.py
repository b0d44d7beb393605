"""Probed spectra against the exact singular values of known Jacobians, and the geometry of the probes."""

import numpy as np
import pytest
from scipy import stats

from remanifold.conventions.haar import orthogonal_matrix
from remanifold.probes.orthogonal_probes import orthogonal_probes

JACOBIAN = np.random.default_rng(1).standard_normal((6, 6)) - 4 * np.eye(6)
ORIGIN = np.array([1.0, 2.0, -1.0, 0.0, 0.5, 0.0])
EXACT = np.sqrt(np.linalg.eigvalsh(JACOBIAN.T @ JACOBIAN))[::-1]


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def affine(constant):
    """A score with Jacobian JACOBIAN that is `constant` at ORIGIN."""
    return lambda x, r: constant + (x - ORIGIN) @ JACOBIAN.T


@pytest.mark.parametrize("spread", [None, 1e-3, 2.0])
@pytest.mark.parametrize("kind", ["stacked", "difference"])
def test_exact_for_a_linear_score_that_vanishes_at_the_centre(kind, spread, rng):
    values = orthogonal_probes(affine(0.0), ORIGIN, 0.3, rng, spread=spread, kind=kind)
    np.testing.assert_allclose(values, EXACT, rtol=1e-9)


def test_difference_does_not_see_a_constant_score(rng):
    values = orthogonal_probes(affine(50 * ORIGIN), ORIGIN, 0.3, rng, kind="difference")
    np.testing.assert_allclose(values, EXACT, rtol=1e-9)


@pytest.mark.parametrize("size", [0.5, 5.0, 500.0])
def test_stacked_is_off_by_a_matrix_of_rank_one(size, rng):
    constant = size * np.ones(6) / np.sqrt(6)
    values = orthogonal_probes(affine(constant), ORIGIN, 0.25, rng)
    assert not np.allclose(values, EXACT, rtol=1e-3)
    # Weyl: after a perturbation of rank one every singular value stays between the neighbours' old places.
    assert np.all(values[1:] <= EXACT[:-1] * (1 + 1e-9))
    assert np.all(values[:-1] >= EXACT[1:] * (1 - 1e-9))
    if size == 500.0:
        assert values[0] == pytest.approx(np.sqrt(6) * 500 / 0.5, rel=0.02)


def test_error_of_the_central_difference_is_quadratic_in_the_spread():
    def score(x, r):
        return -x - x**3

    exact = 1 + 3 * np.sort(ORIGIN**2)[::-1]
    errors = []
    for spread in (0.1, 0.05):
        probed = orthogonal_probes(score, ORIGIN, 1.0, np.random.default_rng(0), spread=spread, kind="difference")
        errors.append(np.abs(probed - exact).max())
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)


def test_points_are_an_orthogonal_frame_at_distance_root_r(rng):
    seen = []

    def score(x, r):
        seen.append((x - ORIGIN, r))
        return -x

    orthogonal_probes(score, ORIGIN, 0.49, rng)
    orthogonal_probes(score, ORIGIN, 0.49, rng, spread=2.0, kind="difference")
    for (frame, r), length in zip(seen, (0.7, 2.0, 2.0), strict=True):
        assert r == 0.49
        np.testing.assert_allclose(frame @ frame.T, length**2 * np.eye(6), atol=1e-12)
    np.testing.assert_allclose(seen[1][0], -seen[2][0], atol=1e-12)


def test_frames_are_haar(rng):
    frames = np.array([orthogonal_matrix(5, rng) for _ in range(3000)])
    # The square of a coordinate of a uniform direction is Beta(1/2, (D-1)/2), and its sign is fair.
    for i, j in ((0, 0), (4, 4), (4, 0)):
        assert stats.kstest(frames[:, i, j] ** 2, stats.beta(0.5, 2).cdf).pvalue > 1e-3
        assert stats.binomtest(int(np.sum(frames[:, i, j] > 0)), 3000).pvalue > 1e-3
    traces = np.trace(frames, axis1=1, axis2=2)  # E (tr Q)² = 1 for Haar measure, whatever D
    assert abs(np.mean(traces**2) - 1) < 4 * np.std(traces**2) / np.sqrt(3000)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "forward"}, "kind = 'forward'"),
        ({"x": np.zeros((2, 6))}, "x = "),
        ({"r": 0.0}, "r = 0.0"),
        ({"r": [1.0, 2.0]}, "r = "),
        ({"spread": -1.0}, "spread = -1.0"),
        ({"rng": 3}, "rng = 3"),
        ({"score": lambda x, r: x[:, :2]}, r"has shape \(6, 2\)"),
        ({"score": lambda x, r: x * np.nan}, "finite"),
    ],
)
def test_bad_arguments(changes, message, rng):
    arguments = {"score": affine(0.0), "x": ORIGIN, "r": 1.0, "rng": rng, **changes}
    with pytest.raises(ValueError, match=message):
        orthogonal_probes(**arguments)
