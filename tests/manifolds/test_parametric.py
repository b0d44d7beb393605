"""Parametric manifolds: against spheres that have other formulas, sampling, differences and geometry known in full."""

import math

import numpy as np
import pytest
from sampled_posterior import check_pointwise
from scipy.special import ellipe

from remanifold.manifolds import Parametric, Sphere
from remanifold.theory import collapse, generalization, local_condensation, onset, symmetry_breaking

SHAPES = {
    "ellipse": Parametric.ellipse(1.5, 1.0),
    "ellipsoid": Parametric.ellipsoid(1.5, 1.0, 0.7),
    "helix": Parametric.helix(),
    "swiss roll": Parametric.swiss_roll(),
    "trefoil": Parametric.trefoil(),
    "moebius": Parametric.moebius(),
}
ROUND = [(Parametric.ellipse(1.0, 1.0), Sphere(1)), (Parametric.ellipsoid(1.0, 1.0, 1.0), Sphere(2))]


def around(law, r, rng, n=12):
    y = law.sample(n, rng)
    return y + math.sqrt(r) * rng.standard_normal(y.shape)


@pytest.mark.parametrize(("chart", "sphere"), ROUND)
@pytest.mark.parametrize("r", [1e-12, 1e-7, 1e-2, 1.0, 1e4, 1e12])
def test_posterior_on_a_round_chart_is_that_of_the_sphere(chart, sphere, r):
    x = around(sphere, r, np.random.default_rng(0))
    x = np.vstack([x, 5 * x[:1] / np.linalg.norm(x[0]), np.eye(len(x[0]))[-1]])  # a far point and a pole
    scale = np.maximum(np.abs(sphere.log_partition(x, r)), 1)
    digits = 1e-11 + 2e-16 / r  # a length of 1 is known to 1e-16, which is 1e-16/r in the exponent
    assert np.max(np.abs(chart.log_partition(x, r) - sphere.log_partition(x, r)) / scale) < 1e-10
    np.testing.assert_allclose(chart.posterior_mean(x, r), sphere.posterior_mean(x, r), atol=1e-10)
    expected = sphere.posterior_covariance(x, r)
    assert np.max(np.abs(chart.posterior_covariance(x, r) - expected)) < max(1e-9, digits) * np.max(expected)
    np.testing.assert_allclose(
        chart.local_divergence(x, r), sphere.local_divergence(x, r), rtol=1e-7, atol=min(digits, 1e-4)
    )


@pytest.mark.parametrize(("chart", "sphere"), ROUND)
@pytest.mark.parametrize("r", [1e-9, 1e-2, 0.5, 1e3, 1e12])
def test_averages_on_a_round_chart_are_those_of_the_sphere(chart, sphere, r):
    assert float(chart.information(r)) == pytest.approx(float(sphere.information(r)), rel=2e-3)
    assert float(chart.dimension(r)) == pytest.approx(float(sphere.dimension(r)), rel=2e-3)
    for s in (0.0, 0.5 * r):
        expected = float(sphere.free_energy_gap(r, s))
        assert float(chart.free_energy_gap(r, s)) == pytest.approx(expected, rel=1e-2)


def test_a_point_at_the_centre_of_a_circle_sees_all_of_it():
    circle = SHAPES["ellipse"].ellipse(1.0, 1.0)
    assert float(circle.local_divergence([0.0, 0.0], 1e-12)) == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(circle.posterior_covariance([0.0, 0.0], 1e-12), np.eye(2) / 2, atol=1e-5)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("r", [0.03, 0.5])
def test_pointwise_quantities_agree_with_sampling_and_differences(name, r):
    check_pointwise(SHAPES[name], r, step=1e-4 * math.sqrt(r), score=1e-5, covariance=1e-6)


@pytest.mark.parametrize("name", SHAPES)
def test_every_scale_is_finite_and_ordered(name):
    law = SHAPES[name]
    r = 10.0 ** np.array([-12, -8, -5, -3, -1.5, 0, 2, 6, 12] if law.intrinsic_dim == 1 else [-12, -3, 0, 12])
    information, dimension = law.information(r), law.dimension(r)
    assert np.all(np.isfinite(information))
    assert np.all(information > 0)
    assert np.all(np.diff(information) < 0)
    assert np.all(dimension > 0)
    assert dimension[0] == pytest.approx(law.intrinsic_dim, rel=1e-3)
    # far off only the covariance is seen: I = tr Σ/2r
    assert information[-1] == pytest.approx(0.5 * np.trace(np.cov(law.sample(100_000, RNG).T)) / r[-1], rel=0.03)


