"""Exact finite-size averages against brute force: stored points, summed Boltzmann factors, z-tests."""

import math
import zlib

import numpy as np
import pytest
from scipy.special import logsumexp

from remanifold.manifolds import Linear, Mixture, NormalizedLinear, Product, Sphere
from remanifold.theory import collapse, finite_size
from remanifold.theory import generalization as leading_generalization
from remanifold.theory import onset as leading_onset

SPECTRA = {
    "isotropic4": np.ones(4),
    "isotropic16": np.ones(16),
    "anisotropic13": np.array([1.0] * 3 + [0.1] * 10),
}
PLANTED = 32  # points of each data set that are noised in turn; the mean over them is one independent sample


def squared_distances(x, y):
    return np.maximum(
        np.sum(x**2, axis=-1)[..., :, None] - 2 * x @ np.swapaxes(y, -1, -2) + np.sum(y**2, axis=-1)[..., None, :],
        0.0,
    )


def planted_averages(variances, n, r, noise, normals, rng):
    """w_1, ln(1 + Z_rest/Z_1) and ln(Z_rest/Z_1), one row per data set; `normals` bounds the work."""
    d, rows = len(variances), []
    trials = min(max(normals // (n * max(d, 16)), 80), 1000)
    planted = min(PLANTED, n)
    chunk = max(1, 500_000 // (n * d))
    for start in range(0, trials, chunk):
        count = min(chunk, trials - start)
        y = rng.standard_normal((count, n, d)) * np.sqrt(variances)
        x = y[:, :planted] + np.sqrt(noise) * rng.standard_normal((count, planted, d))
        energy = -squared_distances(x, y) / (2 * r)
        own = np.arange(planted)
        one = -np.sum((x - y[:, :planted]) ** 2, axis=-1) / (2 * r)
        energy[:, own, own] = -np.inf
        ratio = logsumexp(energy, axis=2) - one
        entropy = np.logaddexp(0, ratio)
        rows.append(np.stack([np.exp(-entropy), entropy, ratio], axis=-1).mean(axis=1))
    return np.concatenate(rows)


def z_score(samples, value, relative=1e-6):
    """Standard errors between a sample and a value that is itself good to `relative`."""
    error = math.hypot(samples.std(ddof=1) / math.sqrt(len(samples)), relative * abs(value) + 1e-12)
    return (samples.mean() - value) / error


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("n", [10, 200, 3000])
@pytest.mark.parametrize("name", SPECTRA)
def test_brute_force(name, n, scale):
    variances = SPECTRA[name]
    law, log_n = Linear(variances), math.log(n)
    r = scale * collapse(law, log_n=log_n)
    rng = np.random.default_rng([zlib.crc32(name.encode()), n, int(10 * scale)])
    at_noise = planted_averages(variances, n, r, r, 3_000_000, rng)
    assert abs(z_score(at_noise[:, 0], finite_size.retrieval(law, log_n, r))) < 4
    assert abs(z_score(at_noise[:, 0], finite_size.participation(law, log_n, r))) < 4
    assert abs(z_score(at_noise[:, 1], finite_size.excess_entropy(law, log_n, r))) < 4
    assert abs(z_score(at_noise[:, 2], finite_size.log_ratio(law, log_n, r, r))) < 4
    at_point = planted_averages(variances, n, r, 0.0, 1_000_000, rng)
    assert abs(z_score(at_point[:, 2], finite_size.log_ratio(law, log_n, r, 0.0))) < 4


def test_participation_is_the_mean_square_weight():
    """The Nishimori identity, measured: Σ w_μ² has the mean that the code computes from w_1."""
    rng, n, r = np.random.default_rng(77), 100, 0.6
    y = rng.standard_normal((3000, n, 6))
    x = y[:, 0] + np.sqrt(r) * rng.standard_normal((3000, 6))
    energy = -np.sum((x[:, None] - y) ** 2, axis=2) / (2 * r)
    weights = np.exp(energy - logsumexp(energy, axis=1, keepdims=True))
    exact = finite_size.participation(Linear([1.0] * 6), math.log(n), r)
    assert abs(z_score(np.sum(weights**2, axis=1), exact)) < 4


def test_notes_at_collapse():
    law = Linear([1.0] * 16)
    r = 1 / (3000 ** (2 / 16) - 1)
    assert finite_size.retrieval(law, math.log(3000), r) == pytest.approx(0.573, abs=0.001)
    assert finite_size.excess_entropy(law, math.log(3000), r) == pytest.approx(1.224, abs=0.005)


@pytest.mark.parametrize("name", SPECTRA)
def test_limits_in_the_noise(name):
    law, n = Linear(SPECTRA[name]), 50
    log_n = math.log(n)
    assert finite_size.retrieval(law, log_n, 1e9) == pytest.approx(1 / n, rel=1e-3)
    assert finite_size.excess_entropy(law, log_n, 1e9) == pytest.approx(log_n, rel=1e-3)
    condensed = collapse(law, log_n=log_n)
    missed = [1 - finite_size.retrieval(law, log_n, scale * condensed) for scale in (0.3, 0.1, 0.05)]
    assert missed[0] > 2 * missed[1] > 4 * max(missed[2], 0)
    assert missed[2] < 0.03
    assert finite_size.excess_entropy(law, log_n, 0.05 * condensed) < 6 * missed[2] + 1e-6


def test_one_point_has_no_rival():
    law = Linear([1.0] * 4)
    for r in (1e-3, 1.0, 1e3):
        assert finite_size.retrieval(law, 0.0, r) == pytest.approx(1, abs=1e-12)
        assert finite_size.excess_entropy(law, 0.0, r) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_astronomical_numbers(spread):
    """ln N = 1000 in 2000 dimensions: between ln N - I (mutual information is concave in the law of the points)
    and the Gaussian estimate of the annealed Z_rest (Jensen), which are close away from collapse."""
    law, log_n = Linear([1.0] * 2000), 1000.0
    r = spread * collapse(law, log_n=log_n)
    retrieval, entropy = finite_size.retrieval(law, log_n, r), finite_size.excess_entropy(law, log_n, r)
    assert 0 <= retrieval <= 1
    assert np.isfinite(entropy)
    assert np.isfinite(finite_size.log_ratio(law, log_n, r, 0.0))
    distance = log_n - float(law.information(r))
    z = np.linspace(-9, 9, 4001)
    gaussian = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    deviation = np.sqrt(float(law.dimension(r)))
    estimate = np.trapezoid(np.logaddexp(0, distance + deviation * z) * gaussian, z)
    assert max(0.0, distance) * (1 - 1e-4) <= entropy <= estimate * 1.05 + 0.05
    if spread != 1:
        assert entropy == pytest.approx(max(0.0, distance), abs=0.3, rel=0.01)


def test_retrieval_decreases_with_noise_and_with_points():
    law = Linear([1.0] * 3 + [0.1] * 10)
    by_noise = [finite_size.retrieval(law, 7.0, r) for r in np.geomspace(3e-2, 1e2, 9)]
    assert np.all(np.diff(by_noise) < 1e-6)
    by_points = [finite_size.retrieval(law, log_n, 0.2) for log_n in np.linspace(2, 30, 9)]
    assert np.all(np.diff(by_points) < 1e-6)


D, N = 12, 500


def test_generalization_is_the_minimum_of_the_measured_divergence():
    """d/d ln r of KL is D/2 - E<|x-y|²>/2r: zero at r_g, of either sign at a tenth to either side."""
    law = Linear(np.ones(D))
    found = finite_size.generalization(law, log_n=math.log(N))
    rng = np.random.default_rng(500)
    y = rng.standard_normal((500, N, D))
    distances = squared_distances(rng.standard_normal((500, 40, D)), y)

    def slope(r):
        log_weight = -distances / (2 * r)
        weight = np.exp(log_weight - logsumexp(log_weight, axis=2, keepdims=True))
        return D / 2 - np.sum(weight * distances, axis=2).mean(axis=1) / (2 * r)

    assert abs(z_score(slope(found), 0.0)) < 4
    assert z_score(slope(0.97 * found), 0.0) < -4
    assert z_score(slope(1.03 * found), 0.0) > 4


def test_onset_and_basin_are_roots_of_the_measured_landscape():
    law, log_n = Linear(np.ones(D)), math.log(N)
    opened = finite_size.onset(law, log_n=log_n)
    rng = np.random.default_rng(501)
    at = {scale: planted_averages(np.ones(D), N, scale * opened, 0.0, 3_000_000, rng)[:, 2] for scale in (0.9, 1, 1.1)}
    assert abs(z_score(at[1], 0.0)) < 4
    assert z_score(at[0.9], 0.0) < -4
    assert z_score(at[1.1], 0.0) > 4
    r = 0.6 * opened
    rho = finite_size.basin_radius(law, r, log_n=log_n)
    assert abs(z_score(planted_averages(np.ones(D), N, r, rho * r, 3_000_000, rng)[:, 2], 0.0)) < 4
    assert finite_size.basin_radius(law, 1.01 * opened, log_n=log_n) == 0


def test_leading_order_at_large_dimension():
    law, log_n = Linear(np.ones(600)), 150.0
    exact = finite_size.generalization(law, log_n=log_n)
    assert exact == pytest.approx(leading_generalization(law, log_n=log_n), rel=0.05)
    assert finite_size.onset(law, log_n=log_n) == pytest.approx(leading_onset(law, log_n=log_n), rel=0.03)


def test_directions_without_variance_change_nothing():
    plain, padded = Linear([1.0] * 4), Linear([1.0] * 4 + [0.0] * 3, ambient_dim=12)
    for r in (0.05, 0.5):  # other nodes: equal to their error only
        expected = finite_size.retrieval(plain, 6.0, r)
        assert finite_size.retrieval(padded, 6.0, r) == pytest.approx(expected, rel=1e-7)


CURVED = NormalizedLinear([1.0, 1.0])
WITHOUT = [CURVED, Product([CURVED, Linear([1.0])]), Mixture([CURVED, Linear([1.0, 0.5])])]


@pytest.mark.parametrize("law", WITHOUT)
def test_laws_without_closed_energies(law):
    for call in (
        lambda: finite_size.retrieval(law, 3.0, 1.0),
        lambda: finite_size.participation(law, 3.0, 1.0),
        lambda: finite_size.excess_entropy(law, 3.0, 1.0),
        lambda: finite_size.log_ratio(law, 3.0, 1.0, 0.0),
        lambda: finite_size.log_density_gap(law, 3.0, 1.0),
        lambda: finite_size.held_out_log_density_gap(law, 3.0, 1.0),
        lambda: finite_size.onset(law, log_n=3.0),
        lambda: finite_size.generalization(law, log_n=3.0),
        lambda: finite_size.basin_radius(law, 1.0, log_n=3.0),
    ):
        with pytest.raises(ValueError, match=r"^law = .*needs a law whose energies have a closed law"):
            call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: finite_size.retrieval(m, -1.0, 1.0), "log_n = -1.0: must be ≥ 0"),
        (lambda m: finite_size.retrieval(m, math.nan, 1.0), "log_n = nan: must be finite"),
        (lambda m: finite_size.retrieval(m, 1.0, 0.0), "r = 0.0: must be > 0"),
        (lambda m: finite_size.excess_entropy(m, 1.0, [1.0, 2.0]), "r = .*must be one number"),
        (lambda m: finite_size.excess_entropy(m, [1.0, 2.0], 1.0), "log_n = .*must be one number"),
        (lambda m: finite_size.log_ratio(m, 1.0, 1.0, -1.0), "noise = -1.0: must be ≥ 0"),
        (lambda m: finite_size.log_ratio(m, 1.0, 1.0, [0.0, 1.0]), "noise = .*must be one number"),
        (lambda m: finite_size.onset(m, log_n=0.0), "log_n = 0.0: must be > 0"),
        (lambda m: finite_size.onset(m, log_n=math.nan), "log_n = nan"),
        (lambda m: finite_size.generalization(m, log_n=0.0), "log_n = 0.0: must be > 0"),
        (lambda m: finite_size.basin_radius(m, 0.0, log_n=1.0), "r = 0.0: must be > 0"),
        (lambda m: finite_size.basin_radius(m, 1.0, log_n=-1.0), "log_n = -1.0"),
    ],
)
def test_bad_finite_size_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call(Linear([1.0] * 4))


