"""Finite size for mixtures: brute force in ambient coordinates, limits, and the published data of arXiv 2402.18491."""

import math

import numpy as np
import pytest
from finite_size_table import two_gaussians_curve
from test_products import planted_means, slope_of_divergence, z_scores

from remanifold.manifolds import Linear, Mixture
from remanifold.theory import collapse, finite_size
from remanifold.theory.finite_size import node_average
from remanifold.theory.finite_size.planted_posterior import posterior_energy


def three_classes():
    """Unequal weights, two variances, and centres that differ also where the data have no variance."""
    rng = np.random.default_rng(11)
    centres = 1.5 * rng.standard_normal((3, 6))
    basis = np.linalg.qr(rng.standard_normal((6, 4)))[0]
    return Mixture([Linear([1.0, 1.0, 1.0, 0.1], basis=basis, centre=c) for c in centres], [1.0, 2.0, 3.0])


MIXTURES = {
    "pair": Mixture.two_gaussians(4),
    "uneven pair": Mixture([Linear([1.0] * 3, centre=[0.0] * 3), Linear([1.0] * 3, centre=[3.0, 1.0, 0.0])], [1, 4]),
    "three": three_classes(),
}


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("name", MIXTURES)
def test_mixtures_by_brute_force(name, scale):
    law, n = MIXTURES[name], 60
    log_n = math.log(n)
    r = scale * collapse(law, log_n=log_n)
    seed = round(10 * scale)
    exact = np.array([finite_size.retrieval(law, log_n, r), finite_size.excess_entropy(law, log_n, r)])
    assert np.all(np.abs(z_scores(planted_means(law, n, r, r, seed)[:, :2], exact, [1e-4, 3e-4])) < 4)
    if scale == 1:
        ratio = finite_size.log_ratio(law, log_n, r, 0.0)
        assert abs(z_scores(planted_means(law, n, r, 0.0, seed + 1, sets=20)[:, 2], ratio, 3e-3 * abs(ratio))) < 4


@pytest.mark.parametrize("name", MIXTURES)
def test_nodes_have_the_population_means(name):
    """E K(x, r) = I(r) and E φ = -G - E|x-y|²/2r, which the manifold computes by other integrals."""
    law = MIXTURES[name]
    for r, noise in ((0.3, 0.3), (1.0, 0.0), (1.0, 2.0), (30.0, 30.0)):
        at = node_average.noisy_points(law.energies(), noise)
        tilt = posterior_energy(law.energies(), at.radii, r)
        partition = -law.free_energy_gap(r, noise) - law.energies().energy_dim * noise / (2 * r)
        assert at.weights @ tilt.log_partition == pytest.approx(partition, abs=2e-2)
        if r == noise:
            assert at.weights @ tilt.divergence == pytest.approx(law.information(r), rel=2e-3)


def test_one_centre_is_one_gaussian():
    plain, log_n = Linear([1.0] * 3 + [0.2] * 4), 6.0
    same = Mixture([Linear(plain.variances, centre=[1.0] * 7)] * 3, [1.0, 1.0, 2.0])
    for scale in (0.3, 1.0, 3.0):
        r = scale * collapse(plain, log_n=log_n)
        assert finite_size.retrieval(same, log_n, r) == pytest.approx(finite_size.retrieval(plain, log_n, r), abs=1e-4)
        expected = finite_size.excess_entropy(plain, log_n, r)
        assert finite_size.excess_entropy(same, log_n, r) == pytest.approx(expected, abs=3e-4)


def test_moments_at_complex_argument_do_not_jump():
    """e^Λ against the sum over classes in the plane k, far along a contour; Λ may jump by 2πi only."""
    law = MIXTURES["uneven pair"]
    radii, r = node_average.noisy_points(law.energies(), 0.2).radii[:20], 0.2
    k = 0.8 + 1j * np.linspace(0.0, 40.0, 4001)
    found = law.energies().log_energy_moment(radii, r, k)
    slope = np.diff(np.exp(found - found.real.max(axis=1, keepdims=True)), axis=1) / 0.01
    assert np.all(np.isfinite(found))
    assert np.abs(np.diff(slope, axis=1)).max() < 2  # smooth on the scale of the step
    # along x = y the classes' own terms: E exp(-k|x-y|²/2r) by 10⁶ samples
    rng = np.random.default_rng(0)
    y = law.sample(400_000, rng)
    x = np.array([1.0, 0.5, -0.3])
    sampled = np.exp(-(0.8 + 2j) * np.sum((x - y) ** 2, axis=1) / 0.4)
    direction = np.array([3.0, 1.0, 0.0]) / math.sqrt(10)
    along = x @ direction
    coordinates = np.array([[along, x @ x - along**2]])
    law_at_x = np.exp(law.energies().log_energy_moment(coordinates, 0.2, np.array([0.8 + 2j])))[0, 0]
    flipped = np.exp(law.energies().log_energy_moment(coordinates * [-1, 1], 0.2, np.array([0.8 + 2j])))[
        0, 0
    ]  # sign of the axis
    for part in (np.real, np.imag):
        values = part(sampled)
        z = [(values.mean() - part(v)) / (values.std() / math.sqrt(len(y))) for v in (law_at_x, flipped)]
        assert min(map(abs, z)) < 4


@pytest.mark.slow
def test_onset_basin_and_generalization_of_a_mixture():
    law, n = Mixture.two_gaussians(2), 40
    log_n = math.log(n)
    opened = finite_size.onset(law, log_n=log_n)
    assert abs(z_scores(planted_means(law, n, opened, 0.0, 15)[:, 2], 0.0, 3e-3)) < 4
    r = 0.6 * opened
    rho = finite_size.basin_radius(law, r, log_n=log_n)
    assert abs(z_scores(planted_means(law, n, r, rho * r, 16)[:, 2], 0.0, 3e-3)) < 4
    found = finite_size.generalization(law, log_n=log_n)
    assert abs(z_scores(slope_of_divergence(law, n, found, 17), 0.0, 2e-3)) < 4


def test_astronomical_numbers_in_a_mixture():
    law, log_n = Mixture.two_gaussians(100), 30 * math.log(10)
    r = collapse(law, log_n=log_n)
    assert 0.5 < finite_size.retrieval(law, log_n, r) < 0.6
    assert 2 < finite_size.excess_entropy(law, log_n, r) < 4


def test_published_excess_entropy_in_256_dimensions():
    """Two Gaussians, |m|² = d, n = 20000: three times closer to the simulation than the asymptotic form."""
    curve = two_gaussians_curve(256, queries=400, points=5)
    assert curve.rms(curve.asymptotic) > 3 * curve.rms(curve.exact)
    assert curve.rms(curve.exact) < 2.5 * np.sqrt(np.mean(curve.stderr**2))


@pytest.mark.slow
@pytest.mark.parametrize("d", [256, 1024, 4096])
def test_published_excess_entropy(d):
    curve = two_gaussians_curve(d)
    assert curve.rms(curve.asymptotic) > 3 * curve.rms(curve.exact)
    assert curve.rms(curve.published) > 3 * curve.rms(curve.exact)
