"""Pointwise quantities against grids that hold the whole law, finite differences and self-normalised sampling."""

import math

import numpy as np
import pytest

from remanifold.manifolds import Linear, Mixture, NormalizedLinear

AXIS = np.linspace(-9, 9, 721)  # in standard deviations; the trapezoid rule is exact to rounding


def gaussian_grid(variances):
    """Points (n, k) and weights (n,) of a Gaussian in one or two dimensions."""
    axes = [AXIS * math.sqrt(v) for v in variances]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(variances))
    weights = np.exp(-0.5 * np.sum(points**2 / np.asarray(variances), axis=1))
    return points, weights / weights.sum()


def mixture_grid(centres, variances, weights):
    grids = [gaussian_grid(variances) for _ in centres]
    points = np.concatenate([p + c for (p, _), c in zip(grids, centres, strict=True)])
    return points, np.concatenate([w * share for (_, w), share in zip(grids, weights, strict=True)])


def circle_grid(variances):
    """The angle of w ~ N(0, diag λ) has density ∝ 1/(cos²/λ_1 + sin²/λ_2)."""
    angle = np.linspace(0, 2 * np.pi, 20000, endpoint=False)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    weights = 1 / (points**2 @ (1 / np.asarray(variances)))
    return points, weights / weights.sum()


CENTRES = np.array([[1.5, 0.0], [-1.0, 0.5], [0.2, -2.0]])
SMALL = {
    "line": (Linear([0.7]), gaussian_grid([0.7])),
    "plane": (Linear([1.0, 0.3]), gaussian_grid([1.0, 0.3])),
    "two classes": (Mixture.two_gaussians(1, 1.2, 0.5), mixture_grid([[1.2], [-1.2]], [0.5], [0.5, 0.5])),
    "three classes": (
        Mixture([Linear([0.4, 0.2], centre=c) for c in CENTRES], [0.5, 0.3, 0.2]),
        mixture_grid(CENTRES, [0.4, 0.2], [0.5, 0.3, 0.2]),
    ),
    "circle": (NormalizedLinear([3.0, 3.0]), circle_grid([1.0, 1.0])),
    "uneven circle": (NormalizedLinear([1.0, 0.05]), circle_grid([1.0, 0.05])),
}


@pytest.mark.parametrize("r", [0.02, 0.3, 1.0, 20.0])
@pytest.mark.parametrize("name", SMALL)
def test_grid_holds_the_whole_law(name, r):
    law, (points, weights) = SMALL[name]
    x = np.array([[0.4, -0.9], [2.0, 1.0], [0.0, 0.0]])[:, : law.ambient_dim]
    for at in x:
        energy = np.sum((points - at) ** 2, axis=1) / (2 * r)
        lowest = energy.min()
        tilted = weights * np.exp(lowest - energy)
        total = tilted.sum()
        log_partition = math.log(total) - lowest
        tilted /= total
        mean = tilted @ points
        covariance = (points - mean).T @ ((points - mean) * tilted[:, None])
        divergence = -tilted @ energy - log_partition
        close = {"rtol": 1e-9, "atol": 1e-11}
        np.testing.assert_allclose(law.log_partition(at, r), log_partition, **close)
        np.testing.assert_allclose(law.posterior_mean(at, r), mean, **close)
        np.testing.assert_allclose(law.posterior_covariance(at, r), covariance, **close)
        np.testing.assert_allclose(law.local_divergence(at, r), divergence, rtol=1e-8, atol=1e-10)
        density = log_partition - law.ambient_dim / 2 * math.log(2 * math.pi * r)
        np.testing.assert_allclose(law.log_density(at, r), density, **close)
        assert law.leading_posterior_variance(at, r) == pytest.approx(np.linalg.eigvalsh(covariance)[-1], rel=1e-8)


def embedded(seed):
    rng = np.random.default_rng(seed)
    return {"rng": rng, "ambient_dim": 6, "centre": rng.standard_normal(6)}


