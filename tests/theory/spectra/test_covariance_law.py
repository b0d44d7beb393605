"""Covariance laws of random linear manifolds: discriminants in 40 digits, quadrature of the density, closed forms."""

import math

import mpmath
import numpy as np
import pytest
import sympy
from scipy import stats

from remanifold.theory.spectra import covariance_law, marchenko_pastur

mp = mpmath.mp.clone()
mp.dps = 40

# variances, weights, m/D: two bulks, merged bulks, more columns than dimensions, hard edge, extreme ratios and shares
CASES = [
    ([1.0, 0.01], [0.25, 0.75], 0.4),
    ([1.0, 0.01], [0.75, 0.25], 0.4),
    ([1.0, 0.5], [0.5, 0.5], 0.4),
    ([1.0, 0.09], [0.3, 0.7], 3.0),
    ([1.0, 0.25], [0.5, 0.5], 1.0),
    ([1.0, 1e-6], [0.5, 0.5], 0.4),
    ([1.0, 1e-6], [0.1, 0.9], 4.0),
    ([1.0, 1e-6], [0.9, 0.1], 1.0),
    ([2.0, 1.0], [1e-7, 1 - 1e-7], 0.1),
    ([4.0, 1.0, 0.01], [0.2, 0.3, 0.5], 0.1),
]
SMALL = CASES[:8]  # two variances of comparable share: densities without narrow peaks


def bulk_integral(function, low, high, nodes=400):
    """∫ over one bulk, x = low + (high - low) sin²(θ/2), midpoint rule: geometric for square-root edges."""
    theta = (np.arange(nodes) + 0.5) * math.pi / nodes
    x = low + (high - low) * np.sin(theta / 2) ** 2
    return np.sum(function(x) * np.sin(theta)) * 0.5 * (high - low) * math.pi / nodes


def integral(law, function):
    return sum(bulk_integral(lambda x: law.density(x) * function(x), low, high) for low, high in law.edges)


def silverstein_polynomial(variances, weights, aspect):
    """Polynomial in g, exact rational coefficients: (z + 1/g - Σ w τ/(1 + τ g D/m)) g Π(1 + τ g D/m) = 0."""
    g, z = sympy.symbols("g z")
    ratio = sympy.Rational(aspect)
    terms = [(sympy.Rational(t), sympy.Rational(w)) for t, w in zip(variances, weights, strict=True)]
    total = sum(w for _, w in terms)
    product = sympy.prod([1 + t * g / ratio for t, _ in terms])
    pull = sum(w / total * t * g * sympy.cancel(product / (1 + t * g / ratio)) for t, w in terms)
    return sympy.Poly(sympy.expand((z * g + 1) * product - pull), g), z


@pytest.mark.parametrize(("variances", "weights", "aspect"), CASES)
def test_edges_are_roots_of_the_discriminant(variances, weights, aspect):
    polynomial, z = silverstein_polynomial(variances, weights, aspect)
    discriminant = sympy.Poly(polynomial.discriminant(), z)
    roots = [complex(root) for root in sympy.Poly(sympy.sqf_part(discriminant.as_expr()), z).nroots(n=40, maxsteps=500)]
    exact = sorted(root.real for root in roots if abs(root.imag) < 1e-25 and root.real > 1e-25)
    law = covariance_law(variances, weights, aspect=aspect)
    edges = law.edges.ravel()
    if aspect == 1:
        assert edges[0] == 0
        edges = edges[1:]
    np.testing.assert_allclose(edges, exact, rtol=1e-12)


@pytest.mark.parametrize(("variances", "weights", "aspect"), CASES)
def test_stieltjes_transform_solves_the_equation_everywhere(variances, weights, aspect):
    """Off the axis, on it, and within 1e-14 of every edge; Im g > 0 leaves one root, so the residual proves it."""
    law = covariance_law(variances, weights, aspect=aspect)
    rng = np.random.default_rng(0)
    top = law.edges[-1, 1]
    near = [
        edge * (1 + side * 10.0**-k) for edge in law.edges.ravel() if edge for k in range(2, 15) for side in (-1, 1)
    ]
    z = np.concatenate([
        near,
        np.array(near) + 1j * 10 ** rng.uniform(-14, 0, len(near)) * np.array(near),
        top * rng.uniform(-1, 2, 200) + 1j * top * 10 ** rng.uniform(-14, 3, 200),
        -(10.0 ** rng.uniform(-6, 6, 50)),
    ])  # fmt: skip
    g = law.stieltjes(z)
    assert np.all(g.imag[z.imag > 0] > 0)
    off = z.imag > 0
    np.testing.assert_array_equal(law.stieltjes(z[off].conj()), law.stieltjes(z[off]).conj())
    shares = np.array(weights) / np.sum(weights)
    for point, value in zip(z, g, strict=True):
        exact = mp.mpc(value)
        terms = [mp.mpf(w) * t / (1 + mp.mpf(t) / aspect * exact) for t, w in zip(variances, shares, strict=True)]
        size = abs(1 / exact) + sum(abs(term) for term in terms)
        assert abs(mp.mpc(point) + 1 / exact - sum(terms)) < 1e-12 * size


