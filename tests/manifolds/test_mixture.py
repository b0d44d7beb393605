"""Mixtures of unlike manifolds: against sampling, the Gaussian channel, and the chain rule's limits."""

import math

import numpy as np
import pytest
from sampled_posterior import check_pointwise
from scipy.special import logsumexp

from remanifold.manifolds import Linear, Mixture, Parametric, Product, Sphere, Torus
from remanifold.theory import clone_probability, collapse, onset, speciation

UNLIKE = Mixture([Sphere(2, ambient_dim=4), Linear([0.2, 0.1, 0.05], ambient_dim=4, centre=[2.0, 0, 0, 0])], [0.3, 0.7])
KINDS = {
    "sphere and linear": UNLIKE,
    "two variances": Mixture([Linear([1.0, 1.0]), Linear([0.1, 0.3], centre=[1.0, 1.0])]),
    "curve and torus": Mixture([Parametric.trefoil(ambient_dim=4), Torus([1.0, 0.5], centre=[0, 0, 0, 3.0])]),
}


@pytest.mark.parametrize("name", KINDS)
def test_pointwise_quantities_agree_with_sampling_and_differences(name):
    check_pointwise(KINDS[name], 0.4, step=1e-4, score=1e-6, covariance=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_covariance_is_that_of_the_sample(name):
    law = KINDS[name]
    y = law.sample(300_000, np.random.default_rng(4))
    np.testing.assert_allclose(law.covariance(), np.cov(y.T), atol=0.02 * law.leading_variance())
    assert law.leading_variance() == pytest.approx(np.linalg.eigvalsh(law.covariance())[-1])
    np.testing.assert_allclose(law.direction(0) @ law.covariance() @ law.direction(0), law.leading_variance())


@pytest.mark.parametrize("r", [0.01, 0.3, 3.0])
def test_averages_against_planted_points(r):
    law, rng = UNLIKE, np.random.default_rng(5)
    y = law.sample(10_000, rng)
    xi = rng.standard_normal(y.shape)
    x = y + math.sqrt(r) * xi
    gap = -0.5 * np.sum(xi**2, axis=1) - law.log_partition(x, r)
    error = np.sum((y - law.posterior_mean(x, r)) ** 2, axis=1) / r
    for found, samples, slack in ((law.information(r), gap, 1e-2), (law.dimension(r), error, 1e-2)):
        deviation = abs(float(found) - samples.mean()) / math.hypot(samples.std() / math.sqrt(len(y)), slack)
        assert deviation < 4


@pytest.mark.parametrize("r", [1e-3, 0.1, 1.0, 10.0])
def test_sums_over_points_against_the_gaussian_channel(r):
    """One spread, two ways: the second class of each pair is written as a product, which the channel does not take."""
    centres = ([1.0, 0.0], [-1.0, 0.0])
    channel = Mixture([Linear([0.5, 0.2], centre=c) for c in centres])
    sums = Mixture([Linear([0.5, 0.2], centre=centres[0]), Product([Linear([0.5]), Linear([0.2])], centre=centres[1])])
    assert float(sums.class_information(r)) == pytest.approx(float(channel.class_information(r)), abs=1.5e-2)
    assert float(sums.dimension(r)) == pytest.approx(float(channel.dimension(r)), rel=1e-2)
    assert float(sums.free_energy_gap(r, r / 2)) == pytest.approx(float(channel.free_energy_gap(r, r / 2)), abs=2e-2)
    np.testing.assert_allclose(sums.class_overlap(r), channel.class_overlap(r), atol=5e-3)
    assert sums.class_signal(r) == pytest.approx(channel.class_signal(r), rel=1e-8)


@pytest.mark.parametrize("name", KINDS)
def test_limits_of_the_class_information(name):
    law = KINDS[name]
    assert float(law.class_information(1e9)) == pytest.approx(0, abs=1e-6)
    entropy = -np.sum(law.weights * np.log(law.weights))
    assert 0.5 * entropy < float(law.class_information(1e-4)) < entropy + 1e-2
    r = np.array([1e-12 if name == "sphere and linear" else 1e-4, 1e-2, 10.0, 1e12])
    information = law.information(r)
    assert np.all(np.isfinite(information))
    assert np.all(information > 0)
    assert np.all(np.diff(information) < 0)


def test_critical_points_of_a_mixture():
    law = KINDS["two variances"]
    r_c = collapse(law, log_n=6.0)
    assert float(law.information(r_c)) == pytest.approx(6.0, rel=1e-9)
    assert onset(law, log_n=6.0) > r_c
    apart = Mixture([Linear([1.0, 1.0]), Linear([0.1, 0.3], centre=[3.0, 1.0])])
    r = speciation(apart)
    # at the speciation ratio the signal of the means is one, by a whitening of its own
    within = np.eye(2) * r + 0.5 * np.diag([1.1, 1.3])
    half = np.array([1.5, 0.5])
    assert half @ np.linalg.solve(within, half) == pytest.approx(1, rel=1e-6)
    assert 0.5 < float(clone_probability(apart, r)) < 1
    y, label = apart.sample_labelled(20_000, np.random.default_rng(1))
    x = y + math.sqrt(r) * np.random.default_rng(2).standard_normal(y.shape)
    logs = np.stack([c.log_partition(x, r) for c in apart.components], axis=1)
    together = np.exp(2 * (logs - logsumexp(logs, axis=1, keepdims=True))).sum(axis=1)
    assert float(clone_probability(apart, r)) == pytest.approx(together.mean(), abs=0.01)
    assert set(label) == {0, 1}