ROTATED = np.linalg.qr(np.random.default_rng(9).standard_normal((5, 2)))[0]
LAWS = {
    "linear": Linear([1.0, 0.3, 0.3, 0.01]),
    "linear in six": Linear([1.0, 0.3, 0.1], **embedded(1)),
    "flat directions": Linear([1.0, 0.0, 0.5], ambient_dim=4),
    "two gaussians": Mixture.two_gaussians(5, 0.7, 0.3),
    "classes off the span": Mixture(
        [Linear([0.5, 0.2], basis=ROTATED, centre=c) for c in np.random.default_rng(2).standard_normal((4, 5))],
        [1.0, 2.0, 3.0, 4.0],
    ),
    "sphere": NormalizedLinear([1.0] * 4),
    "angular": NormalizedLinear([1.0, 1.0, 0.2, 0.05, 0.05]),
    "angular in six": NormalizedLinear([1.0, 0.3, 0.3], **embedded(3)),
}
R = [0.05, 0.4, 3.0]


def noisy(law, r, n, seed):
    rng = np.random.default_rng(seed)
    return law.sample(n, rng) + math.sqrt(r) * rng.standard_normal((n, law.ambient_dim))


def central(function, x, step):
    """Four-point derivative of function(points) along every axis at x; the axis comes last."""
    shifts = step * np.eye(len(x))
    far = function(x + 2 * shifts) - function(x - 2 * shifts)
    return np.moveaxis((8 * (function(x + shifts) - function(x - shifts)) - far) / (12 * step), 0, -1)


@pytest.mark.parametrize("r", R)
@pytest.mark.parametrize("name", LAWS)
def test_derivatives(name, r):
    """Score = ∇ ln p_r; C = r ∂m/∂x; J = ∂ score/∂x has the eigenvalues of the spectrum."""
    law = LAWS[name]
    for x in noisy(law, r, 3, 5):
        step = 2e-3 * math.sqrt(r)
        gradient = central(lambda p: law.log_density(p, r), x, step)
        np.testing.assert_allclose(law.score(x, r), gradient, rtol=1e-6, atol=1e-6 / math.sqrt(r))
        jacobian = central(lambda p: law.posterior_mean(p, r), x, step)
        covariance = law.posterior_covariance(x, r)
        np.testing.assert_allclose(covariance, r * jacobian, rtol=1e-6, atol=1e-7 * r)
        spectrum = np.linalg.eigvals((jacobian - np.eye(len(x))) / r).real
        np.testing.assert_allclose(law.jacobian_spectrum(x, r), np.sort(spectrum)[::-1], rtol=1e-5, atol=1e-5 / r)
        np.testing.assert_array_equal(law.jacobian_spectrum(x, r, k=2), law.jacobian_spectrum(x, r)[:2])
        assert law.leading_posterior_variance(x, r) == pytest.approx(np.linalg.eigvalsh(covariance)[-1], rel=1e-7)