@pytest.mark.parametrize(("variances", "weights", "aspect"), SMALL)
def test_density_integrates_to_weights_moments_and_transform(variances, weights, aspect):
    law = covariance_law(variances, weights, aspect=aspect)
    for (low, high), weight in zip(law.edges, law.weights, strict=True):
        assert bulk_integral(law.density, low, high) == pytest.approx(weight, rel=1e-9)
    assert law.weights.sum() + law.atom == pytest.approx(1, abs=1e-13)
    for k, moment in enumerate(law.moments(5)[1:], start=1):
        assert integral(law, lambda x, k=k: x**k) == pytest.approx(moment, rel=1e-9)
    for z in (-0.3, 1 + 0.5j, 0.02 - 0.1j):
        transform = integral(law, lambda x, z=z: (1 / (x - z)).real) + 1j * integral(
            law, lambda x, z=z: (1 / (x - z)).imag
        )
        assert law.stieltjes(z) == pytest.approx(transform - law.atom / z, rel=1e-9)
    for x in law.edges.mean(axis=1):  # the counting function is closed in u, its slope is the density
        step = 1e-4 * x
        slope = (law.cumulative(x + step) - law.cumulative(x - step)) / (2 * step)
        assert slope == pytest.approx(float(law.density(x)), rel=1e-6)


@pytest.mark.parametrize(("variances", "weights", "aspect"), SMALL)
def test_log_determinant_and_dimension_by_quadrature(variances, weights, aspect):
    law = covariance_law(variances, weights, aspect=aspect)
    for r in (1e-3, 0.1, 1.0, 50.0):
        assert law.information(r) == pytest.approx(integral(law, lambda x, r=r: 0.5 * np.log1p(x / r)), rel=1e-9)
        assert law.dimension(r) == pytest.approx(integral(law, lambda x, r=r: x / (x + r)), rel=1e-9)


def test_exact_separation():
    """m = 40 of D = 100: 10 directions of variance 1, 30 of 0.01, and the 60 that are left."""
    law = covariance_law([1.0, 0.01], [0.25, 0.75], aspect=0.4)
    np.testing.assert_allclose([law.atom, *law.weights], [0.6, 0.3, 0.1], rtol=1e-13)
    np.testing.assert_allclose(law.cumulative([-1.0, 0.0, 0.5, 9.0]), [0, 0.6, 0.9, 1], atol=1e-13)
    full = covariance_law([1.0, 1e-4], [0.1, 0.9], aspect=4.0)  # 400 columns, 40 of them strong, in 100 dimensions
    np.testing.assert_allclose([full.atom, *full.weights], [0, 0.6, 0.4], atol=1e-13)


