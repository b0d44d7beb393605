"""Which subspace is lost first: orders against the manifolds' own divergences, limits, and data sets."""

import math

import mpmath
import numpy as np
import pytest

from remanifold.manifolds import Linear, NormalizedLinear, Sphere
from remanifold.simulations import EmpiricalScore
from remanifold.theory import geometric_memorization, local_condensation
from remanifold.theory.lost_first import (
    probe_condensation,
    probe_divergence,
    published_condensation,
    reversal,
    surviving_fraction,
)

PAIR = Linear([1.0, 2.0])
SPECTRUM = [1.0] * 2 + [0.09] * 5 + [1e-4] * 3
LAWS = [Linear, NormalizedLinear]


@pytest.mark.parametrize("normalized", [True, False])
def test_published_time_is_its_own_fixed_point(normalized):
    log_n = np.array([2.0, 6.9, 60.0])
    times = published_condensation(SPECTRUM, log_n, normalized=normalized)
    assert times.shape == (3, len(SPECTRUM))
    for size, row in zip(log_n, times, strict=True):
        for i, t in enumerate(row):
            found = geometric_memorization(SPECTRUM, t, log_n=size, normalized=normalized)
            assert found.critical_times[i] == pytest.approx(t, rel=1e-12)
    assert (np.diff(times[:, [0, 2, 7]], axis=1) < 0).all()  # the larger variance first, always


@pytest.mark.parametrize("law", [*(law(SPECTRUM) for law in LAWS), Linear(SPECTRUM, centre=np.arange(10.0)), Sphere(9)])
def test_probes_are_those_of_local_condensation(law):
    r = np.array([[1e-7, 1e-3], [0.2, 40.0]])
    for i in (0, 3, 9):
        expected = [law.local_divergence(law.mean + math.sqrt(s) * law.direction(i), s) for s in r.ravel()]
        np.testing.assert_allclose(probe_divergence(law, i, r).ravel(), expected, rtol=1e-10)
        condensed = probe_condensation(law, i, [1.3, 7.0])
        assert condensed[1] == pytest.approx(local_condensation(law, i, log_n=7.0), rel=1e-9)


def test_probe_divergence_of_a_linear_manifold_in_closed_form():
    """½ Σ_k [ln(1+λ_k/r) - λ_k/(λ_k+r)] + ½ rλ_i/(λ_i+r)², in 30 digits."""
    mp = mpmath.mp.clone()
    mp.dps = 30
    for ratio in (1e-9, 0.04, 3e5):
        r, spectrum = mp.mpf(ratio), [mp.mpf(v) for v in SPECTRUM]
        fixed = sum(mp.log1p(v / r) - v / (v + r) for v in spectrum) / 2
        for i in (1, 6, 8):
            exact = fixed + r * spectrum[i] / (spectrum[i] + r) ** 2 / 2
            assert probe_divergence(Linear(SPECTRUM), i, ratio) == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("variances", [[1.0] * 2 + [0.09] * 5, [5.0] * 8 + [4.0] * 8, [1.0] * 30 + [1e-3] * 3])
def test_the_order_flips_at_the_reversal(variances, law):
    last, law = len(variances) - 1, law(variances)
    r, log_n = reversal(law, 0, last)
    assert reversal(law, last, 0) == pytest.approx((r, log_n))
    levels = [0.97 * log_n, 1.03 * log_n]
    high, low = (probe_condensation(law, i, levels) for i in (0, last))
    assert high[0] > low[0]  # few points: the larger variance first, as published
    assert high[1] < low[1]  # many points: the smaller one
    assert high[1] < r < low[0]


def test_reversal_of_a_linear_manifold_by_search():
    variances = [7.0, 0.4, 0.4, 1e-3]
    law, r = Linear(variances), np.geomspace(1e-4, 1e3, 801)
    difference = [
        float(law.local_divergence(math.sqrt(x) * law.direction(0), x))
        - float(law.local_divergence(math.sqrt(x) * law.direction(3), x))
        for x in r
    ]
    change = np.flatnonzero(np.diff(np.sign(difference)))
    assert change.size == 1  # one reversal only
    assert r[change[0]] <= reversal(law, 0, 3).r <= r[change[0] + 1]
    assert np.abs(difference).max() < 1 / 8


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_reversal_of_a_linear_manifold_is_the_geometric_mean(scale):
    variances = scale * np.array([7.0, 0.4, 0.4, 1e-3])
    for i, j in ((0, 1), (3, 0), (2, 3)):
        assert reversal(Linear(variances), i, j).r == pytest.approx(math.sqrt(variances[i] * variances[j]), rel=1e-9)


