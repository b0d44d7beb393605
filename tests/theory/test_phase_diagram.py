"""Phase diagrams against the scalar functions they vectorise, other routes to the same laws, and brute force."""

import math

import mpmath
import numpy as np
import pytest

from remanifold.manifolds import Linear, Mixture, NormalizedLinear, Sphere, Torus
from remanifold.theory import collapse, generalization, onset
from remanifold.theory.finite_size.scaling import information_variance
from remanifold.theory.integrals.smooth_curve import SmoothCurve, covering
from remanifold.theory.integrals.sphere_information import SphereProduct, sphere_divergence
from remanifold.theory.phase_diagram import Phase, collapse_line, critical_lines, noise_plane

LAWS = [Linear([1.0] * 16), Linear([1e-7, 3.0, 3.0, 2e4], ambient_dim=9), Mixture.two_gaussians(6, separation=3.0)]


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_lines_are_the_scalar_functions(law):
    log_n = np.array([0.7, 2.3, 9.0, 27.6])
    lines = critical_lines(law, log_n)
    np.testing.assert_allclose(lines.collapse, [collapse(law, log_n=x) for x in log_n], rtol=1e-10)
    np.testing.assert_allclose(lines.onset, [onset(law, log_n=x) for x in log_n], rtol=1e-10)
    np.testing.assert_allclose(lines.generalization, [generalization(law, log_n=x) for x in log_n], rtol=1e-7)
    seen = collapse_line(law, log_n[None])
    assert seen.ratio.shape == (1, 4)
    np.testing.assert_allclose(seen.ratio[0], lines.collapse, rtol=1e-12)
    np.testing.assert_allclose(seen.dimension[0], law.dimension(lines.collapse), rtol=1e-8)


def test_lines_of_a_sphere_are_those_of_the_integral():
    law, quick = Sphere(2, 0.3, ambient_dim=7), SphereProduct([(2, 0.3, 1)], ambient_dim=7)
    lines = critical_lines(quick, [3.0, 25.0])
    assert lines.collapse[1] == pytest.approx(collapse(law, log_n=25.0), rel=1e-10)
    assert lines.onset[0] == pytest.approx(onset(law, log_n=3.0), rel=1e-10)
    assert lines.generalization[1] == pytest.approx(generalization(law, log_n=25.0), rel=1e-7)


