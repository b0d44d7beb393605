"""Every answer of a ScoreNetwork against closed forms, with exact denoisers plugged in for the network."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from remanifold.models import score_network
from remanifold.models.networks.residual_mlp import ResidualMLP
from remanifold.models.score_network import ScoreNetwork

SCALE = 0.7  # σ_data of the plugged-in denoisers
VARIANCES = np.array([2.0, 0.5, 0.03, 0.0])
CENTRE = np.array([1.0, -2.0, 0.0, 30.0])
BASIS = np.linalg.qr(np.random.default_rng(5).standard_normal((4, 4)))[0]
COVARIANCE = BASIS * VARIANCES @ BASIS.T


class LinearDenoiser(torch.nn.Module):
    """The network F for which c_skip u + c_out F(c_in u) is the Gaussian posterior mean Λ(Λ+r)^-1 u.

    Solved by hand for F: in the eigenbasis, σ(λ - s²)/(s(λ+r)) times its input.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("basis", torch.from_numpy(BASIS))
        self.register_buffer("variances", torch.from_numpy(VARIANCES))

    def forward(self, x: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
        sigma = log_sigma.exp()[:, None]
        gain = sigma * (self.variances - SCALE**2) / (SCALE * (self.variances + sigma**2))
        return (x @ self.basis * gain) @ self.basis.T


class TwoPoints(torch.nn.Module):
    """F for data ±1 in one dimension: the posterior mean is tanh(x/r)."""

    def forward(self, x: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
        sigma = log_sigma.exp()[:, None]
        total = SCALE**2 + sigma**2
        position = x * total.sqrt()
        mean = torch.tanh(position / sigma**2)
        return (mean - SCALE**2 / total * position) * total.sqrt() / (sigma * SCALE)


class Rotation(torch.nn.Module):
    """F(u) = (-u_2, u_1)/2 + (u_1, 0): its Jacobian is not symmetric."""

    def forward(self, x: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[:, 0] - x[:, 1] / 2, x[:, 0] / 2], -1)


@pytest.fixture
def gaussian() -> ScoreNetwork:
    return ScoreNetwork(LinearDenoiser(), 4, SCALE, CENTRE)


@pytest.fixture
def learned() -> ScoreNetwork:
    torch.manual_seed(0)
    network = ResidualMLP(4, width=16, depth=2)
    torch.nn.init.normal_(network.leave.weight, std=0.3)
    return ScoreNetwork(network, 4, SCALE, CENTRE)


@pytest.mark.parametrize("r", [1e-8, 1e-3, 0.2, 5.0, 1e6])
def test_gaussian_closed_forms(gaussian, r, rng):
    x = CENTRE + rng.standard_normal((6, 4))
    precision = np.linalg.inv(COVARIANCE + r * np.eye(4))
    expected_score = -(x - CENTRE) @ precision
    np.testing.assert_allclose(gaussian.score(x, r), expected_score, rtol=1e-5, atol=1e-6 / np.sqrt(r))
    mean = CENTRE + (x - CENTRE) @ precision @ COVARIANCE
    np.testing.assert_allclose(gaussian.posterior_mean(x, r), mean, rtol=1e-5, atol=1e-8)
    covariance = np.broadcast_to(r * COVARIANCE @ precision, (6, 4, 4))
    np.testing.assert_allclose(gaussian.posterior_covariance(x, r), covariance, rtol=1e-5, atol=1e-9 * r)
    spectrum = np.broadcast_to(-1 / (VARIANCES + r), (6, 4))
    np.testing.assert_allclose(gaussian.jacobian_spectrum(x, r), spectrum, rtol=1e-5)
    estimate = gaussian.dimension(r, rng, points=x)
    assert estimate.mean == pytest.approx(np.sum(VARIANCES / (VARIANCES + r)), rel=1e-5)
    assert estimate.stderr == pytest.approx(0, abs=1e-9)


def test_dimension_averages_over_planted_points(rng):
    network = ScoreNetwork(TwoPoints(), 1, SCALE)
    r = np.array([[0.1, 0.3], [1.0, 4.0]])
    estimate = network.dimension(r, rng, points=rng.choice([-1.0, 1.0], size=(4000, 1)))
    assert estimate.mean.shape == estimate.stderr.shape == (2, 2)
    for value, error, ratio in zip(estimate.mean.flat, estimate.stderr.flat, r.flat, strict=True):

        def density(z, ratio=ratio):
            x = 1 + np.sqrt(ratio) * z
            return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (1 - np.tanh(x / ratio) ** 2) / ratio

        exact = quad(density, -12, 12, limit=200)[0]
        assert abs(value - exact) < 4 * error
        assert error < 0.1 * exact + 0.02


def test_asymmetric_network_is_returned_as_it_is():
    network = ScoreNetwork(Rotation(), 2, 1.0)
    # s = σ = 1: C = ∂m/∂x = ½(1 + F'), J = ½(F' - 1), F' = [[1, -½], [½, 0]].
    covariance = network.posterior_covariance([0.3, 0.4], 1.0)
    np.testing.assert_allclose(covariance, [[1.0, -0.25], [0.25, 0.5]], atol=1e-12)
    np.testing.assert_allclose(network.jacobian_spectrum([0.3, 0.4], 1.0), [0.0, -0.5], atol=1e-12)


def test_jacobian_is_the_derivative_of_mean_and_score(learned, rng):
    x, r, step = rng.standard_normal((3, 4)) + CENTRE, 0.3, 1e-5
    shifts = step * np.eye(4)
    slopes = [(learned.posterior_mean(x + e, r) - learned.posterior_mean(x - e, r)) / (2 * step) for e in shifts]
    covariance = r * np.stack(slopes, -1)
    np.testing.assert_allclose(learned.posterior_covariance(x, r), covariance, atol=1e-8)
    slopes = [(learned.score(x + e, r) - learned.score(x - e, r)) / (2 * step) for e in shifts]
    jacobian = np.stack(slopes, -1)
    expected = np.linalg.eigvalsh((jacobian + jacobian.transpose(0, 2, 1)) / 2)[:, ::-1]
    np.testing.assert_allclose(learned.jacobian_spectrum(x, r), expected, atol=1e-7)
    np.testing.assert_allclose(learned.jacobian_spectrum(x, r, k=2), expected[:, :2], atol=1e-7)


def test_score_and_mean_obey_tweedie(learned, rng):
    x, r = rng.standard_normal((5, 4)), np.array([1e-3, 0.1, 1.0, 10.0, 1e3])
    np.testing.assert_allclose(x + r[:, None] * learned.score(x, r), learned.posterior_mean(x, r), atol=1e-10)


def test_passes_of_any_size_and_noise_per_point_agree(learned, rng, monkeypatch):
    x, r = rng.standard_normal((7, 4)), np.linspace(0.1, 2, 7)
    methods = (learned.score, learned.posterior_mean, learned.posterior_covariance, learned.jacobian_spectrum)
    together = [method(x, r) for method in methods]
    one_by_one = [np.stack([method(*pair) for pair in zip(x, r, strict=True)]) for method in methods]
    monkeypatch.setattr(score_network, "ROWS", 8)
    in_pieces = [method(x, r) for method in methods]
    for a, b, c in zip(together, one_by_one, in_pieces, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
        np.testing.assert_allclose(a, c, atol=1e-12)


def test_float32_is_close_and_the_callers_network_untouched(rng):
    network = ResidualMLP(4, width=16)
    single = ScoreNetwork(network, 4, SCALE, dtype="float32")
    double = ScoreNetwork(network, 4, SCALE)
    x = rng.standard_normal((5, 4))
    assert single.score(x, 0.1).dtype == np.float64
    np.testing.assert_allclose(single.score(x, 0.1), double.score(x, 0.1), rtol=1e-5)
    assert {(p.dtype, p.requires_grad) for p in network.parameters()} == {(torch.float32, True)}


def test_untrained_network_is_the_isotropic_linear_denoiser(rng):
    x = rng.standard_normal((5, 3))
    network = ScoreNetwork(ResidualMLP(3), 3, 2.0)
    np.testing.assert_allclose(network.posterior_mean(x, 12.0), x / 4, rtol=1e-12)


def test_saved_network_comes_back(learned, rng, tmp_path):
    learned.save(tmp_path / "new" / "folder")
    before = torch.get_rng_state()
    again = ScoreNetwork.load(tmp_path / "new" / "folder")
    assert torch.get_rng_state().equal(before)
    x = rng.standard_normal((5, 4))
    np.testing.assert_array_equal(again.score(x, 0.2), learned.score(x, 0.2))


def test_what_cannot_be_saved_or_loaded(gaussian, tmp_path):
    with pytest.raises(ValueError, match="network = 'LinearDenoiser'"):
        gaussian.save(tmp_path)
    with pytest.raises(ValueError, match="cannot be used"):
        ScoreNetwork.load(tmp_path)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.score(np.zeros(3), 1.0), "x has shape"),
        (lambda s: s.score([0, 0, np.nan, 0], 1.0), "x = "),
        (lambda s: s.score(np.zeros(4), 0.0), "r = 0.0"),
        (lambda s: s.score(np.zeros((3, 4)), [1.0, 2.0]), "r has shape"),
        (lambda s: s.jacobian_spectrum(np.zeros(4), 1.0, k=5), "k = 5"),
        (lambda s: s.jacobian_spectrum(np.zeros(4), 1.0, k=0), "k = 0"),
        (lambda s: s.dimension(1.0, np.random.default_rng(0), points=np.zeros((1, 4))), "two points"),
        (lambda s: s.dimension(1.0, 7, points=np.zeros((3, 4))), "rng = 7"),
        (lambda s: ScoreNetwork(s.network, 4, 0.0), "sigma_data = 0.0"),
        (lambda s: ScoreNetwork(s.network, 4, 1.0, np.zeros(3)), "centre has shape"),
        (lambda s: ScoreNetwork(s.network, 4, 1.0, dtype="float16"), "dtype = 'float16'"),
    ],
)
def test_bad_arguments(gaussian, call, message):
    with pytest.raises(ValueError, match=message):
        call(gaussian)