@pytest.mark.parametrize("name", LAWS)
def test_one_point_or_many(name):
    law = LAWS[name]
    x = noisy(law, 0.4, 4, 6)
    for quantity in (
        law.log_partition,
        law.log_density,
        law.posterior_mean,
        law.posterior_covariance,
        law.score,
        law.local_divergence,
        law.jacobian_spectrum,
    ):
        many = quantity(x, 0.4)
        assert len(many) == 4
        for i in range(4):
            one = quantity(x[i], 0.4)
            assert np.shape(one) == many.shape[1:]
            np.testing.assert_allclose(one, many[i], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("r", [0.4, 3.0])
@pytest.mark.parametrize("name", LAWS)
def test_self_normalised_sampling(name, r):
    """Every point of ν weighted by its Boltzmann factor, with delta-method errors."""
    law, n = LAWS[name], 200_000
    y = law.sample(n, np.random.default_rng([8, int(10 * r)]))
    for x in noisy(law, r, 2, 7):
        energy = np.sum((y - x) ** 2, axis=1) / (2 * r)
        weight = np.exp(energy.min() - energy)
        weight /= weight.mean()
        log_partition = -energy.min() + math.log(np.mean(np.exp(energy.min() - energy)))
        error = weight.std() / math.sqrt(n)
        assert abs(law.log_partition(x, r) - log_partition) < 4 * error + 1e-10
        mean = (weight @ y) / n
        errors = (weight[:, None] * (y - mean)).std(axis=0) / math.sqrt(n)
        assert np.all(np.abs(law.posterior_mean(x, r) - mean) < 4 * errors + 1e-10)
        square = np.sum((y - mean) ** 2, axis=1)
        spread = weight @ square / n
        error = (weight * (square - spread)).std() / math.sqrt(n)
        assert abs(np.trace(law.posterior_covariance(x, r)) - spread) < 4 * error + 1e-10
        # KL of the tilted law from ν: E q ln q at q = weight
        q_log_q = weight * np.log(np.maximum(weight, 1e-300))
        divergence = q_log_q.mean()
        error = (q_log_q - (1 + divergence) * weight).std() / math.sqrt(n)
        assert abs(law.local_divergence(x, r) - divergence) < 4 * error + 1e-10


@pytest.mark.parametrize("name", LAWS)
def test_local_divergence_is_never_negative(name):
    law = LAWS[name]
    for r in (1e-9, 1e-3, 0.1, 1.0, 1e3, 1e9):
        points = np.concatenate([noisy(law, r, 20, 9), law.mean[None], law.mean[None] + 50.0])
        values = law.local_divergence(points, r)
        assert np.all(np.isfinite(values))
        assert np.all(values >= 0)


@pytest.mark.parametrize("r", R)
@pytest.mark.parametrize("name", LAWS)
def test_averages_by_monte_carlo(name, r):
    """I = -D/2 - E φ = E K, d = E tr C/r, G = E[-|x-y|²/2r - φ]; Sobol sums may be off by a part in a thousand."""
    law, n = LAWS[name], 2_500

    def agree(samples, value):
        error = math.hypot(samples.std(ddof=1) / math.sqrt(n), 1e-3 * abs(value) / 2 + 1e-12)
        assert abs(samples.mean() - value) < 4 * error

    rng = np.random.default_rng([10, int(100 * r)])
    y = law.sample(n, rng)
    x = y + math.sqrt(r) * rng.standard_normal(y.shape)
    energy = np.sum((x - y) ** 2, axis=1) / (2 * r)
    agree(-energy - law.log_partition(x, r), law.information(r))
    agree(-law.ambient_dim / 2 - law.log_partition(x, r), law.information(r))
    agree(law.local_divergence(x, r), law.information(r))
    agree(np.trace(law.posterior_covariance(x, r), axis1=1, axis2=2) / r, law.dimension(r))
    agree(np.sum((law.posterior_mean(x, r) - y) ** 2, axis=1) / r, law.dimension(r))
    for noise in (0.0, 2 * r):
        x = y + math.sqrt(noise) * rng.standard_normal(y.shape)
        energy = np.sum((x - y) ** 2, axis=1) / (2 * r)
        agree(-energy - law.log_partition(x, r), law.free_energy_gap(r, noise))
        agree(law.local_divergence(x, r), law.mean_local_divergence(r, noise))


@pytest.mark.parametrize("name", LAWS)
def test_leading_variance_and_mean_of_a_sample(name):
    law, n = LAWS[name], 100_000
    y = law.sample(n, np.random.default_rng(11))
    assert np.all(np.abs(y.mean(axis=0) - law.mean) < 4.5 * y.std(axis=0) / math.sqrt(n) + 1e-12)
    assert law.leading_variance() == pytest.approx(np.linalg.eigvalsh(np.cov(y.T))[-1], rel=0.03)