@pytest.mark.parametrize(
    ("law", "n", "share"),
    [
        (Linear([1.0] * 4), 50, 0.01),
        (Linear([1.0] * 2), 100, 1.0),
        (Linear([1.0] * 3), 2, 1.0),
        (Linear([1.0]), 30, 0.3),
        (Sphere(1), 20, 1.0),
        (Sphere(2, 2.0), 50, 0.3),
    ],
)
def test_log_ratio_in_the_frozen_phase_and_at_small_n(law, n, share):
    """The mean of ln Z_rest/Z_1 by sampling, where one distance dominates and the survival has a long tail."""
    dim, log_n = law.ambient_dim, np.log(n)
    r = share * collapse(law, log_n=log_n)
    rng = np.random.default_rng(20)
    means = []
    for _ in range(20):
        y = law.sample(4000 * n, rng).reshape(4000, n, dim)
        x = y[:, 0] + np.sqrt(r) * rng.standard_normal((4000, dim))
        energy = np.sum((x[:, None] - y) ** 2, axis=2) / (2 * r)
        means.append(np.mean(energy[:, 0] + np.logaddexp.reduce(-energy[:, 1:], axis=1)))
    error = np.std(means, ddof=1) / np.sqrt(len(means))
    exact = finite_size.log_ratio(law, log_n, r, r)
    assert abs(exact - np.mean(means)) < 4 * error + 5e-3 * abs(exact)
    assert error < 0.03 * abs(exact)