@pytest.mark.parametrize("aspect", [1e-3, 0.4, 0.999, 1.0, 1.001, 2.5, 1e3])
@pytest.mark.parametrize("of", ["columns", "rows"])
def test_one_variance_is_marchenko_pastur(aspect, of):
    closed, law = marchenko_pastur(aspect, 1.7), covariance_law([1.7, 1.7, 1.7], aspect=aspect, of=of)
    r = np.geomspace(1e-12, 1e12, 60)
    np.testing.assert_allclose(law.information(r), closed.information(r), rtol=1e-11)
    np.testing.assert_allclose(law.dimension(r), closed.dimension(r), rtol=1e-11)
    np.testing.assert_allclose(law.edges, closed.edges, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(law.weights, closed.weights, rtol=1e-13 * max(1, aspect))
    assert law.atom == pytest.approx(closed.atom, abs=1e-13)
    low, high = closed.edges[0]
    inside = low + (high - low) * np.linspace(0.001, 0.999, 50)
    np.testing.assert_allclose(law.density(inside), closed.density(inside), rtol=1e-10)


@pytest.mark.parametrize("aspect", ["0.001", "0.4", "0.999999", "1", "1.000001", "30"])
def test_marchenko_pastur_against_forty_digits(aspect):
    a, variance = mp.mpf(float(aspect)), mp.mpf("0.7")
    law = marchenko_pastur(float(a), float(variance))
    low, high = (variance * (1 - s * mp.sqrt(1 / a)) ** 2 for s in (1, -1))
    np.testing.assert_allclose(law.edges[0], [float(low), float(high)], rtol=1e-12)

    def average(f):  # γ = σ²|1 + e^{iθ}/√a|², so that the weight is sin²θ/γ
        gamma = lambda t: variance * ((1 - 1 / mp.sqrt(a)) ** 2 + 4 / mp.sqrt(a) * mp.cos(t / 2) ** 2)  # noqa: E731
        return (
            2 * variance / mp.pi * mp.quad(lambda t: f(gamma(t)) * mp.sin(t) ** 2 / gamma(t), mp.linspace(0, mp.pi, 9))
        )

    for r in (1e-3, 0.1, 2.0):
        exact = average(lambda x, r=r: mp.log1p(x / r) / 2)
        assert law.information(r) == pytest.approx(float(exact), rel=1e-10)
        assert law.mean(lambda x, r=r: 0.5 * np.log1p(x / r)) == pytest.approx(float(exact), rel=1e-10)


@pytest.mark.parametrize("aspect", [0.1, 0.4, 0.9, 1.0, 1.3, 20.0])
def test_marchenko_pastur_density_and_means(aspect):
    law, (low, high) = marchenko_pastur(aspect, 3.0), marchenko_pastur(aspect, 3.0).edges[0]
    moments = [min(1, aspect), 3.0, 9 * (1 + 1 / aspect)]
    for k, moment in enumerate(moments):
        assert bulk_integral(lambda x, k=k: law.density(x) * x**k, low, high) == pytest.approx(moment, rel=1e-9)
        assert law.mean(lambda x, k=k: x**k) == pytest.approx(moment if k else 1.0, rel=1e-12)  # with the atom
    for r in (0.1, 1.0):
        assert law.dimension(r) == pytest.approx(law.mean(lambda x, r=r: x / (x + r)), rel=1e-12)


def test_quoted_value_of_the_linear_hidden_manifold():
    """y = W z/√d with D/d = 2 at r = 0.1: 1.3901 nats per latent dimension in the theory notes is 1.39023."""
    law = marchenko_pastur(0.5)
    eigenvalues = mp.quad(
        lambda x: mp.log1p(10 * x) / 2 * mp.sqrt((mp.mpf(3) + 2 * mp.sqrt(2) - x) * (x - 3 + 2 * mp.sqrt(2))) / x,
        [3 - 2 * mp.sqrt(2), 1, 3, 3 + 2 * mp.sqrt(2)],
    )
    assert law.information(0.1) / law.aspect == pytest.approx(float(eigenvalues / (2 * mp.pi)), rel=1e-10)
    assert law.information(0.1) / law.aspect == pytest.approx(1.390231046831, rel=1e-10)


def test_limits_of_the_noise():
    law = covariance_law([1.0, 1e-6], [0.5, 0.5], aspect=0.4)
    assert law.dimension(1e-18) == pytest.approx(0.4, rel=1e-10)
    assert law.dimension(1e-3) == pytest.approx(0.2, rel=0.01)  # the weak half is below the noise
    for r in (1e8, 1e100):
        assert law.information(r) == pytest.approx(0.5 * law.moments(1)[1] / r, rel=1e-7)
    full = covariance_law([1.0, 0.2], aspect=3.0)  # ½ ln det F Fᵀ - ½ ln r at small noise
    assert full.information(1e-200) - full.information(1e-210) == pytest.approx(-5 * math.log(10), rel=1e-12)
    assert full.dimension(1e-300) == pytest.approx(1, rel=1e-13)


def test_a_vanishing_share_is_an_outlier_of_known_place():
    """A column of strength t in a sea of rate c, jump s stands at t + c s t/(t - s) (Baik and others 2005)."""
    law = covariance_law([5.0, 1.0], [1e-10, 1 - 1e-10], aspect=0.5)
    t, s, c = 10.0, 2.0, 0.5
    assert len(law.edges) == 2
    assert law.edges[1].mean() == pytest.approx(t + c * s * t / (t - s), rel=1e-8)
    np.testing.assert_allclose(law.edges[0], marchenko_pastur(0.5).edges[0], rtol=1e-8)
    assert law.weights[1] == pytest.approx(0.5e-10, rel=1e-12)


def test_hard_edge_and_zero_variances():
    law = covariance_law([1.0, 0.25], aspect=1.0)
    assert law.edges[0, 0] == 0 == law.atom
    assert law.density(0.0) == np.inf
    ratio = law.density(1e-12) / law.density(4e-12)
    assert ratio == pytest.approx(2, rel=1e-5)  # γ^{-1/2}
    with pytest.raises(ValueError, match=r"^z = .*must not be 0"):
        law.stieltjes(0.0)
    padded = covariance_law([1.0, 0.01, 0.0], [0.2, 0.3, 0.5], aspect=0.8)  # half of the columns vanish
    same = covariance_law([0.5, 0.005], [0.4, 0.6], aspect=0.4)
    np.testing.assert_allclose(padded.edges, same.edges, rtol=1e-13, atol=1e-13 * same.edges.max())
    assert padded.atom == pytest.approx(0.6)
    assert padded.information(0.03) == pytest.approx(float(same.information(0.03)), rel=1e-13)


@pytest.mark.parametrize(
    ("distribution", "aspect"),
    [
        (stats.uniform(0.5, 1.0), 0.4),
        (stats.uniform(0.0, 1.0), 2.0),
        (stats.loguniform(0.01, 1.0), 0.4),
        (stats.beta(0.5, 0.5, loc=1.0), 0.05),
        (stats.truncnorm(-1, 1, loc=2, scale=0.5), 1.0),
    ],
)
@pytest.mark.parametrize("of", ["columns", "rows"])
def test_continuous_variances_against_many_discrete_ones(distribution, aspect, of):
    if of == "rows":
        aspect = 1 / aspect
    law = covariance_law(distribution, aspect=aspect, of=of)
    assert 0 < law.quadrature_error < 1e-8
    share = (np.arange(1000) + 0.5) / 1000
    midpoint = covariance_law(distribution.ppf(share), aspect=aspect, of=of)
    r = np.array([0.01, 0.3, 5.0])
    np.testing.assert_allclose(law.information(r), midpoint.information(r), rtol=2e-5)
    assert len(law.edges) == 1
    low, high = law.edges[0]
    assert bulk_integral(law.density, low, high) == pytest.approx(1 - law.atom, rel=1e-8)
    assert law.moments(1)[1] == pytest.approx(distribution.mean(), rel=1e-10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variances": [1.0], "aspect": 0.0}, "^aspect = 0.0: must be > 0"),
        ({"variances": [1.0], "aspect": [1.0, 2.0]}, "^aspect = .*must be one number"),
        ({"variances": [-1.0], "aspect": 1.0}, "^variances = .*must be ≥ 0"),
        ({"variances": [0.0], "aspect": 1.0}, "^variances = .*at least one of them > 0"),
        ({"variances": [], "aspect": 1.0}, "^variances = .*at least one"),
        ({"variances": [1.0, math.nan], "aspect": 1.0}, "^variances = .*finite"),
        ({"variances": [1.0, 2.0], "weights": [1.0], "aspect": 1.0}, "^weights = .*shape of variances"),
        ({"variances": [1.0, 2.0], "weights": [1.0, 0.0], "aspect": 1.0}, "^weights = .*must be > 0"),
        ({"variances": [1.0], "aspect": 1.0, "of": "entries"}, "^of = 'entries': must be one of columns, rows"),
        ({"variances": stats.uniform(1, 2), "weights": [1.0], "aspect": 1.0}, "^weights = .*left out"),
        ({"variances": stats.expon(), "aspect": 1.0}, "^variances = .*bounded support"),
        ({"variances": stats.uniform(-1, 2), "aspect": 1.0}, "^variances = .*bounded support"),
        ({"variances": stats.uniform(0, 1), "aspect": 0.5}, "^variances = .*reaches 0"),
        ({"variances": stats.uniform(1, 2), "aspect": 3e-3}, "^aspect = 0.003: 1024 nodes do not resolve"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        covariance_law(**arguments)


def test_bad_points():
    law = covariance_law([1.0, 0.1], aspect=0.4)
    for call, name in [(law.information, "r"), (law.dimension, "r"), (law.density, "gamma"), (law.cumulative, "gamma")]:
        with pytest.raises(ValueError, match=rf"^{name} = .*must be"):
            call([1.0, math.nan])
    with pytest.raises(ValueError, match=r"^z = .*finite"):
        law.stieltjes(complex(1, math.inf))
    with pytest.raises(ValueError, match=r"^r = .*must be > 0"):
        marchenko_pastur(0.4).information(0.0)
    with pytest.raises(ValueError, match=r"^variance = -1.0"):
        marchenko_pastur(0.4, -1.0)
    with pytest.raises(ValueError, match=r"^function = .*smooth"):
        marchenko_pastur(0.4).mean(lambda x: (x > 1).astype(float))
