"""Spectra of linear-Gaussian scores by every method against -1/(λ+r), and of curved ones against exact covariances."""

import numpy as np
import pytest
import torch

from remanifold.manifolds import Linear, Sphere
from remanifold.models import LinearScore
from remanifold.models.score_network import ScoreNetwork
from remanifold.probes import ScoreJacobian, jacobian_spectrum, measured_gaps
from remanifold.simulations import EmpiricalScore

VARIANCES = np.array([2.0, 0.5, 0.1])
DIM = 40
METHODS = ["exact", "probes", "lanczos", "randomized"]


class GaussianNoise(torch.nn.Module):
    """E[ξ|x] of the law below, told σ."""

    def __init__(self, basis):
        super().__init__()
        self.register_buffer("basis", torch.from_numpy(basis))
        self.register_buffer("variances", torch.from_numpy(VARIANCES))

    def forward(self, x, sigma):
        along = x @ self.basis
        gain = self.variances / (self.variances + sigma[:, None] ** 2)
        return (x - (along * gain) @ self.basis.T) / sigma[:, None]


@pytest.fixture
def basis(rng):
    return np.linalg.qr(rng.standard_normal((DIM, 3)))[0]


def scores(basis):
    """The same Gaussian law as closed-form model, network, population, and a bare function."""
    law = Linear(VARIANCES, basis=basis)
    return {
        "model": LinearScore(VARIANCES, basis),
        "network": ScoreNetwork.from_module(
            GaussianNoise(basis), ambient_dim=DIM, predicts="eps", conditioning="sigma"
        ),
        "population": law,
        "function": lambda x, r: law.score(x, r),
    }


@pytest.mark.parametrize("kind", ["model", "network", "population", "function"])
@pytest.mark.parametrize("method", METHODS)
def test_linear_gaussian(kind, method, basis, rng):
    x = 3 * rng.standard_normal(DIM)
    for r in (1e-4, 0.03, 5.0):
        exact = np.r_[-1 / (VARIANCES + r), np.full(DIM - 3, -1 / r)]
        k = DIM if method in ("exact", "probes") else 6
        spectrum = jacobian_spectrum(scores(basis)[kind], x, r, k, method=method, rng=rng)
        # 1e-5 in the unit of the spectrum of rJ, and of each eigenvalue where that is not the finer one
        np.testing.assert_allclose(r * spectrum, r * exact[:k], rtol=1e-5 if r > 1e-3 else 0, atol=1e-8)


def test_large_dimension_never_makes_the_matrix(rng):
    dim, variances = 3000, np.linspace(1, 2, 8)
    basis = np.linalg.qr(rng.standard_normal((dim, 8)))[0]
    law, calls = LinearScore(variances, basis), []

    class Counted:
        def score(self, x, r):
            calls.append(len(x))
            return law.score(x, r)

    for method, most in (("lanczos", 200), ("randomized", 400)):
        calls.clear()
        spectrum = jacobian_spectrum(Counted(), np.zeros(dim), 0.01, 8, method=method, rng=rng)
        np.testing.assert_allclose(spectrum, -1 / (variances[::-1] + 0.01), rtol=1e-5)
        assert sum(calls) < most


@pytest.mark.parametrize("method", ["exact", "lanczos", "randomized"])
def test_curved_manifold_and_empirical_score(method, rng):
    """Differences of the score find the eigenvalues that the exact posterior covariances have."""
    law = Sphere(intrinsic_dim=2, ambient_dim=6)
    points = law.sample(30, rng)
    r, x = 0.05, points[0] + 0.2 * rng.standard_normal(6)
    for score in (law, EmpiricalScore(points)):
        covariance = np.linalg.eigvalsh(score.posterior_covariance(x, r))[::-1][:2]
        spectrum = jacobian_spectrum(score.score, x, r, 2, method=method, rng=rng)
        np.testing.assert_allclose(1 + r * spectrum, covariance / r, rtol=1e-5, atol=1e-7)


def test_asymmetric_jacobian_counts_by_its_symmetric_part(rng):
    matrix = rng.standard_normal((12, 12)) / 12 - np.eye(12)

    class Network(torch.nn.Module):
        def forward(self, x, level):
            return x @ torch.from_numpy(matrix).T

    score = ScoreNetwork.from_module(Network(), ambient_dim=12, predicts="score")
    exact = np.sort(np.linalg.eigvalsh((matrix + matrix.T) / 2))[::-1]
    for method in METHODS:
        spectrum = jacobian_spectrum(score, np.zeros(12), 1.0, 3, method=method, rng=rng)
        np.testing.assert_allclose(spectrum, exact[:3], atol=1e-7)
    jacobian = ScoreJacobian(score, np.zeros(12), 1.0)
    np.testing.assert_allclose(jacobian.matrix(), matrix, atol=1e-12)
    v = rng.standard_normal((2, 12))
    np.testing.assert_allclose(jacobian.product(v), v @ matrix.T, atol=1e-12)
    np.testing.assert_allclose(jacobian.product(v, transpose=True), v @ matrix, atol=1e-12)