@pytest.mark.parametrize(("dim", "log_n"), [(64, 1000.0), (2000, 1000.0), (500, 50.0)])
def test_many_dimensions_approach_the_gaussian_estimate_from_below(dim, log_n):
    """At large d the energies are Gaussian: E softplus(√d(r) z) at r_c less about 0.3 nat, Z_rest being annealed."""
    law = Linear([1.0] * dim)
    r = collapse(law, log_n=log_n)
    z = np.linspace(-9, 9, 20001)
    weight = np.exp(-0.5 * z**2)
    gaussian = np.average(np.logaddexp(0, np.sqrt(law.dimension(r)) * z), weights=weight)
    assert 0.1 < gaussian - finite_size.excess_entropy(law, log_n, r) < 0.5


@pytest.mark.parametrize(
    ("law", "n", "share"), [(Sphere(1), 20, 1.0), (Sphere(2, 2.0), 50, 0.3), (Sphere(8), 300, 1.5)]
)
def test_retrieval_and_excess_entropy_on_spheres(law, n, share):
    log_n = np.log(n)
    r = share * collapse(law, log_n=log_n)
    rng = np.random.default_rng(21)
    means = []
    for _ in range(30):
        y = law.sample(400 * n, rng).reshape(400, n, law.ambient_dim)
        x = y[:, 0] + np.sqrt(r) * rng.standard_normal((400, law.ambient_dim))
        energy = np.sum((x[:, None] - y) ** 2, axis=2) / (2 * r)
        log_weight = -energy[:, 0] - np.logaddexp.reduce(-energy, axis=1)
        means.append([np.mean(np.exp(log_weight)), -np.mean(log_weight)])
    error = np.std(means, axis=0, ddof=1) / np.sqrt(len(means))
    exact = [finite_size.retrieval(law, log_n, r), finite_size.excess_entropy(law, log_n, r)]
    assert np.all(np.abs(exact - np.mean(means, axis=0)) < 4 * error + 1e-3)
