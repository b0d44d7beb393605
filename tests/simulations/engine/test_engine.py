"""Which kernel runs, that it says why, and that all of them agree to what they certify."""

import numpy as np
import pytest

from remanifold.benchmarks.accuracy import sets, worst
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.engine.vectors.lanes import LANES

needs_vectors = pytest.mark.skipif(not LANES, reason="this processor has neither AVX2 nor AVX-512")
RATIOS = [1e-10, 1e-6, 1e-3, 0.1, 1.0, 30.0, 1e10]


@pytest.fixture(scope="module")
def cloud():
    return np.random.default_rng(0).standard_normal((5000, 6)) * np.arange(1, 7) ** -0.5


def queries(y, r, n=40):
    rng = np.random.default_rng(1)
    return y[rng.integers(len(y), size=n)] + np.sqrt(r) * rng.standard_normal((n, y.shape[1]))


def test_the_plan_follows_the_noise(cloud):
    e = EmpiricalScore(cloud)
    low, high = e.plan(1e-6), e.plan(10.0)
    assert (low.engine, high.engine) == ("pruned", "plain")
    assert low.survivors == 1
    assert "1 of 5000 points" in low.reason
    assert "float64 asked for" in high.reason


@needs_vectors
def test_single_precision_is_used_where_it_suffices(cloud):
    e = EmpiricalScore(cloud, "float32")
    assert e.plan(10.0).engine == "vectors"
    # 5000 copies of few points: nothing to prune at any noise, differences too small for single precision
    copies = EmpiricalScore(np.repeat(cloud[:3], 2000, axis=0), "float32")
    assert copies.plan(1e-9).engine == "plain"
    assert "would not suffice" in copies.plan(1e-9).reason


def test_the_plan_does_not_depend_on_what_was_asked_before(cloud):
    one, other = EmpiricalScore(cloud), EmpiricalScore(cloud)
    one.observe(cloud[:3], 0.0101)
    assert one.plan(0.0099) == other.plan(0.0099)


@pytest.mark.parametrize("r", RATIOS)
def test_all_engines_agree(cloud, r):
    x = queries(cloud, r)
    plain = EmpiricalScore(cloud, engine="plain").observe(x, r)
    for engine in ("pruned", "auto"):
        found = EmpiricalScore(cloud, engine=engine).observe(x, r)
        for value, expected in zip(found, plain, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-11 * np.abs(cloud).max())
    if LANES:
        found = EmpiricalScore(cloud, "float32", engine="vectors").observe(x, r)
        np.testing.assert_allclose(found.mean, plain.mean, atol=1e-5)
        np.testing.assert_allclose(found.log_density, plain.log_density, rtol=1e-5)


def test_an_array_of_ratios_is_one_query_at_a_time(cloud):
    r = np.array([1e-6, 10.0, 1e-6, 0.2, 0.2003])
    x = np.concatenate([queries(cloud, ratio, 1) for ratio in r])
    together = EmpiricalScore(cloud).observe(x, r)
    for q in range(len(r)):
        alone = EmpiricalScore(cloud).observe(x[q], r[q])
        np.testing.assert_array_equal(together.mean[q], alone.mean)
        assert together.entropy[q] == alone.entropy


def test_queries_beyond_the_budget_are_completed_by_brute_force():
    """Most points in a ball, some far apart: at this noise the pilot's queries differ from those in the ball."""
    rng = np.random.default_rng(3)
    y = np.concatenate([1e-3 * rng.standard_normal((20000, 3)), 1e3 * rng.standard_normal((20000, 3))])
    x = np.concatenate([y[:5], y[-5:]])
    expected = EmpiricalScore(y, engine="plain").observe(x, 1.0)
    found = EmpiricalScore(y, engine="pruned").observe(x, 1.0)
    assert expected.participation[0] < 1e-4 < 0.99 < expected.participation[-1]
    np.testing.assert_allclose(found.mean, expected.mean, atol=1e-12)
    np.testing.assert_allclose(found.entropy, expected.entropy, atol=1e-11)


@pytest.mark.parametrize("name", list(sets(np.random.default_rng(0))))
@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-10), ("float32", 1e-5)])
def test_adversarial_sets_over_twenty_decades(name, dtype, bound):
    """Against long double; where the points sit at 1e8, their own unit in the last place is 1.5e-8."""
    mean, density, _ = worst(sets(np.random.default_rng(0))[name], dtype, (1e-10, 1e-5, 1e-2, 1.0, 1e4, 1e10))
    assert mean < (max(bound, 1e-8) if name == "norms of 1e8" else bound)
    assert density < bound


def test_nearest_is_decided_in_double_precision():
    y = np.array([[1.0, 0.0], [1.0 + 1e-12, 0.0], [3.0, 0.0]])
    assert EmpiricalScore(y, "float32").nearest([2.0, 0.0]) == 1
    many = np.concatenate([y, np.random.default_rng(0).standard_normal((4000, 2)) - 8.0])
    assert EmpiricalScore(many, "float32").nearest([2.0, 0.0]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"engine": "gpu"}, "engine = 'gpu'"),
        ({"engine": "vectors"}, 'engine = .vectors.: needs dtype="float32"'),
        ({"block": 12}, "block = 12: must be a power of two"),
    ],
)
def test_bad_engines(cloud, arguments, message):
    with pytest.raises(ValueError, match=message):
        EmpiricalScore(cloud, **arguments)


def test_bad_ratio_of_a_plan(cloud):
    with pytest.raises(ValueError, match="r = -1"):
        EmpiricalScore(cloud).plan(-1.0)