def test_negative_eigenvalues_of_a_network_are_not_mistaken_for_large_ones(rng):
    """∂m/∂x of a trained network may reach from 1 to about -1: the k largest are wanted, not the k largest in size."""
    shrinkage = np.linspace(1, -0.95, 60)
    frame = np.linalg.qr(rng.standard_normal((60, 60)))[0]
    jacobian = frame * (shrinkage - 1) / 0.2 @ frame.T

    def score(x, r):
        return x @ jacobian

    for method in METHODS:
        spectrum = jacobian_spectrum(score, np.zeros(60), 0.2, 8, method=method, rng=rng)
        np.testing.assert_allclose(1 + 0.2 * spectrum, shrinkage[:8], atol=1e-7)


def test_trace_exact_and_by_probes(basis, rng):
    exact = -np.sum(1 / (VARIANCES + 0.1)) - (DIM - 3) / 0.1
    for score in scores(basis).values():
        jacobian = ScoreJacobian(score, np.ones(DIM), 0.1)
        assert jacobian.trace() == pytest.approx(exact, rel=1e-8)
        assert jacobian.trace(rng, DIM) == pytest.approx(exact, rel=1e-8)
    estimates = np.array([jacobian.trace(rng, 4) for _ in range(400)])
    assert abs(estimates.mean() - exact) < 4 * estimates.std(ddof=1) / 20


def test_zero_vector_has_zero_product(basis):
    product = ScoreJacobian(scores(basis)["function"], np.ones(DIM), 0.1).product(np.zeros((1, DIM)))
    np.testing.assert_array_equal(product, np.zeros((1, DIM)))


def test_gaps_separate_the_variances_of_the_law(basis):
    r = 0.03
    eigenvalues = jacobian_spectrum(LinearScore([2.0, 0.03, 0.03], basis), np.zeros(DIM), r)
    first, second = measured_gaps(eigenvalues, r)
    # r/(r+γ_b) - r/(r+γ_a): ½ between nothing and 0.03, ½ - 0.03/2.03 between 0.03 and 2
    assert (first.dimension, second.dimension) == (3, 1)
    assert first.size == pytest.approx(0.5, abs=1e-9)
    assert second.size == pytest.approx(0.5 - 0.03 / 2.03, abs=1e-9)
    assert first.place == pytest.approx(-0.75, abs=1e-9)
    assert measured_gaps(eigenvalues[::-1], r, least=0.4999) == [first]


class Rotating:
    """A score whose Jacobian keeps changing: no subspace settles, before it is the whole space."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def score(self, x, r):
        return x * self.rng.standard_normal(x.shape)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "power"}, "method = 'power'"),
        ({"k": DIM, "method": "lanczos"}, f"k = {DIM}: must be < D"),
        ({"k": DIM + 1}, f"must be ≤ D = {DIM}"),
        ({"k": 0}, "k = 0"),
        ({"k": 2, "method": "lanczos", "rng": None}, "rng = None"),
        ({"r": -1.0}, "r = -1.0"),
        ({"x": np.zeros((2, DIM))}, "x = "),
        ({"score": 3}, "score = 3"),
        ({"score": lambda x, r: x[:, :2]}, "has shape"),
        ({"score": lambda x, r: x * np.nan}, "finite"),
        ({"score": Rotating(), "x": np.ones(600), "k": 1, "method": "randomized"}, "residual"),
    ],
)
def test_bad_arguments(changes, message, basis, rng):
    arguments = {"score": LinearScore(VARIANCES, basis), "x": np.zeros(DIM), "r": 0.1, "rng": rng, **changes}
    with pytest.raises(ValueError, match=message):
        jacobian_spectrum(**arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: measured_gaps([1.0], 1.0), "eigenvalues has shape"),
        (lambda: measured_gaps([1.0, 2.0], 1.0, least=0.0), "least = 0.0"),
        (lambda: ScoreJacobian(LinearScore([1.0]), [0.0], 1.0, step=0.0), "step = 0.0"),
        (lambda: ScoreJacobian(LinearScore([1.0]), [0.0], 1.0).trace(np.random.default_rng(0), 2), "probes = 2"),
        (lambda: ScoreJacobian(LinearScore([1.0]), [0.0], 1.0).product([0.0, 1.0]), "v has shape"),
    ],
)
def test_more_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
