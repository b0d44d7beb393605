"""When classes separate: two Gaussians by quadrature, three by Monte Carlo, and the limits."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from remanifold.manifolds import Linear, Mixture
from remanifold.theory import OrnsteinUhlenbeck, clone_probability, speciation

CENTRES = np.array([[2.0, 0.0, 0.5], [-1.0, 1.5, 0.0], [0.0, -1.0, -2.0]])
WEIGHTS = np.array([0.5, 0.3, 0.2])
THREE = Mixture([Linear([0.4, 0.2, 0.1], centre=c) for c in CENTRES], WEIGHTS * 7)


@pytest.mark.parametrize("dim", [16, 256])
def test_two_gaussians_speciate_at_half_the_logarithm_of_their_distance(dim):
    law = Mixture.two_gaussians(dim)
    r = speciation(law)
    assert OrnsteinUhlenbeck().time(r) == pytest.approx(0.5 * math.log(dim), rel=1e-10)
    assert clone_probability(law, r) == pytest.approx(0.775, abs=0.001)


@pytest.mark.parametrize("variance", [0.0, 0.3, 2.0])
def test_speciation_with_any_variance(variance):
    assert speciation(Mixture.two_gaussians(5, 2.0, variance)) == pytest.approx(20 - variance, rel=1e-10)


@pytest.mark.parametrize("r", [1e-3, 0.2, 1.0, 7.0, 1e4])
def test_clone_probability_is_a_one_dimensional_integral(r):
    """Along the axis the classes are at ±|m| with variance v + r and P(+|x) = 1/(1 + exp(-2|m|x/(v + r)))."""
    law, half, total = Mixture.two_gaussians(3, 0.8, 0.5), 0.8 * math.sqrt(3), 0.5 + r

    def integrand(x):
        posterior = expit(2 * half * x / total)
        return (posterior**2 + (1 - posterior) ** 2) * norm.pdf(x, half, math.sqrt(total))

    reach = 12 * math.sqrt(total)
    expected = quad(integrand, half - reach, half + reach, epsabs=1e-13, points=[0.0], limit=200)[0]
    assert clone_probability(law, r) == pytest.approx(expected, rel=1e-10)


def posterior_by_hand(x, r):
    log_joint = np.log(WEIGHTS) - 0.5 * np.sum((x[:, None] - CENTRES) ** 2 / (np.array([0.4, 0.2, 0.1]) + r), axis=2)
    joint = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
    return joint / joint.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("r", [0.05, 0.5, 2.0, 10.0])
def test_three_classes_by_monte_carlo(r):
    rng, n = np.random.default_rng([3, int(100 * r)]), 200_000
    labels = rng.choice(3, size=n, p=WEIGHTS)
    x = CENTRES[labels] + rng.standard_normal((n, 3)) * np.sqrt(np.array([0.4, 0.2, 0.1]) + r)
    posterior = posterior_by_hand(x, r)
    together = np.sum(posterior**2, axis=1)
    value = float(clone_probability(THREE, r))
    assert abs(together.mean() - value) < 4 * math.hypot(together.std() / math.sqrt(n), 2e-4 * value)
    gain = np.log(posterior[np.arange(n), labels] / WEIGHTS[labels])
    value = float(THREE.class_information(r))
    assert abs(gain.mean() - value) < 4 * math.hypot(gain.std() / math.sqrt(n), 2e-4 * value)
    overlap = THREE.class_overlap(r)
    np.testing.assert_allclose(overlap.sum(axis=1), WEIGHTS, atol=1e-3)  # E P(j|x) = w_j
    np.testing.assert_allclose(overlap, posterior.T @ posterior / n, atol=5e-3)


def test_three_classes_speciate_where_the_whitened_centres_reach_one():
    r = speciation(THREE)
    whitened = CENTRES / np.sqrt(np.array([0.4, 0.2, 0.1]) + r)
    centred = whitened - WEIGHTS @ whitened
    assert np.linalg.eigvalsh((centred.T * WEIGHTS) @ centred)[-1] == pytest.approx(1, rel=1e-10)


@pytest.mark.parametrize("law", [THREE, Mixture.two_gaussians(4)])
def test_limits_and_monotonicity(law):
    assert clone_probability(law, 1e12) == pytest.approx(np.sum(law.weights**2), rel=1e-6)
    if law is THREE:
        assert clone_probability(Mixture(law.components[:2]), 1e12) == pytest.approx(0.5, rel=1e-6)
    separated = Mixture([Linear([1e-6] * 3, centre=c) for c in CENTRES], WEIGHTS)
    assert clone_probability(separated, 1e-6) == pytest.approx(1, abs=1e-10)
    values = clone_probability(law, np.logspace(3, -3, 30).reshape(5, 6))
    assert values.shape == (5, 6)
    assert np.all(np.diff(values.ravel()) > -1e-9)


def test_permuting_and_merging_classes():
    order = [2, 0, 1]
    permuted = Mixture([THREE.components[i] for i in order], WEIGHTS[order])
    assert clone_probability(permuted, 0.7) == pytest.approx(float(clone_probability(THREE, 0.7)), rel=1e-3)
    same = Mixture([Linear([1.0, 1.0])] * 2, [0.25, 0.75])
    assert clone_probability(same, 0.1) == pytest.approx(0.0625 + 0.5625)
    assert same.class_information(0.1) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: speciation(Mixture.two_gaussians(1, 0.5, 1.0)),
            "signal of the class means .* never reaches",
        ),
        (lambda: clone_probability(THREE, 0.0), "r = 0.0: must be > 0"),
        (lambda: clone_probability(THREE, [1.0, -1.0]), "r = .*must be > 0"),
        (lambda: clone_probability(THREE, math.nan), "r = nan: must be finite"),
        (lambda: THREE.class_overlap([1.0, 2.0]), "r = .*must be one number"),
    ],
)
def test_bad_class_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
