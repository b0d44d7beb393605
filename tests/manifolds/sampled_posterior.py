"""The pointwise quantities of any law against a sample of it and against differences of one another."""

import math

import numpy as np
import pytest


def check_pointwise(law, r, *, step, score, covariance):
    """`step` of the differences; `score` and `covariance`: absolute tolerances of theirs."""
    rng = np.random.default_rng(3)
    y = law.sample(200_000, rng)
    x = y[0] + math.sqrt(r) * rng.standard_normal(law.ambient_dim)
    factor = np.exp(-np.sum((x - y) ** 2, axis=1) / (2 * r))
    error = factor.std() / factor.mean() / math.sqrt(len(y))
    assert float(law.log_partition(x, r)) == pytest.approx(math.log(factor.mean()), abs=5 * error)
    axes = step * np.eye(law.ambient_dim)
    slope = [(law.log_density(x + e, r) - law.log_density(x - e, r)) / (2 * step) for e in axes]
    np.testing.assert_allclose(law.score(x, r), slope, atol=score)
    response = [(law.posterior_mean(x + e, r) - law.posterior_mean(x - e, r)) / (2 * step) for e in axes]
    np.testing.assert_allclose(law.posterior_covariance(x, r), r * np.array(response), atol=covariance)
    weight = factor / factor.sum()
    divergence = math.log(len(y)) + float(weight @ np.log(np.maximum(weight, 1e-300)))
    assert float(law.local_divergence(x, r)) == pytest.approx(divergence, abs=10 * error)
