"""Local condensation at one point against 40-digit roots and the divergence itself."""

import math

import mpmath
import numpy as np
import pytest

from remanifold.manifolds import Linear, NormalizedLinear
from remanifold.theory import collapse, local_condensation

mp = mpmath.mp.clone()
mp.dps = 40


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
