"""Criteria at one point: symmetry breaking in three conventions, local condensation, the published formula."""

import math

import mpmath
import numpy as np
import pytest
from remanifold.manifolds import Linear, Mixture, NormalizedLinear
from remanifold.theory import collapse, geometric_memorization, local_condensation, symmetry_breaking

mp = mpmath.mp.clone()
mp.dps = 40


@pytest.mark.parametrize(("dim", "separation", "variance"), [(1, 2.0, 1.0), (30, 0.5, 0.2), (7, 3.0, 0.0)])
def test_two_gaussians_split_where_the_density_becomes_bimodal(dim, separation, variance):
    law = Mixture.two_gaussians(dim, separation, variance)
    expected = dim * separation**2 - variance
    found = symmetry_breaking(law)
    assert found == pytest.approx(expected, rel=1e-10)
    # and indeed: the log-density along the axis is a maximum at 0 above, a minimum below
    axis, step = np.full(dim, 1 / math.sqrt(dim)), 1e-2 * math.sqrt(expected)
    for r, sign in ((1.05 * found, -1), (0.95 * found, 1)):
        rise = law.log_density(step * axis, r) - law.log_density(0 * axis, r)
        assert np.sign(rise) == sign


def test_drift_convention_of_plus_minus_one():
    r = symmetry_breaking(Mixture.two_gaussians(1, variance=0.0), "drift")
    assert 1 / (1 + r) == pytest.approx(math.sqrt(2) - 1, rel=1e-11)  # a² in Ornstein–Uhlenbeck time


def test_drift_convention_is_where_the_reverse_drift_loses_stability():
    """OU drift x + 2∇ln p_t at a x: its slope at the centre changes sign."""
    law = Mixture.two_gaussians(2, 1.3, 0.4)
    r = symmetry_breaking(law, "drift")
    axis = np.array([1.0, 1.0]) / math.sqrt(2)

    def slope(ratio):
        signal, step = 1 / math.sqrt(1 + ratio), 1e-4
        score = law.score(step / signal * axis, ratio) @ axis / signal  # of the scaled variable a x
        return 1 + 2 * score / step

    assert slope(r) == pytest.approx(0, abs=1e-6)
    assert slope(0.9 * r) > 0 > slope(1.1 * r)


@pytest.mark.parametrize("dim", [2, 3, 30])
def test_sphere_splits_at_its_centre(dim):
    law = NormalizedLinear([0.3] * dim)
    assert symmetry_breaking(law) == pytest.approx(1 / dim, rel=1e-10)
    shift = np.arange(dim) * 1.0
    moved = NormalizedLinear([0.3] * dim, centre=shift)
    assert symmetry_breaking(moved) == pytest.approx(1 / dim, rel=1e-10)
    assert symmetry_breaking(moved, at=shift) == pytest.approx(1 / dim, rel=1e-10)


