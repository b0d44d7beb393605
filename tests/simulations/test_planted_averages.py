"""Curves over many noise ratios: shared distances, control variates, Jacobian spectra of large sets."""

import numpy as np
import pytest

from remanifold.simulations import EmpiricalScore
from remanifold.simulations.engine.control_variates import controlled, planted_controls
from remanifold.simulations.engine.kernel import in_panels, posterior_sums
from remanifold.simulations.engine.planted_curve import planted_sums, smallest_ratio


@pytest.mark.parametrize(("n", "dim"), [(400, 3), (300, 80), (1, 5)])
def test_shared_distances_give_the_sums_of_the_kernel(n, dim):
    rng = np.random.default_rng(0)
    y = rng.standard_normal((n, dim))
    index, noise = rng.integers(n, size=30), rng.standard_normal((30, dim))
    ratios = np.geomspace(max(smallest_ratio(y), 1e-4), 1e4, 7)
    for r, found in zip(ratios, planted_sums(y, index, noise, ratios), strict=True):
        exact = posterior_sums(y, in_panels(y, 32, "float64"), y[index] + np.sqrt(r) * noise, np.full(30, r))
        for value, expected in zip(found, exact, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-9)


def test_curves_from_shared_distances_are_those_from_single_ratios():
    y = np.random.default_rng(1).standard_normal((600, 70))
    e, ratios = EmpiricalScore(y), np.geomspace(0.1, 100, 5)
    for name in ("information", "dimension"):
        curve = getattr(e, name)(ratios, np.random.default_rng(2), 64)
        alone = [getattr(e, name)(r, np.random.default_rng(2), 64) for r in ratios]
        np.testing.assert_allclose(curve.mean, [a.mean for a in alone], rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(curve.stderr, [a.stderr for a in alone], rtol=1e-6, atol=1e-12)


@pytest.fixture(scope="module")
def samples():
    """Entropies and controls of 4000 planted queries at each of three ratios."""
    rng = np.random.default_rng(3)
    y = rng.standard_normal((400, 5))
    found = {}
    for r in (0.05, 0.6, 8.0):
        index, noise = rng.integers(400, size=4000), rng.standard_normal((4000, 5))
        sums = posterior_sums(y, in_panels(y, 32, "float64"), y[index] + np.sqrt(r) * noise, np.full(4000, r))
        found[r] = (np.log(400) - sums.entropy, planted_controls(noise, r, sums, 400))
    return found


def test_controls_vanish_on_average(samples):
    for _, controls in samples.values():
        z = controls.mean(axis=1) / (controls.std(axis=1) / np.sqrt(controls.shape[1]))
        assert np.all(np.abs(z) < 4)


def test_error_bars_are_smaller_and_honest(samples):
    """At large noise three quarters of the scatter go; over 31 groups of 128 the means scatter as their error bars say.

    The means of many groups of 31 scatter by 13 %, and the error bars are those of few samples.
    """
    information, controls = samples[8.0]
    assert len(controls) == 2
    assert controlled(information, controls).stderr < 0.3 * information.std() / np.sqrt(4000)
    for values, control in samples.values():
        groups = [controlled(values[i::31], control[:, i::31]) for i in range(31)]
        z = np.array([(g.mean - values.mean()) / g.stderr for g in groups])
        assert 0.65 < z.std() < 1.4


def test_few_samples_are_averaged_plainly():
    values = np.array([1.0, 2.0, 4.0])
    assert controlled(values, np.array([[1.0, -1.0, 0.0]])).mean == pytest.approx(7 / 3)


@pytest.mark.parametrize("over", [1e-3, 0.3, 3.0])
def test_spectrum_from_the_points_that_matter(over):
    """Eigenvalues against a full float64 covariance of all points, at condensed and broad weights."""
    rng = np.random.default_rng(4)
    y = rng.standard_normal((3000, 30)) / np.arange(1, 31)
    x = y[:2] + np.sqrt(over) * rng.standard_normal((2, 30))
    found = EmpiricalScore(y).jacobian_spectrum(x, over)
    for q in range(2):
        logits = -np.sum((y - x[q]) ** 2, axis=1) / (2 * over)
        w = np.exp(logits - logits.max())
        w /= w.sum()
        deviations = y - w @ y
        exact = np.linalg.eigvalsh((w[:, None] * deviations).T @ deviations)[::-1]
        np.testing.assert_allclose(over * found[q], -(1 - exact / over), atol=1e-11)
        assert np.all(found[q] >= -1 / over)
        single = EmpiricalScore(y, "float32").jacobian_spectrum(x[q], over)
        np.testing.assert_allclose(over * single, over * found[q], atol=3e-6 * max(1, exact[0] / over))
