"""How far the empirical density is from the true one, in both directions: samples, identities and the 1/N limit."""

import math

import numpy as np
import pytest

from remanifold.manifolds import Linear, Mixture, Sphere
from remanifold.theory import collapse, finite_size

LAWS = {
    "one": Linear([1.0]),
    "isotropic": Linear([1.0] * 6),
    "three variances": Linear([1.0] * 3 + [0.3] * 3 + [0.05]),
    "circle": Sphere(1),
    "pair": Mixture.two_gaussians(3),
}


def sampled_gaps(law, n, r, seed, sets=30, per_set=100):
    """ln p_emp - ln p at a noisy training point, and ln p - ln p_emp at a noisy fresh one; one mean a batch."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(sets):
        y = law.sample(n * per_set, rng).reshape(per_set, n, -1)
        clean = (y[:, 0], law.sample(per_set, rng))
        gaps = []
        for sign, point in zip((1, -1), clean, strict=True):
            x = point + np.sqrt(r) * rng.standard_normal(point.shape)
            squares = np.sum((x[:, None] - y) ** 2, axis=2)
            empirical = np.logaddexp.reduce(-squares / (2 * r), axis=1) - math.log(n)
            gaps.append(sign * np.mean(empirical - law.log_partition(x, r)))
        rows.append(gaps)
    return np.array(rows)


@pytest.mark.parametrize("scale", [0.3, 4.0])
@pytest.mark.parametrize("name", LAWS)
def test_both_divergences_by_sampling(name, scale):
    law, n = LAWS[name], 50
    log_n = math.log(n)
    r = scale * collapse(law, log_n=log_n)
    exact = [finite_size.log_density_gap(law, log_n, r), finite_size.held_out_log_density_gap(law, log_n, r)]
    samples = sampled_gaps(law, n, r, round(10 * scale))
    error = np.hypot(samples.std(axis=0, ddof=1) / math.sqrt(len(samples)), 1e-3 * np.array(exact))
    assert np.all(np.abs(samples.mean(axis=0) - exact) < 4 * error)


@pytest.mark.parametrize("name", LAWS)
def test_the_gap_is_what_the_excess_entropy_leaves(name):
    """I(r) - ln N + excess entropy, though each is computed by itself on its side of collapse."""
    law, log_n = LAWS[name], 5.0
    for scale in (0.1, 1.0, 10.0):
        r = scale * collapse(law, log_n=log_n)
        left = float(law.information(r)) - log_n + finite_size.excess_entropy(law, log_n, r)
        assert finite_size.log_density_gap(law, log_n, r) == pytest.approx(left, abs=1e-9)


@pytest.mark.parametrize(("dim", "log_n", "r"), [(1, 30.0, 0.5), (4, 7.0, 200.0), (6, 69.0, 2.0), (64, 69.0, 144.0)])
def test_one_over_n_with_all_its_digits(dim, log_n, r):
    """Far from collapse both divergences are half the relative variance of p_emp: (E_x e^{2I} - 1)/2N for a Gaussian,

    E_x of E z²/(E z)² being (1 + λ/r)^d. At N = e^69 the gap is 1e-28 beside terms of order 100.
    """
    law = Linear([1.0] * dim)
    expected = 0.5 * math.expm1(dim * math.log1p(1 / r)) * math.exp(-log_n)
    assert finite_size.log_density_gap(law, log_n, r) == pytest.approx(expected, rel=2e-3)
    assert finite_size.held_out_log_density_gap(law, log_n, r) == pytest.approx(expected, rel=2e-3)


def test_one_point():
    law, r = Linear([1.0] * 3), 0.7
    assert finite_size.log_density_gap(law, 0.0, r) == pytest.approx(float(law.information(r)))
    # fresh x and one y: E|x-y|²/2r - d/2 is the symmetric counterpart of the information
    held_out = 3 * (2 + r) / (2 * r) - 1.5 * math.log1p(1 / r) - 1.5
    assert finite_size.held_out_log_density_gap(law, 0.0, r) == pytest.approx(held_out, rel=1e-6)


def test_gap_falls_with_noise_and_with_points():
    law = LAWS["isotropic"]
    by_noise = [finite_size.log_density_gap(law, 5.0, r) for r in np.geomspace(1e-3, 1e4, 9)]
    assert np.all(np.diff(by_noise) < 0)
    by_points = [finite_size.held_out_log_density_gap(law, log_n, 0.3) for log_n in np.linspace(1, 40, 8)]
    assert np.all(np.diff(by_points) < 0)