def test_gaussian_and_covariance_conventions():
    law = Linear([4.0, 1.0, 0.2])
    assert symmetry_breaking(law) == 4.0
    assert symmetry_breaking(law, "density") == 4.0
    assert symmetry_breaking(law, "covariance") == pytest.approx(3.0)
    mixture = Mixture.two_gaussians(9, 2.0, 0.5)
    sample = mixture.sample(40000, np.random.default_rng(1))
    measured = np.linalg.eigvalsh(np.cov(sample.T))[-1]
    assert symmetry_breaking(mixture, "covariance") == pytest.approx(measured - 1, rel=0.02)
    assert symmetry_breaking(mixture, "covariance") == pytest.approx(9 * 4 + 0.5 - 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: symmetry_breaking(Linear([1.0]), "phase"), "convention = 'phase': must be one of density"),
        (lambda: symmetry_breaking(Linear([1.0]), "covariance"), r"law = Linear\(.*leading variance 1: must exceed 1"),
        (
            lambda: symmetry_breaking(NormalizedLinear([1.0, 1.0]), at=[0.0]),
            r"at has shape \(1,\): must have",
        ),
        (
            lambda: symmetry_breaking(NormalizedLinear([1.0, 1.0]), at=[0.0, math.nan]),
            "at = .*must be finite",
        ),
        (lambda: symmetry_breaking(Mixture.two_gaussians(1, 0.1, 1.0)), "never reaches"),
    ],
)
def test_bad_symmetry_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("i", [0, 1, 2])
@pytest.mark.parametrize("log_n", [1.0, 6.9, 40.0])
def test_loss_of_a_direction_of_a_linear_manifold(i, log_n):
    variances = [1.0, 0.3, 1e-4]
    exact = [mp.mpf(v) for v in variances]

    def divergence(log_r):
        r = mp.exp(log_r)
        own = r * exact[i] / (exact[i] + r) ** 2
        return (sum(mp.log1p(v / r) - v / (v + r) for v in exact) + own) / 2 - mp.mpf(log_n)

    root = mp.exp(mp.findroot(divergence, (-80, 20), solver="bisect", tol=1e-28, maxsteps=200))
    assert local_condensation(Linear(variances), i, log_n=log_n) == pytest.approx(float(root), rel=1e-10)


@pytest.mark.parametrize("dim", [3, 8])
def test_fixed_probe_of_a_linear_manifold(dim):
    law = Linear([1.0] * dim, ambient_dim=dim + 2)
    probe = np.concatenate([np.full(dim, 0.7), [3.0, -2.0]])  # what lies off the span does not matter

    def divergence(log_r):
        r = mp.exp(log_r)
        return dim * (mp.log1p(1 / r) - 1 / (1 + r) + mp.mpf("0.49") / (1 + r) ** 2) / 2 - mp.mpf(5)

    root = mp.exp(mp.findroot(divergence, (-20, 20), solver="bisect", tol=1e-28, maxsteps=200))
    assert local_condensation(law, probe, log_n=5.0) == pytest.approx(float(root), rel=1e-10)


def test_typical_probes_condense_at_collapse():
    """Over x ~ p_r, r_c by K(x, r) = ln N scatters around collapse: in 400 dimensions within a few per cent."""
    law, rng = Linear([1.0] * 400), np.random.default_rng(4)
    r = collapse(law, log_n=100.0)
    probes = law.sample(20, rng) + math.sqrt(r) * rng.standard_normal((20, 400))
    found = [local_condensation(law, x, log_n=100.0) for x in probes]
    assert np.mean(found) == pytest.approx(r, rel=0.03)


def test_two_subspaces_of_the_notes():
    law, t = NormalizedLinear.two_subspaces(), 0.005
    share = [float(law.local_divergence(math.sqrt(t) * np.eye(30)[i], t)) / math.log(1000) for i in (0, 2)]
    np.testing.assert_allclose(share, [0.31, 0.66], atol=0.005)
    # the published formula orders the two the other way round
    lost = [local_condensation(law, i, log_n=math.log(1000)) for i in (0, 2)]
    assert lost[1] > lost[0]
    second_moments = np.mean(law.sample(20000, np.random.default_rng(0)) ** 2, axis=0)
    published = second_moments / (2 * math.log(1000))
    assert published[0] > published[2]


@pytest.mark.parametrize("log_n", [3.0, 6.9])
@pytest.mark.parametrize("i", [0, 3])
def test_normalized_loss_is_a_root(i, log_n):
    law = NormalizedLinear([1.0, 1.0, 0.09, 0.09, 1e-2])
    r = local_condensation(law, i, log_n=log_n)
    divergence = [float(law.local_divergence(math.sqrt(q) * np.eye(5)[i], q)) for q in (0.99 * r, r, 1.01 * r)]
    assert divergence[1] == pytest.approx(log_n, rel=1e-9)
    assert divergence[0] > log_n > divergence[2]


