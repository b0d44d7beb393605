"""The hidden manifold's replica information: random matrices, brute force, quadrature, limits, jumps."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp

from manifolds import HiddenManifold
from theory import collapse, spectra
from theory.hidden_information import ACTIVATIONS, ScalarChannel, spinodals, states


def hidden(activation, alpha=2.0, latent_dim=50):
    return HiddenManifold(latent_dim, int(alpha * latent_dim), activation, rng=np.random.default_rng(0))


@pytest.mark.parametrize("alpha", [0.5, 2.0, 8.0])
@pytest.mark.parametrize("r", [1e-3, 0.1, 1.0, 1e3, 1e12])
def test_linear_is_marchenko_pastur(alpha, r):
    law = hidden("linear", alpha)
    matrix = spectra.marchenko_pastur(1 / alpha)
    assert float(law.information(r)) == pytest.approx(law.ambient_dim * float(matrix.information(r)), rel=1e-6)
    assert float(law.dimension(r)) == pytest.approx(law.ambient_dim * float(matrix.dimension(r)), rel=1e-5)


def test_linear_at_tiny_noise_and_as_a_matrix():
    law = hidden("linear", 2.0, latent_dim=400)
    matrix = spectra.marchenko_pastur(0.5)
    for r in (1e-12, 1e-6):
        assert float(law.information(r)) == pytest.approx(800 * float(matrix.information(r)), rel=1e-9)
    sign, log_det = np.linalg.slogdet(np.eye(400) + law.weights.T @ law.weights / 400 / 0.1)
    assert sign == 1
    assert float(law.information(0.1)) == pytest.approx(0.5 * log_det, rel=2e-3)  # one matrix: a nat in 556
    assert float(hidden("linear").states(0.1)[0].information) == pytest.approx(1.3902, abs=1e-4)


def brute_force(latent_dim, r, rng, matrices=120, points=24, inner=20_000):
    """I/d by nested sampling: ln p(x|z) - ln mean over other z of p(x|z), α = 2, tanh."""
    found = []
    for _ in range(matrices):
        w = rng.standard_normal((2 * latent_dim, latent_dim)) / math.sqrt(latent_dim)
        y = np.tanh(rng.standard_normal((points, latent_dim)) @ w.T)
        x = y + math.sqrt(r) * rng.standard_normal(y.shape)
        others = np.tanh(rng.standard_normal((inner, latent_dim)) @ w.T)
        energy = np.sum(x**2, 1)[:, None] - 2 * x @ others.T + np.sum(others**2, 1)
        evidence = logsumexp(-energy / (2 * r), axis=1) - math.log(inner)
        found.append(np.mean(-np.sum((x - y) ** 2, 1) / (2 * r) - evidence) / latent_dim)
    return np.mean(found), np.std(found, ddof=1) / math.sqrt(matrices)


def test_brute_force_at_small_dimension_extrapolates_to_the_replica_value():
    rng = np.random.default_rng(1)
    (small, e_small), (large, e_large) = brute_force(4, 0.3, rng), brute_force(8, 0.3, rng)
    value = float(hidden("tanh").information(0.3)) / 50
    assert value == pytest.approx(0.5884, abs=1e-4)
    assert large < value
    extrapolated, error = 2 * large - small, math.hypot(2 * e_large, e_small)
    assert abs(extrapolated - value) < 3 * error + 0.01  # corrections of order 1/d² remain
    assert error < 0.02


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("r", [0.05, 1.0])
def test_scalar_channel_against_quadrature(name, r):
    """I(u; f(u) + √r ξ), the channel at q = 0, by nested adaptive quadrature."""
    f = ACTIVATIONS[name]

    def density(y):
        def integrand(u):
            return math.exp(-0.5 * u * u - 0.5 * (y - float(f(u))) ** 2 / r)

        total = quad(integrand, -8, 0, limit=200, epsrel=1e-9)[0] + quad(integrand, 0, 8, limit=200, epsrel=1e-9)[0]
        return total / (2 * math.pi * math.sqrt(r))

    edge = float(np.max(np.abs(f(np.linspace(-8, 8, 101))))) + 8 * math.sqrt(r)
    entropy = -sum(
        quad(lambda y: density(y) * math.log(density(y) + 1e-300), a, b, limit=100, epsrel=1e-7)[0]
        for a, b in ((-edge, 0), (0, edge))
    )
    expected = entropy - 0.5 * math.log(2 * math.pi * math.e * r)
    assert ScalarChannel(name, r).residual(0.0) == pytest.approx(
        expected, rel=1e-6 if name not in ("relu", "sign") else 1e-5
    )


@pytest.mark.parametrize("name", ["tanh", "erf", "sin", "sign", "relu"])
def test_information_over_the_scales(name):
    law = hidden(name)
    r = np.array([1e-12, 1e-3, 0.3, 10.0, 1e9, 1e12])[0 if name != "relu" else 1 :]
    information = law.information(r)
    assert np.all(np.isfinite(information))
    assert np.all(information > 0)
    assert np.all(np.diff(information) < 1e-9 * information[:-1])
    assert np.all(law.dimension(r[-3:]) > 0)
    if name == "sign":
        assert information[0] < 100 * math.log(2)  # D bits
        assert information[0] == pytest.approx(information[1], rel=1e-12)  # told apart without error
    elif name == "tanh":
        assert float(law.dimension(1e-6)) == pytest.approx(50, rel=1e-4)
    # far off only the variance is seen: I = D Var f/2r
    y = law.sample(4000, np.random.default_rng(2))
    assert information[-1] == pytest.approx(0.5 * y.var(axis=0).sum() / 1e12, rel=0.1)


def test_narrow_and_wide_sums_agree_where_they_meet():
    for name in ACTIVATIONS:
        channel = ScalarChannel(name, 0.05)
        depth = -2 * math.log(0.15)
        assert channel.residual(depth - 1e-9) == pytest.approx(
            channel.residual(depth + 1e-9), rel=1e-8 if channel.smooth else 2e-3
        )


@pytest.mark.slow
def test_phase_retrieval_has_a_first_order_transition():
    """|u| at α = 1.1, between the information-theoretic threshold 1 and the algorithmic 1.128 of phase retrieval."""
    low = states(np.abs, 1e-4, 1.1)
    assert len(low) == 2
    assert low[0].overlap > 0.99 > low[1].overlap
    assert low[0].information < low[1].information
    above = states(np.abs, 3e-4, 1.1)
    assert above[0].overlap < 0.99 < above[1].overlap  # the order has changed: the jump lies between
    assert len(states(np.abs, 1e-3, 1.1)) == 1
    found = spinodals(np.abs, 1.1, np.geomspace(1e-4, 1e-3, 3))
    assert found is not None
    assert found[0] == pytest.approx(1e-4)
    assert 3e-4 < found[1] < 1e-3
    assert spinodals("tanh", 2.0, [0.1, 1.0]) is None


def test_collapse_and_geometry():
    law = hidden("tanh", latent_dim=20)
    r = collapse(law, log_n=math.log(1e5))
    assert float(law.information(r)) == pytest.approx(math.log(1e5), rel=1e-9)
    wider = collapse(hidden("tanh", alpha=4.0, latent_dim=20), log_n=math.log(1e5))
    assert wider > r  # more outputs, more information at the same noise
    z = np.random.default_rng(3).standard_normal(20)
    basis = law.tangent_basis(z)
    step = law.image(z + 1e-6 * np.eye(20)[0]) - law.image(z - 1e-6 * np.eye(20)[0])
    assert np.linalg.norm(step - basis @ (basis.T @ step)) < 1e-6 * np.linalg.norm(step)
    np.testing.assert_allclose(law.mean, 0, atol=1e-12)
    relu = hidden("relu")
    y = relu.sample(20_000, np.random.default_rng(4))
    np.testing.assert_allclose(y.mean(axis=0), relu.mean, atol=5 * y.std(axis=0).max() / math.sqrt(20_000))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hidden("softplus"), "activation = 'softplus'"),
        (lambda: hidden(lambda u: 0 * u), "activation = .*not constant"),
        (lambda: hidden(lambda u: 1 / u), "activation = .*finite"),
        (lambda: hidden(3.0), "activation = 3.0"),
        (lambda: HiddenManifold(0, 5, rng=np.random.default_rng(0)), "latent_dim = 0"),
        (lambda: HiddenManifold(5, 5, rng=0), "rng"),
        (lambda: hidden("relu").information(1e-9), "r = 1e-09: too small"),
        (lambda: hidden("linear", 0.5).information(1e-9), "r = 1e-09: too small"),
        (lambda: hidden("tanh").information(0.0), "r = 0.0"),
        (lambda: hidden("tanh").image(np.zeros(3)), "z has shape"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_bad_hidden_input_names_the_argument(make, message):
    with pytest.raises(ValueError, match=message):
        make()