RNG = np.random.default_rng(8)


@pytest.mark.parametrize("name", ["ellipse", "moebius"])
@pytest.mark.parametrize("r", [1e-3, 0.1, 3.0])
def test_i_mmse(name, r):
    law, h = SHAPES[name], 0.05
    i = law.information(r * np.exp(h * np.array([-2, -1, 1, 2])))
    slope = (8 * (i[2] - i[1]) - (i[3] - i[0])) / (12 * h)
    assert -2 * slope == pytest.approx(float(law.dimension(r)), rel=1e-2)


def test_volumes_and_curvatures_known_in_closed_form():
    ellipse, helix, roll, strip = (SHAPES[name] for name in ("ellipse", "helix", "swiss roll", "moebius"))
    assert ellipse.volume == pytest.approx(4 * 1.5 * ellipe(1 - 1 / 1.5**2), rel=1e-12)
    rise = 1 / (2 * math.pi)
    assert helix.volume == pytest.approx(6 * math.pi * math.hypot(1, rise), rel=1e-12)
    assert helix.mean_curvature_squared == pytest.approx((1 / (1 + rise**2)) ** 2, rel=1e-8)
    a, c = 1.5, 0.7
    wide = Parametric.ellipsoid(a, a, c)  # oblate: area in closed form
    e = math.sqrt(1 - c**2 / a**2)
    assert wide.volume == pytest.approx(2 * math.pi * a**2 * (1 + (1 / e - e) * math.atanh(e)), rel=1e-11)
    # Gauss–Bonnet: |H|² - |II|² = 2 K for a surface in space, and ∫K = 4π
    body = SHAPES["ellipsoid"]
    gauss = 0.5 * (body.mean_curvature_squared - body.second_fundamental_form_squared) * body.volume
    assert gauss == pytest.approx(4 * math.pi, rel=1e-7)
    # a developable surface is flat: |H|² = |II|²
    assert roll.mean_curvature_squared == pytest.approx(roll.second_fundamental_form_squared, rel=1e-7)
    start, end = 1.5 * math.pi, 4.5 * math.pi
    spiral = [0.5 * (t * math.hypot(1, t) + math.asinh(t)) for t in (start, end)]
    assert roll.volume == pytest.approx(10 * (spiral[1] - spiral[0]), rel=1e-12)
    assert roll.boundary_volume == pytest.approx(2 * (spiral[1] - spiral[0]) + 20, rel=1e-10)
    assert helix.boundary_volume == 2
    assert ellipse.boundary_volume == body.boundary_volume == 0
    u = np.linspace(0, 4 * math.pi, 200_001)  # the strip has one edge, twice around
    edge = strip.chart.points(np.stack([u, np.full(len(u), 0.3)], axis=1))
    assert strip.boundary_volume == pytest.approx(np.sum(np.linalg.norm(np.diff(edge, axis=0), axis=1)), rel=1e-8)


@pytest.mark.parametrize("name", SHAPES)
def test_given_tangents_are_those_of_the_chart(name):
    chart = SHAPES[name].chart
    width = np.diff(chart.box)[:, 0]
    u = chart.box[:, 0] + width * np.random.default_rng(1).uniform(size=(20, chart.dim))
    plain = chart._differences(chart.points, u)
    np.testing.assert_allclose(chart.tangents(u), plain, atol=1e-10 * np.abs(plain).max())


@pytest.mark.parametrize("name", SHAPES)
def test_sampling_is_uniform_and_tangents_are_tangent(name):
    law, rng = SHAPES[name], np.random.default_rng(5)
    y = law.sample(100_000, rng)
    error = y.std(axis=0) / math.sqrt(len(y))
    assert np.all(np.abs(y.mean(axis=0) - law.mean) < 4.5 * error + 1e-12)
    basis = law.tangent_basis(y[0])
    np.testing.assert_allclose(basis.T @ basis, np.eye(law.intrinsic_dim), atol=1e-12)
    r = 1e-8 * law.leading_variance()
    np.testing.assert_allclose(law.posterior_covariance(y[0], r) / r, basis @ basis.T, atol=1e-2)
    with pytest.raises(ValueError, match=r"^y: must be one point of the manifold"):
        law.tangent_basis(y[0] + 0.3)