@pytest.mark.parametrize("k", [64, 256])
def test_reversal_of_nearly_equal_variances_in_many_dimensions(k):
    """Linear: ln N* = k(ln 2 - ½)/2 + 1/8. Normalized, leading order: ln N* = (k/2) ln(3/2), r = 4/3k²."""
    variances = [1.0] * (k // 2) + [0.999] * (k // 2)
    assert reversal(Linear(variances), 0, k - 1).log_n == pytest.approx(k * (math.log(2) - 0.5) / 2 + 1 / 8, rel=1e-3)
    found = reversal(NormalizedLinear(variances), 0, k - 1)
    assert found.log_n == pytest.approx(k / 2 * math.log(1.5), rel=1.7 / k)
    assert found.r == pytest.approx(4 / (3 * k**2), rel=4 / k)


def test_data_sets_follow_the_exact_order():
    """The law of arXiv 2410.08727, N = 1000, r = 0.005: published high first, exact and measured middle first."""
    rng, r, n = np.random.default_rng(3), 0.005, 1000
    law = NormalizedLinear.two_subspaces()
    published = published_condensation(law.variances, math.log(n), normalized=True)
    assert published[0] > published[2]
    high, middle = (float(probe_divergence(law, i, r)) for i in (0, 2))
    assert middle > 2 * high
    leads = []
    for _ in range(12):
        y = EmpiricalScore(law.sample(n, rng)).participation(math.sqrt(r) * np.eye(30)[:7], r)
        leads.append(np.mean(y[2:]) - np.mean(y[:2]))
    assert np.mean(leads) > 5 * np.std(leads, ddof=1) / math.sqrt(len(leads))


@pytest.mark.parametrize(
    ("variances", "n", "r"), [([1.0] * 8 + [0.09] * 8, 2000, 0.18), ([1.0] * 2 + [0.09] * 5, 500, 0.03)]
)
def test_surviving_fraction_is_what_data_sets_show(variances, n, r):
    """E[C_emp]_ii over C_ii at noisy training points, for the first and the last direction and their difference."""
    rng, law, v = np.random.default_rng(4), Linear(variances), np.array(variances)
    parts = (v == v[0], v == v[-1])
    exact = [surviving_fraction(law, i, log_n=math.log(n), r=r) for i in (0, len(variances) - 1)]
    samples = []
    for _ in range(30):
        score = EmpiricalScore(law.sample(n, rng))
        x, _ = score.planted(r, rng, 150)
        fraction = np.einsum("nii->i", score.posterior_covariance(x, r)) / len(x) / (v * r / (v + r))
        samples.append([fraction[part].mean() for part in parts])
    measured = np.array(samples)
    for value, sample in ((exact[0], measured[:, 0]), (exact[1], measured[:, 1])):
        assert 0.1 < value < 0.9
        assert abs(sample.mean() - value) < 4 * sample.std(ddof=1) / math.sqrt(len(sample))
    assert exact[0] > exact[1]  # typical points keep the larger variance slightly longer


def test_surviving_fraction_far_from_the_transition():
    log_n = math.log(1000)
    law = Linear([1.0] * 4 + [0.2] * 4)
    assert surviving_fraction(law, 0, log_n=log_n, r=1e-4) == pytest.approx(0, abs=1e-3)
    # far above collapse a data set of N points has a sample covariance: 1 - 1/N of the population's
    assert surviving_fraction(law, 0, log_n=log_n, r=1e3) == pytest.approx(0.999, abs=2e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: published_condensation([[1.0]], 2.0, normalized=True), "variances has shape"),
        (lambda: published_condensation([1.0, 0.0], 2.0, normalized=True), "variances = .* must be > 0"),
        (lambda: probe_divergence(PAIR, 0, -1.0), "r = -1.0: must be > 0"),
        (lambda: probe_divergence(PAIR, 2, 1.0), "direction = 2: must be an integer"),
        (lambda: probe_condensation(PAIR, 0, -1.0), "log_n = .* must be > 0"),
        (lambda: reversal(NormalizedLinear([1.0, 1.0]), 0, 1), "different variances"),
        (lambda: reversal(Linear([2.0, 1.0, 1.0]), 1, 2), "different variances"),
        (lambda: surviving_fraction(PAIR, 5, log_n=2.0, r=1.0), "direction = 5"),
        (lambda: surviving_fraction(PAIR, 0, log_n=2.0, r=-1.0), "r = -1.0"),
        (lambda: surviving_fraction(Sphere(2), 0, log_n=2.0, r=1.0), "must be Gaussian"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
