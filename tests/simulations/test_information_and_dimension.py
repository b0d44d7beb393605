"""Exact identities of planted queries: Nishimori, sum rule, I-MMSE, saturation (docs/theory.md §3, §5)."""

import numpy as np
import pytest

from remanifold.simulations import EmpiricalScore, Estimate


@pytest.fixture(scope="module")
def cloud():
    return EmpiricalScore(np.random.default_rng(2).standard_normal((500, 6)))


def z_score(samples):
    """Mean of the samples in units of its standard error."""
    return np.mean(samples) / (np.std(samples, ddof=1) / np.sqrt(len(samples)))


@pytest.mark.parametrize("r", [0.02, 0.1, 0.5])
def test_nishimori_identity(r):
    """E w_1 = E Y: the planted point is indistinguishable from a draw of the posterior.

    w_1 is found from the planted distance and the log density, independently of Y.
    """
    n, dim = 300, 4
    e = EmpiricalScore(np.random.default_rng(0).standard_normal((n, dim)))
    x, index = e.planted(r, np.random.default_rng(1), 30 * n)
    points = np.random.default_rng(0).standard_normal((n, dim))
    energy = np.sum((x - points[index]) ** 2, axis=1) / (2 * r)
    normalization = np.log(n) + dim / 2 * np.log(2 * np.pi * r)
    planted_weight = np.exp(-energy - normalization - e.log_density(x, r))
    participation = e.participation(x, r)
    assert 0.01 < participation.mean() < 0.99
    assert abs(z_score(planted_weight - participation)) < 3.5


def test_retrieval_at_the_critical_point_of_a_random_energy_model():
    """N = 3000, d = 16, unit variances, r = r_c: E w_1 = E Y = 0.573, docs/theory.md §5.4."""
    n, dim = 3000, 16
    e = EmpiricalScore(np.random.default_rng(4).standard_normal((n, dim)))
    r = 1 / (n ** (2 / dim) - 1)
    x, _ = e.planted(r, np.random.default_rng(5), n)
    assert abs(e.participation(x, r).mean() - 0.573) < 0.02


def test_sum_rule(cloud):
    """∫ ½ d(r) d ln r = ln N: the whole area under the dimension is the information in an index."""
    log_r = np.linspace(np.log(1e-4), np.log(1e6), 80)
    areas = []
    for seed in range(10):
        dimension = cloud.dimension(np.exp(log_r), np.random.default_rng(seed), 2000).mean
        # the trapezoidal rule converges exponentially here: d vanishes at both ends
        areas.append(np.sum(dimension) * (log_r[1] - log_r[0]) / 2)
    # 2000 queries scatter by 0.03, measured over 200 seeds
    assert abs(np.mean(areas) - np.log(500)) < 0.04
    assert abs(z_score(np.array(areas) - np.log(500))) < 4


def test_information_saturates_at_log_n_and_vanishes_at_large_noise(cloud):
    rng = np.random.default_rng(0)
    low, high = cloud.information(1e-8, rng), cloud.information(1e8, rng)
    assert abs(low.mean - np.log(500)) < 1e-12
    assert 0 <= high.mean < 1e-6
    assert cloud.dimension(1e-8, rng).mean < 1e-9


def test_information_and_dimension_obey_i_mmse(cloud):
    """dI/d ln r = -d/2, over independent seeds."""
    step = 0.02
    for r in (0.03, 0.3, 3.0):
        differences = []
        for seed in range(12):
            around = r * np.exp([-step, step])
            information = cloud.information(around, np.random.default_rng(seed), 1000).mean
            dimension = cloud.dimension(r, np.random.default_rng(100 + seed), 1000).mean
            differences.append((information[1] - information[0]) / (2 * step) + dimension / 2)
        assert abs(z_score(differences)) < 4
        assert abs(np.mean(differences)) < 0.03


def test_information_far_above_collapse_is_that_of_the_population():
    """Isotropic Gaussian data: I = (d/2) ln(1 + 1/r) as long as it is well below ln N."""
    e = EmpiricalScore(np.random.default_rng(6).standard_normal((20000, 3)))
    r = np.array([0.5, 2.0, 10.0])
    found = e.information(r, np.random.default_rng(7), 2000)
    np.testing.assert_array_less(np.abs(found.mean - 1.5 * np.log1p(1 / r)), 4 * found.stderr + 0.01)
    dimension = e.dimension(r, np.random.default_rng(8), 2000)
    np.testing.assert_array_less(np.abs(dimension.mean - 3 / (1 + r)), 4 * dimension.stderr + 0.02)


def test_estimates_have_the_shape_of_r(cloud):
    single = cloud.information(0.5, np.random.default_rng(0))
    assert isinstance(single, Estimate)
    assert isinstance(single.mean, float)
    grid = cloud.information(np.full((2, 3), 0.5), np.random.default_rng(0))
    assert grid.mean.shape == grid.stderr.shape == (2, 3)
    np.testing.assert_array_equal(grid.mean, single.mean)  # all r share their random numbers


def test_standard_error_is_that_of_repeated_runs(cloud):
    runs = [cloud.information(0.3, np.random.default_rng(seed), 200) for seed in range(60)]
    scatter = np.std([run.mean for run in runs], ddof=1)
    quoted = np.mean([run.stderr for run in runs])
    assert 0.6 < scatter / quoted < 1.3  # stratified points may scatter a little less than quoted


def test_a_seed_reproduces_every_bit(cloud):
    for method in (cloud.information, cloud.dimension):
        first = method([0.1, 1.0], np.random.default_rng(9), 100)
        again = method([0.1, 1.0], np.random.default_rng(9), 100)
        other = method([0.1, 1.0], np.random.default_rng(10), 100)
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


def test_the_seed_of_the_data_may_be_used_again_for_the_queries():
    """Equal streams would plant noise ξ = y on every point: information off by tens of errors."""
    seed = 2
    e = EmpiricalScore(np.random.default_rng(seed).standard_normal((500, 6)))
    same = e.information(0.3, np.random.default_rng(seed), 500)
    other = e.information(0.3, np.random.default_rng(seed + 1000), 20000)
    assert abs(same.mean - other.mean) < 4 * same.stderr


def test_planted_queries_use_every_point_equally_often():
    e = EmpiricalScore(np.random.default_rng(0).standard_normal((50, 3)))
    x, index = e.planted(1e-20, np.random.default_rng(1), 120)
    counts = np.bincount(index, minlength=50)
    assert counts.min() == 2
    assert counts.max() == 3
    np.testing.assert_array_equal(e.nearest(x), index)