@pytest.mark.parametrize(
    ("probe", "log_n", "message"),
    [
        (3, 1.0, "direction = 3: must be an integer from 0 to 2"),
        (-1, 1.0, "direction = -1: must be"),
        ([0.0, 0.0], 1.0, r"direction_or_probe has shape \(2,\): must have shape \(3,\)"),
        ([[0.0] * 3] * 2, 1.0, "direction_or_probe has shape .*must be one point"),
        ([0.0, math.nan, 0.0], 1.0, "direction_or_probe = .*must be finite"),
        ("first", 1.0, "direction_or_probe = 'first': must be numbers"),
        (0, 0.0, "log_n = 0.0: must be > 0"),
        (0, math.nan, "log_n = nan: must be finite"),
    ],
)
def test_bad_local_arguments(probe, log_n, message):
    with pytest.raises(ValueError, match=message):
        local_condensation(Linear([1.0, 1.0, 0.5]), probe, log_n=log_n)


def test_published_formula_by_hand():
    """s² = (4, 1), ln N = 2, t = 1/2, everything in small fractions."""
    published = geometric_memorization([4.0, 1.0], 0.5, log_n=2.0)
    np.testing.assert_allclose(published.critical_times, [math.sqrt(0.5), math.sqrt(0.125)])
    order = [2 - math.sqrt(2), 0.0]
    np.testing.assert_allclose(published.order_parameters, order)
    scale = 4 * (4 / 4.5 + 1 / 1.5)
    expected = [math.sqrt((1 / 4.5) ** 2 + (scale * order[0]) ** 2), 1 / 1.5]
    np.testing.assert_allclose(published.singular_values, expected)

    raw = geometric_memorization([4.0, 1.0], 0.5, log_n=2.0, normalized=False)
    times = [math.sqrt((8.5 + 2) / 4), math.sqrt((8.5 + 0.5) / 4)]
    order = [2 - 1 / times[0], 2 - 1 / times[1]]
    zero = 2 - 1 / math.sqrt(8.5 / 4)
    np.testing.assert_allclose(raw.critical_times, times)
    np.testing.assert_allclose(raw.order_parameters, order)
    expected = [math.hypot(1 / (0.5 + s), scale * (zero + o)) for s, o in zip((4, 1), order, strict=True)]
    np.testing.assert_allclose(raw.singular_values, expected)


def test_published_rule_for_normalized_data():
    """Direction i is lost below t = s_i²/(2 ln N), high variance first; what has no variance is never lost."""
    variances, log_n = np.array([1.0, 0.09, 1e-4, 0.0]), math.log(1000)
    threshold = variances / (2 * log_n)
    for i, lost_below in enumerate(threshold[:3]):
        times = lost_below * np.array([0.999, 1.001])
        order = geometric_memorization(variances, times, log_n=log_n).order_parameters
        assert order.shape == (2, 4)
        assert order[0, i] > 0
        assert order[1, i] == 0
    assert np.all(geometric_memorization(variances, [1e-9, 1.0], log_n=log_n).order_parameters[:, 3] == 0)


@pytest.mark.parametrize(
    ("variances", "t", "log_n", "name"),
    [
        ([-1.0], 1.0, 1.0, "variances"),
        ([], 1.0, 1.0, "variances"),
        (1.0, 1.0, 1.0, "variances"),
        ([[1.0]], 1.0, 1.0, "variances"),
        ([math.nan], 1.0, 1.0, "variances"),
        ([1.0], 0.0, 1.0, "t"),
        ([1.0], [1.0, -1.0], 1.0, "t"),
        ([1.0], math.nan, 1.0, "t"),
        ([1.0], 1.0, 0.0, "log_n"),
        ([1.0], 1.0, [1.0], "log_n"),
    ],
)
def test_bad_published_arguments(variances, t, log_n, name):
    with pytest.raises(ValueError, match=rf"^{name} (=|has shape) .*: must"):
        geometric_memorization(variances, t, log_n=log_n)
