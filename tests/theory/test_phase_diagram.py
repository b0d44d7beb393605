"""Phase diagrams against the scalar functions they vectorise, other routes to the same laws, and brute force."""

import math

import numpy as np
import pytest

from remanifold.manifolds import Linear, Mixture, NormalizedLinear, Sphere, Torus
from remanifold.theory import collapse, generalization, onset
from remanifold.theory.finite_size.scaling import information_variance
from remanifold.theory.integrals.smooth_curve import SmoothCurve, covering
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


@pytest.mark.parametrize("law", [Sphere(2, 0.3, ambient_dim=7), Torus([1.0, 0.2, 0.2])], ids=repr)
def test_lines_of_curved_manifolds_are_the_scalar_functions(law):
    lines = critical_lines(law, [3.0, 25.0])
    assert lines.collapse[1] == pytest.approx(collapse(law, log_n=25.0), rel=1e-10)
    assert lines.onset[0] == pytest.approx(onset(law, log_n=3.0), rel=1e-10)
    assert lines.generalization[1] == pytest.approx(generalization(law, log_n=25.0), rel=1e-7)


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