def test_embedding_changes_nothing():
    plain = Parametric.trefoil()
    moved = Parametric.trefoil(ambient_dim=7, rng=np.random.default_rng(2), centre=np.arange(7.0))
    assert float(moved.information(0.1)) == pytest.approx(float(plain.information(0.1)), rel=1e-12)
    x = np.random.default_rng(3).standard_normal((4, 3))
    lifted = moved.embedding.lift(x)
    np.testing.assert_allclose(moved.log_partition(lifted, 0.2), plain.log_partition(x, 0.2), rtol=1e-10)
    np.testing.assert_allclose(
        moved.posterior_mean(lifted, 0.2), moved.embedding.lift(plain.posterior_mean(x, 0.2)), atol=1e-10
    )


def test_charts_without_complex_step_or_tangents():
    """|·| is not analytic: differences take over; and the chart may be given without any derivative."""

    def arc(u):
        return np.stack([np.cos(u[:, 0]), np.abs(np.sin(u[:, 0]))], axis=1)

    law = Parametric(arc, [(0.5, 2.5)])
    assert law.volume == pytest.approx(2.0, rel=1e-11)
    assert law.mean_curvature_squared == pytest.approx(1.0, rel=1e-6)
    analytic = Parametric(lambda u: np.stack([np.cos(u[:, 0]), np.sin(u[:, 0])], axis=1), [(0.5, 2.5)])
    assert float(law.information(0.01)) == pytest.approx(float(analytic.information(0.01)), rel=1e-8)


def test_density_along_the_manifold():
    """A segment with density ∝ e^{-u²/2}, far inside its ends, is Gaussian: everything is known."""
    law = Parametric(
        lambda u: np.hstack([u, 0 * u]), [(-9.0, 9.0)], density=lambda u: np.exp(-0.5 * u[:, 0] ** 2), log2_nodes=13
    )
    assert law.entropy == pytest.approx(0.5 * math.log(2 * math.pi * math.e), rel=1e-10)
    assert law.density_gradient_squared == pytest.approx(1.0, rel=1e-8)
    assert law.volume == pytest.approx(18)
    for r in (1e-3, 0.1, 1.0, 30.0):
        assert float(law.information(r)) == pytest.approx(0.5 * math.log1p(1 / r), rel=3e-3)
        assert float(law.dimension(r)) == pytest.approx(1 / (1 + r), rel=3e-3)
        assert float(law.local_divergence([0.7, 0.0], r)) == pytest.approx(
            0.5 * (math.log1p(1 / r) - 1 / (1 + r) + 0.49 / (1 + r) ** 2), rel=1e-9
        )


def test_critical_points_through_the_one_interface():
    law, log_n = SHAPES["ellipse"], math.log(200)
    r_c, r_o = collapse(law, log_n=log_n), onset(law, log_n=log_n)
    assert float(law.information(r_c)) == pytest.approx(log_n, rel=1e-9)
    assert generalization(law, log_n=log_n) < r_c < r_o
    assert symmetry_breaking(law) > r_o  # a curve of this size breaks symmetry long before it collapses
    assert local_condensation(law, law.sample(1, np.random.default_rng(0))[0], log_n=log_n) > 0


def three_sphere(u):
    a, b, c = u.T
    across = np.sin(a) * np.sin(b)
    return np.stack([np.cos(a), np.sin(a) * np.cos(b), across * np.cos(c), across * np.sin(c)], axis=1)


THREE = Parametric(three_sphere, [(0.0, np.pi), (0.0, np.pi), (0.0, 2 * np.pi)], closed=[True] * 3, log2_nodes=7)


