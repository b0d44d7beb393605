"""Information and dimension from r = 1e-12 to 1e12: finite, ordered, tied by I-MMSE, with the known limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remanifold.manifolds import Linear, Mixture, NormalizedLinear, Product, Sphere, Torus

CENTRES = np.random.default_rng(2).standard_normal((4, 5))
LAWS = {
    "linear": Linear([1.0, 0.3, 1e-6, 0.0], ambient_dim=6),
    "wide linear": Linear([1e-8, 1e8]),
    "two gaussians": Mixture.two_gaussians(5, 0.7, 0.3),
    "two points": Mixture.two_gaussians(2, variance=0.0),
    "four classes": Mixture([Linear([0.5, 0.2], ambient_dim=5, centre=c) for c in CENTRES], [1.0, 2.0, 3.0, 4.0]),
    "one class": Mixture([Linear([0.5, 0.2])]),
    "sphere": NormalizedLinear([1.0] * 4),
    "published": NormalizedLinear.two_subspaces(),
    "circle": Sphere(1),
    "large sphere": Sphere(9, 30.0, ambient_dim=12),
    "torus": Torus([1.0, 0.02], ambient_dim=6),
    "product": Product([Sphere(2), Linear([0.5, 0.0])]),
}
log_ratio = st.floats(-12, 12)


@pytest.mark.parametrize("name", LAWS)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(a=log_ratio, b=log_ratio)
def test_information_decreases_and_is_not_negative(name, a, b):
    law, r = LAWS[name], np.sort(10.0 ** np.array([a, b, -12.0, 12.0]))
    information, dimension = law.information(r), law.dimension(r)
    assert np.all(np.isfinite(information))
    assert np.all(information >= 0)
    assert np.all(np.diff(information) <= 1e-11 * information[:-1])
    assert np.all(np.isfinite(dimension))
    assert np.all(dimension >= 0)
    x = law.sample(3, np.random.default_rng(0)) + math.sqrt(r[1])
    for quantity in (law.log_partition, law.posterior_mean, law.posterior_covariance, law.score, law.local_divergence):
        assert np.all(np.isfinite(quantity(x, r[1])))
    assert np.all(law.log_partition(x, r[1]) <= 0)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("r", [1e-6, 1e-2, 0.3, 2.0, 1e3])
def test_i_mmse(name, r):
    """dI/d ln r = -d/2, by a five-point rule."""
    law, h = LAWS[name], 0.02
    i = law.information(r * np.exp(h * np.array([-2, -1, 1, 2])))
    slope = (8 * (i[2] - i[1]) - (i[3] - i[0])) / (12 * h)
    tolerance = 1e-6 if name not in ("four classes", "sphere", "published") else 1e-2
    assert -2 * slope == pytest.approx(float(law.dimension(r)), rel=tolerance, abs=1e-9)


@pytest.mark.parametrize("name", LAWS)
def test_gap_at_its_own_noise_is_the_information(name):
    law, r = LAWS[name], np.array([[1e-3, 0.1], [5.0, 1e3]])
    information = law.information(r)
    assert information.shape == law.dimension(r).shape == (2, 2)
    np.testing.assert_allclose(law.free_energy_gap(r, r), information, rtol=1e-2, atol=1e-9)
    np.testing.assert_allclose(law.mean_local_divergence(r, r), information, rtol=1e-2, atol=1e-9)
    assert law.information(0.1) == pytest.approx(information[0, 1])


@pytest.mark.parametrize(
    ("name", "dimension"),
    [
        ("wide linear", 2),
        ("two gaussians", 5),
        ("four classes", 2),
        ("two points", 0),
        ("sphere", 3),
        ("published", 29),
        ("circle", 1),
        ("large sphere", 9),
        ("torus", 2),
        ("product", 3),
    ],
)
def test_dimension_at_small_noise_is_the_intrinsic_one(name, dimension):
    law = LAWS[name]
    assert float(law.dimension(1e-12)) == pytest.approx(dimension, abs=2e-3)
    assert law.intrinsic_dim == dimension
    assert float(law.dimension(1e12)) == pytest.approx(0, abs=1e-3)


def test_mixture_information_by_its_chain_rule_and_limits():
    law = LAWS["four classes"]
    entropy = -np.sum(law.weights * np.log(law.weights))
    assert law.class_information(1e-9) == pytest.approx(entropy, rel=1e-6)
    assert law.information(1e-9) == pytest.approx(float(Linear([0.5, 0.2]).information(1e-9)) + entropy, rel=1e-9)
    assert LAWS["two points"].information(1e-3) == pytest.approx(math.log(2), rel=1e-12)
    assert LAWS["one class"].information(0.1) == pytest.approx(float(Linear([0.5, 0.2]).information(0.1)), rel=1e-12)


@pytest.mark.parametrize(("dim", "curvature"), [(2, -0.25), (3, 0.5), (4, 2.25)])
def test_sphere_at_small_noise(dim, curvature):
    """I = ln V - (d/2) ln 2πe r + c r on S^d; V = 2π, 4π, 2π² and c = d²/2 - 3d/4."""
    d, r = dim - 1, 1e-3
    volume = {2: 2 * math.pi, 3: 4 * math.pi, 4: 2 * math.pi**2}[dim]
    expected = math.log(volume) - d / 2 * math.log(2 * math.pi * math.e * r) + curvature * r
    assert NormalizedLinear([1.0] * dim).information(r) == pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize("variance", [1.0, 4.0])
@pytest.mark.parametrize(("latent", "ambient"), [(400, 100), (100, 400)])
def test_random_matrix_spectrum(latent, ambient, variance):
    """Marchenko–Pastur: rank min(m, D), edges variance (1 ± √(D/m))², mean, and the second moment 1 + D/m."""
    law = Linear.random_matrix(latent, ambient, np.random.default_rng(6), variance=variance)
    rank, aspect = min(latent, ambient), ambient / latent
    assert law.ambient_dim == ambient
    assert law.intrinsic_dim == rank == len(law.variances)
    edges = variance * (1 + np.array([-1, 1]) * math.sqrt(aspect)) ** 2
    assert np.all((law.variances > 0.85 * edges[0]) & (law.variances < 1.08 * edges[1]))
    assert law.variances.sum() / ambient == pytest.approx(variance, rel=0.03)
    second = np.sum(law.variances**2) / ambient
    assert second == pytest.approx(variance**2 * (1 + aspect), rel=0.05)
    sample = law.sample(20000, np.random.default_rng(7))
    projected = np.var(sample @ law.direction(0))
    assert projected == pytest.approx(law.variances[0], rel=0.05)


@pytest.mark.parametrize("law", [Linear([1.0, 0.2, 0.2]), NormalizedLinear([1.0, 0.2, 0.2])])
def test_only_the_shape_of_normalized_variances_matters(law):
    scaled = type(law)(4.0 * law.variances)
    same = isinstance(law, NormalizedLinear)
    assert (float(scaled.information(0.3)) == pytest.approx(float(law.information(0.3)), rel=1e-12)) == same
    if same:
        np.testing.assert_allclose(np.linalg.norm(law.sample(50, np.random.default_rng(0)), axis=1), 1)


def test_two_subspaces_has_the_published_deviations():
    law = NormalizedLinear.two_subspaces()
    np.testing.assert_allclose(np.sqrt(law.variances), [1.0] * 2 + [0.3] * 5 + [0.01] * 23)
    assert law.ambient_dim == 30
    assert law.intrinsic_dim == 29
