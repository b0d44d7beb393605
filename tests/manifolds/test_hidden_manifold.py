"""The hidden manifold as a data law: range of r, limits, moments at its W, tangents, critical points, errors."""

import math

import numpy as np
import pytest

from remanifold.manifolds import HiddenManifold, Manifold
from remanifold.theory import basin_radius, collapse, generalization, onset

RNG = np.random.default_rng(0)


def make(activation, latent_dim=10, ambient_dim=20):
    return HiddenManifold(latent_dim, ambient_dim, activation, rng=np.random.default_rng(1))


TANH = make("tanh")


@pytest.mark.parametrize("activation", ["linear", "tanh", "erf", "sign"])
def test_every_noise_ratio(activation):
    law, r = make(activation), 10.0 ** np.array([-14, -12, -7, -2, 0, 3, 12, 14])
    information, dimension = law.information(r), law.dimension(r)
    assert np.all(np.isfinite(information))
    assert np.all(np.isfinite(dimension))
    assert np.all(information > 0)
    assert np.all(dimension >= 0)
    assert np.all(np.diff(information) <= 2e-10 * information[:-1])
    assert law.information(1.0) == information[4]


def test_smooth_manifold_has_its_latent_dimension():
    """α > 1: d(r) → d, and the information grows by ½ d ln(1/r)."""
    assert TANH.dimension(1e-9) == pytest.approx(10, rel=1e-5)
    assert TANH.information(1e-9) - TANH.information(1e-7) == pytest.approx(5 * math.log(100), rel=1e-5)


def test_sign_saturates():
    law = make("sign")
    assert law.intrinsic_dim == 0
    assert law.dimension(1e-6) < 1e-9
    assert law.information(1e-12) == pytest.approx(law.information(1e-4), rel=1e-9)
    assert law.information(1e-12) < 20 * math.log(2)


def test_large_noise_is_the_variance():
    """I → D Var f/2r: Var of sign is 1, of ReLU ½ - 1/2π."""
    assert make("sign").information(1e8) == pytest.approx(20 / 2e8, rel=1e-6)
    assert make("relu").information(1e8) == pytest.approx(20 * (0.5 - 0.5 / math.pi) / 2e8, rel=1e-6)


@pytest.mark.parametrize(("activation", "r"), [("tanh", 0.05), ("relu", 0.05), ("sin", 1.0)])
def test_dimension_is_the_slope_of_the_information(activation, r):
    """d = -2 dI/d ln r by the envelope theorem, against a five-point rule."""
    law, h = make(activation), 0.02
    i = law.information(r * np.exp(h * np.array([-2, -1, 1, 2])))
    assert (i[3] - i[0] - 8 * (i[2] - i[1])) / (6 * h) == pytest.approx(float(law.dimension(r)), rel=1e-5)


def test_scale_of_the_activation():
    """I of c f at c² r is I of f at r."""
    assert make(lambda u: 1e3 * np.tanh(u)).information(1e5) == pytest.approx(float(TANH.information(0.1)), rel=1e-9)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sign", "sin"])
def test_moments_at_its_weights(activation):
    """Mean and covariance against 40000 samples; entries within five standard errors."""
    law, n = make(activation, 12, 18), 40000
    y = law.sample(n, np.random.default_rng(2))
    covariance, spread = law.covariance(), y.std(axis=0)
    assert y.shape == (n, 18)
    assert np.max(np.abs(y.mean(axis=0) - law.mean) / spread) < 5 / math.sqrt(n)
    assert np.max(np.abs(np.cov(y.T) - covariance) / np.outer(spread, spread)) < 9 / math.sqrt(n)
    assert law.leading_variance() == pytest.approx(np.linalg.eigvalsh(covariance)[-1])


def test_linear_covariance_is_w_w_transposed():
    law = make("linear")
    np.testing.assert_allclose(law.covariance(), law.weights @ law.weights.T / 10, atol=1e-9)