@pytest.mark.parametrize("r", [1e-12, 1e-6, 1e-2, 0.1, 1.0, 1e12])
def test_three_parameters_by_quasi_monte_carlo(r):
    sphere = Sphere(3)
    x = around(sphere, r, np.random.default_rng(7))
    error = np.maximum(THREE.cubature_error(x, r), 1e-3)
    assert np.all(error < 0.1)
    deviation = np.abs(THREE.log_partition(x, r) - sphere.log_partition(x, r)) / error
    assert np.sqrt(np.mean(deviation**2)) < 2
    deviation = np.abs(THREE.local_divergence(x, r) - sphere.local_divergence(x, r)) / error
    assert np.sqrt(np.mean(deviation**2)) < 2
    assert float(THREE.information(r)) == pytest.approx(float(sphere.information(r)), rel=0.02)
    assert float(THREE.dimension(r)) == pytest.approx(float(sphere.dimension(r)), rel=0.02)
    assert float(THREE.free_energy_gap(r, 0.0)) == pytest.approx(float(sphere.free_energy_gap(r, 0.0)), rel=0.02)


def test_geometry_and_sampling_with_three_parameters():
    assert THREE.volume == pytest.approx(2 * math.pi**2, rel=1e-5)
    assert THREE.mean_curvature_squared == pytest.approx(9, rel=1e-6)
    assert THREE.second_fundamental_form_squared == pytest.approx(3, rel=1e-6)
    assert THREE.boundary_volume == 0
    np.testing.assert_allclose(np.cov(THREE.sample(20_000, np.random.default_rng(0)).T), np.eye(4) / 4, atol=0.01)
    # a slab of space: volume 6, six faces of area 2 (1·2 + 1·3 + 2·3)
    slab = Parametric(lambda u: u.copy(), [(0.0, 1.0), (0.0, 2.0), (0.0, 3.0)])
    assert slab.boundary_volume == pytest.approx(22)
    assert slab.second_fundamental_form_squared == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Parametric.ellipse(0.0, 1.0), "a = 0.0: must be > 0"),
        (lambda: Parametric.moebius(1.0, 2.0), "width = 2: must be < 2"),
        (lambda: Parametric(lambda u: u, [(1.0, 0.0)]), "box = .*lower < upper"),
        (lambda: Parametric(lambda u: u[:, 0], [(0.0, 1.0)]), "chart = .*must turn u"),
        (lambda: Parametric(lambda u: u[:, :1], [(0.0, 1.0)] * 2), "chart = .*at least 2 coordinates"),
        (lambda: Parametric(lambda u: u, [(0.0, 1.0)], closed=[True, False]), "closed = .*one entry for each of 1"),
        (lambda: Parametric(lambda u: u, [(0.0, 1.0)], log2_nodes=0), "log2_nodes = 0"),
        (lambda: Parametric(lambda u: u, [(0.0, 1.0)], density=lambda u: -u[:, 0]).volume, "density: must turn u"),
        (
            lambda: Parametric(lambda u: np.hstack([u, np.sin(1e9 * u)]), [(0.0, 1.0)]).volume,
            "chart, density: must be smooth",
        ),
        (lambda: Parametric.helix().log_partition([0.0, 0.0], 1.0), "x has shape"),
        (lambda: Parametric.helix().information(-1.0), "r = -1.0"),
    ],
)
def test_bad_parametric_input_names_the_argument(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_coordinates_of_rounding_size_are_not_resolved():
    """A circle turned into five dimensions and back: three of its coordinates are 1e-17 and as rough as noise."""
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]

    def chart(u):
        flat = np.concatenate([np.cos(u), np.sin(u), 0 * u, 0 * u, 0 * u], axis=1)
        return flat @ turn.T @ turn

    law = Parametric(chart, [(0, 2 * math.pi)], closed=[True])
    assert law.volume == pytest.approx(2 * math.pi, rel=1e-11)
    assert float(law.log_partition([0.3, 0, 0, 0, 0], 0.1)) == pytest.approx(
        float(Sphere(1).log_partition([0.3, 0], 0.1)), rel=1e-9
    )


def test_a_rough_chart_is_refused_before_it_fills_the_memory():
    rng = np.random.default_rng(0)
    tangents = np.eye(3)[:, :2]

    def chart(u):
        return np.column_stack([u, 1e-3 * rng.standard_normal(len(u))])

    law = Parametric(chart, [(0, 1), (0, 1)], tangents=lambda u: np.broadcast_to(tangents, (len(u), 3, 2)))
    with pytest.raises(ValueError, match="2\\^21 Gauss"):
        law.volume