def test_torus_through_bessel_functions():
    law, quick = Torus([1.0, 0.2]), SphereProduct([(1, 1.0, 1), (1, 0.2, 1)])
    r = np.array([1e-12, 1e-3, 0.1, 30.0])
    np.testing.assert_allclose(quick.information(r), law.information(r), rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(quick.free_energy_gap(r), law.free_energy_gap(r, 0.0), rtol=1e-11)
    np.testing.assert_allclose(
        quick.mean_local_divergence(r), law.mean_local_divergence(r, 0.0), rtol=1e-11, atol=1e-12
    )


@pytest.mark.parametrize("dim", [1, 2, 8, 60, 700])
def test_sphere_through_bessel_functions(dim):
    """Against the angular-Gaussian integral, which is another formula for the same law."""
    r = np.array([1e-9, 1e-4, 0.02, 3.0, 200.0])
    np.testing.assert_allclose(
        SphereProduct([(dim, 1.5, 1)]).information(r), Sphere(dim, 1.5).information(r), rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize("kappa", [8000.0, 15000.0])
def test_power_series_beyond_the_largest_float(kappa):
    """In 8000 dimensions the series of M(κ) passes 1e308 where I_ν still underflows (mpmath)."""
    with mpmath.workdps(30):
        bessel = mpmath.besseli(3999, kappa)
        log_mean = mpmath.loggamma(4000) + 3999 * mpmath.log(2 / mpmath.mpf(kappa)) + mpmath.log(bessel)
        exact = kappa * mpmath.besseli(4000, kappa) / bessel - log_mean
    assert sphere_divergence(8000, np.array([kappa]))[0] == pytest.approx(float(exact), rel=1e-10)


def test_sphere_divergence_in_three_dimensions_is_elementary():
    """M = sinh κ/κ, through the Bessel functions and the asymptotic series."""
    kappa = np.array([1e-2, 1.0, 50.0, 9e3, 2e4, 1e12])
    decay = np.exp(-2 * kappa)
    elementary = 2 * kappa * decay / (1 - decay) - 1 + np.log(2 * kappa) - np.log1p(-decay)
    np.testing.assert_allclose(sphere_divergence(3, kappa), elementary, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n", [2, 41, 3000])
def test_sphere_divergence_in_40_digits(n):
    """Series (κ up to about 600 at n = 3000, where I_ν underflows), scaled Bessel functions and asymptotics."""
    mp = mpmath.mp.clone()
    mp.dps = 40
    for kappa in (0.5, 60.0, 300.0, 900.0, 4e3, 3e5):
        k, nu = mp.mpf(kappa), mp.mpf(n) / 2 - 1
        bessel = mp.besseli(nu, k)
        log_mean = mp.loggamma(nu + 1) + nu * mp.log(2 / k) + mp.log(bessel)
        exact = float(k * mp.besseli(nu + 1, k) / bessel - log_mean)
        assert sphere_divergence(n, np.array([kappa]))[0] == pytest.approx(exact, rel=1e-10, abs=1e-11)


@pytest.mark.parametrize(
    ("factors", "options", "message"),
    [
        ([(0, 1.0, 1)], {}, "intrinsic_dim = 0"),
        ([(20_000, 1.0, 1)], {}, "intrinsic_dim = 20000: must be ≤"),
        ([(2, -1.0, 1)], {}, "radius = -1.0"),
        ([(2, 1.0, 1)], {"ambient_dim": 2}, "ambient_dim = 2: must be ≥ 3"),
    ],
)
def test_bad_spheres(factors, options, message):
    with pytest.raises(ValueError, match=message):
        SphereProduct(factors, **options)


def test_spheres_know_training_points_only():
    with pytest.raises(ValueError, match=r"noise = 1\.0: must be 0"):
        SphereProduct([(2, 1.0, 1)]).free_energy_gap(1.0, 1.0)


def test_series_meets_its_tolerance_and_inverts():
    def curve(r):
        return 1 / (1 + r) + 1 / (1 + 50 * r)

    series = SmoothCurve(curve, -12.0, 9.0)
    r = np.geomspace(1e-5, 8e3, 1000)
    np.testing.assert_allclose(series(r), curve(r), atol=1e-11)
    np.testing.assert_allclose(series.slope(r), -r / (1 + r) ** 2 - 50 * r / (1 + 50 * r) ** 2, atol=1e-9)
    # a slope that vanishes at both ends, where bare Newton steps would run away
    levels = np.array([[1.999, 1.2], [0.5, 2e-3]])
    np.testing.assert_allclose(curve(series.ratio_at(levels)), levels, rtol=1e-10)
    with pytest.raises(ValueError, match=r"level = 2\.5: must lie between"):
        series.ratio_at(np.array([2.5]), argument="level")
    with pytest.raises(ValueError, match=r"low = 1\.0: must be <"):
        SmoothCurve(curve, 1.0, 1.0)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e150])
def test_range_covers_the_levels(scale):
    law = Linear([scale] * 3)
    curve = covering(law.information, 0.5, 20.0, "the information")
    assert law.information(math.exp(curve.low)) > 20 > 0.5 > law.information(math.exp(curve.high))
    assert law.information(math.exp(curve.low + 0.5)) < 20
    assert law.information(math.exp(curve.high - 0.5)) > 0.5


def test_a_law_without_enough_information_has_no_line():
    with pytest.raises(ValueError, match=r"log_n = 3.*information does not pass"):
        collapse_line(Mixture.two_gaussians(3, variance=0.0), [0.1, 3.0])


def test_plane_of_a_linear_manifold():
    law, log_n, r = Linear([1.0] * 16), np.linspace(2, 20, 7), np.geomspace(1e-2, 30, 41)
    plane = noise_plane(law, log_n, r, noise_above=1.0, coverage_below=1.0)
    np.testing.assert_allclose(plane.deficit, log_n[:, None] - law.information(r), atol=1e-10)
    np.testing.assert_allclose(plane.variance, law.dimension(r), atol=1e-8)
    for phase, line in ((Phase.CONDENSED, plane.lines.collapse), (Phase.TRAPS, plane.lines.onset)):
        np.testing.assert_array_equal(plane.phase >= phase, r < line[:, None])
    past_best = r < np.minimum(plane.lines.collapse, plane.lines.generalization)[:, None]
    np.testing.assert_array_equal(plane.phase == Phase.MEMORIZED, past_best)
    assert set(plane.phase[-1]) >= {Phase.NOISE, Phase.COVERAGE, Phase.TRAPS, Phase.MEMORIZED}
    assert Phase.NOISE not in plane.phase[:, r < 1]
    assert Phase.COVERAGE not in plane.phase[:, r > 1]


def test_gaussian_averages_against_sampling():
    law, log_n, r = Linear([1.0] * 200 + [0.01] * 50), math.log(5000), np.array([3.0, 9.0, 25.0])
    plane = noise_plane(law, [log_n], r)
    z = np.random.default_rng(1).standard_normal(400_000)
    x = (log_n - law.information(r))[:, None] + np.sqrt(law.dimension(r))[:, None] * z
    for estimate, samples in (
        (plane.retrieval[0], 1 / (1 + np.exp(x))),
        (plane.excess_entropy[0], np.log1p(np.exp(x))),
    ):
        score = (samples.mean(axis=1) - estimate) / (samples.std(axis=1) / math.sqrt(z.size))
        assert np.abs(score).max() < 4


@pytest.mark.parametrize("law", [Sphere(5, 0.7), Mixture.two_gaussians(3, separation=2.0)], ids=repr)
def test_variance_of_the_information_density_against_sampling(law):
    rng, r = np.random.default_rng(2), np.array([0.03, 0.4, 3.0])
    found = [information_variance(law, ratio).total for ratio in r]
    for ratio, value in zip(r, found, strict=True):
        y = law.sample(4000, rng)
        x = y + math.sqrt(ratio) * rng.standard_normal(y.shape)
        density = -np.sum((x - y) ** 2, axis=1) / (2 * ratio) - law.log_partition(x, ratio)
        squares = (density - density.mean()) ** 2
        assert abs(squares.mean() - value) < 4 * squares.std() / math.sqrt(len(y))


def test_on_a_curved_manifold_the_width_is_half_of_the_dimension():
    assert noise_plane(Sphere(8), [10.0], [1e-4]).variance == pytest.approx(4.0, rel=0.01)
    plane = noise_plane(NormalizedLinear([1.0, 1.0]), [3.0], [1e-2, 0.1])  # no closed energies: d(r)
    np.testing.assert_array_equal(plane.variance, plane.dimension)


@pytest.mark.parametrize(
    ("log_n", "r", "name"), [([0.0], [1.0], "log_n"), ([1.0], [-1.0], "r"), ([[1.0]], [1.0], "log_n")]
)
def test_bad_axes(log_n, r, name):
    with pytest.raises(ValueError, match=rf"^{name} = "):
        noise_plane(Linear([1.0]), log_n, r)