def test_tangent_basis():
    """From the latent point, from y itself, and against the secants of nearby points."""
    z = np.random.default_rng(4).standard_normal(10)
    basis = TANH.tangent_basis(latent=z)
    assert basis.shape == (20, 10)
    np.testing.assert_allclose(basis.T @ basis, np.eye(10), atol=1e-12)
    np.testing.assert_allclose(TANH.tangent_basis(TANH.embed(z)) @ basis.T @ basis, basis, atol=1e-7)
    secant = (TANH.embed(z + 1e-6 * np.eye(10)) - TANH.embed(z - 1e-6 * np.eye(10))).T / 2e-6
    np.testing.assert_allclose(basis @ basis.T @ secant, secant, atol=1e-8)
    assert make("sign").tangent_basis(latent=z).shape == (20, 0)
    assert make("relu").tangent_basis(latent=z).shape[1] <= 10


@pytest.mark.slow
def test_critical_points_of_a_curved_manifold():
    """tanh, α = 2, ln N = 0.4 d: figures of docs/hidden_manifold.md."""
    law = make("tanh", 50, 100)
    assert collapse(law, log_n=20.0) == pytest.approx(0.57438, rel=1e-4)
    assert onset(law, log_n=20.0) == pytest.approx(1.33043, rel=1e-4)
    assert generalization(law, log_n=20.0) == pytest.approx(0.16025, rel=1e-4)


def test_critical_points_in_their_order():
    """r_g < r_c < r_o; the basin shrinks from ρ = 1 at r_c to 0 at r_o. All through the one interface."""
    law, log_n = make("linear", 40, 80), 15.0
    r_c, r_o = collapse(law, log_n=log_n), onset(law, log_n=log_n)
    assert law.information(r_c) == pytest.approx(log_n, rel=1e-8)
    assert r_o > r_c > generalization(law, log_n=log_n) > 0
    assert law.free_energy_gap(r_o, 0.0) == pytest.approx(log_n, rel=1e-8)
    assert law.mean_local_divergence(r_c, r_c) == law.information(r_c)
    assert basin_radius(law, 1.01 * r_o, log_n=log_n) == 0


@pytest.mark.slow
def test_basin_radius_is_one_at_collapse():
    law = make("linear", 40, 80)
    r_c = collapse(law, log_n=15.0)
    assert basin_radius(law, r_c, log_n=15.0) == pytest.approx(1, rel=1e-6)


def test_more_data_dimensions_collapse_later():
    """At fixed ln N and d, r_c grows with α: more coordinates say more about the same latent point."""
    ratios = [collapse(make("tanh", 20, ambient), log_n=10.0) for ambient in (20, 40)]
    assert ratios[0] < ratios[1]


@pytest.mark.parametrize("name", ["log_partition", "posterior_mean", "posterior_covariance", "score"])
def test_single_points_are_refused(name):
    assert isinstance(TANH, Manifold)
    with pytest.raises(ValueError, match="sample it and use EmpiricalScore"):
        getattr(TANH, name)(np.zeros(20), 0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latent_dim": 0}, "latent_dim = 0"),
        ({"ambient_dim": 2.5}, "ambient_dim = 2.5"),
        ({"activation": "softmax"}, "activation = 'softmax'"),
        ({"rng": 3}, "rng = 3"),
    ],
)
def test_construction(arguments, message):
    with pytest.raises(ValueError, match=message):
        HiddenManifold(**{"latent_dim": 2, "ambient_dim": 4, "rng": RNG, **arguments})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TANH.information(0.0), "r = .*must be > 0"),
        (lambda: TANH.tangent_basis(), "give one of them"),
        (lambda: TANH.tangent_basis(np.full(20, 0.1)), "must be a point of the manifold"),
        (lambda: make("relu").tangent_basis(np.zeros(20)), "strictly monotone"),
        (lambda: TANH.tangent_basis(latent=np.zeros(3)), "latent has shape"),
        (lambda: TANH.sample(0, RNG), "n = 0"),
    ],
)
def test_bad_calls(call, message):
    with pytest.raises(ValueError, match=message):
        call()
