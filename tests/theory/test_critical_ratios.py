"""Critical noise ratios of linear manifolds against 50-digit roots of the published equations, and limits."""

import math

import mpmath
import numpy as np
import pytest
from remanifold.manifolds import Linear, Mixture
from remanifold.theory import MeasuredLaw, basin_radius, collapse, generalization, onset

mp = mpmath.mp.clone()
mp.dps = 50


def decreasing_root(curve, low=-620, high=200, bits=170):
    """The root in ln r of a decreasing curve, by bisection: nothing can go wrong."""
    low, high = mp.mpf(low), mp.mpf(high)
    for _ in range(bits if bits else 0):
        middle = (low + high) / 2
        if curve(mp.exp(middle)) > 0:
            low = middle
        else:
            high = middle
        if high - low < mp.mpf(10) ** -16:
            break
    return mp.exp((low + high) / 2)


def spectrum(seed, count, decades):
    rng = np.random.default_rng(seed)
    return 10 ** rng.uniform(-decades, decades, count)


# count: enough directions that r_c is a normal float
CASES = [
    (seed, count, decades, log_n)
    for seed, (count, decades, log_n) in enumerate(
        (count, decades, log_n)
        for log_n in (1e-3, 0.1, math.log(1000), 30.0, 1e3, 1e4)
        for decades in (0.5, 6, 15)
        for count in ([1, 3, 17] if log_n < 100 else [max(8, int(log_n / 100)), 70])
        if 2 * log_n / count < 500 and not (count == 70 and decades == 0.5)
    )
]


@pytest.mark.parametrize(("seed", "count", "decades", "log_n"), CASES)
def test_collapse_of_random_spectra(seed, count, decades, log_n):
    variances = spectrum(seed, count, decades)
    exact = [mp.mpf(v) for v in variances]
    root = decreasing_root(lambda r: sum(mp.log1p(v / r) for v in exact) / 2 - mp.mpf(log_n))
    assert collapse(Linear(variances), log_n=log_n) == pytest.approx(float(root), rel=1e-10)


@pytest.mark.parametrize("dim", [1, 2, 16, 1000])
@pytest.mark.parametrize("variance", [1e-8, 1.0, 2.5e6])
@pytest.mark.parametrize("log_n", [0.01, 6.9, 70.0])
def test_collapse_isotropic_is_closed(dim, variance, log_n):
    closed = mp.mpf(variance) / mp.expm1(2 * mp.mpf(log_n) / dim)
    law = Linear([variance] * dim, ambient_dim=dim + 3)
    assert collapse(law, log_n=log_n) == pytest.approx(float(closed), rel=1e-11)


@pytest.mark.parametrize("count", [1, 5, 20])
@pytest.mark.parametrize("decades", [0.3, 5])
@pytest.mark.parametrize("log_n", [0.2, 6.9, 60.0])
def test_onset_generalization_and_basin(count, decades, log_n):
    variances = spectrum(count, count, decades)
    exact = [mp.mpf(v) for v in variances]
    law = Linear(variances, ambient_dim=count + 4)
    n = mp.mpf(log_n)

    def gap(r):
        return sum(mp.log1p(v / r) + v / (v + r) for v in exact) / 2 - n

    opened = decreasing_root(gap)
    assert onset(law, log_n=log_n) == pytest.approx(float(opened), rel=1e-10)

    frozen = decreasing_root(lambda r: sum(mp.log1p(v / r) - v * r / (v + r) ** 2 for v in exact) / 2 - n)
    nearest = sum(v * frozen / (v + frozen) + v * frozen**2 / (v + frozen) ** 2 for v in exact)
    assert generalization(law, log_n=log_n) == pytest.approx(float(nearest / (count + 4)), rel=1e-9)

    condensed = collapse(law, log_n=log_n)
    assert onset(law, log_n=log_n) > condensed
    assert basin_radius(law, condensed, log_n=log_n) == pytest.approx(1, rel=1e-9)
    assert basin_radius(law, float(opened) * (1 - 1e-9), log_n=log_n) == pytest.approx(0, abs=1e-7)
    assert basin_radius(law, float(opened) * 1.001, log_n=log_n) == 0
    for r in (condensed * 0.2, math.sqrt(condensed * float(opened))):
        closed = gap(mp.mpf(r)) / (sum(v / (v + mp.mpf(r)) for v in exact) / 2)
        assert basin_radius(law, r, log_n=log_n) == pytest.approx(float(closed), rel=1e-9)


def test_mixture_collapses_like_its_quadrature():
    """Two Gaussians far apart: the class is worth ln 2, so N points collapse like N/2 of one class."""
    law = Mixture.two_gaussians(10, separation=100.0)
    expected = collapse(Linear([1.0] * 10), log_n=math.log(500))
    assert collapse(law, log_n=math.log(1000)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("find", [collapse, onset, generalization])
def test_no_float_holds_it(find):
    with pytest.raises(ValueError, match="log_n = 1000"):
        find(Linear([1.0]), log_n=1000.0)  # r_c = e^-2000


@pytest.mark.parametrize("find", [collapse, onset, generalization])
def test_a_law_without_information_never_collapses(find):
    with pytest.raises(ValueError, match="never reaches"):
        find(Linear([0.0, 0.0]), log_n=1.0)


def test_a_discrete_law_holds_only_its_entropy():
    law = Mixture.two_gaussians(3, variance=0.0)
    with pytest.raises(ValueError, match="never reaches"):
        collapse(law, log_n=0.7)  # > ln 2
    assert 0 < collapse(law, log_n=0.6) < 10


@pytest.mark.parametrize("variances", [[1.0] * 8, [1.0] * 3 + [0.01] * 9])
def test_measured_curve_gives_the_same_collapse(variances):
    law = Linear(variances)
    r = np.logspace(-5, 5, 3000)
    measured = MeasuredLaw(r, law.dimension(r))
    for log_n in (1.0, 6.9, 15.0):
        assert collapse(measured, log_n=log_n) == pytest.approx(collapse(law, log_n=log_n), rel=1e-4)
    inside = np.array([2e-5, 0.3, 7.0, 1e6])
    np.testing.assert_allclose(measured.information(inside), law.information(inside), rtol=1e-4)
    np.testing.assert_allclose(measured.dimension(inside), law.dimension(inside), rtol=1e-4)


def test_measured_curve_by_hand():
    """d = 4 on r ∈ [1, e²] and 4e²/r beyond: I(1) = ½(4·2) + ½·4, I(e³) = ½·4/e."""
    law = MeasuredLaw([1.0, math.e, math.e**2], [4.0, 4.0, 4.0])
    assert law.information(1.0) == pytest.approx(6)
    np.testing.assert_allclose(law.information([math.e**1.5, math.e**3]), [3.0, 2 / math.e])
    np.testing.assert_allclose(law.dimension([2.0, math.e**3]), [4.0, 4 / math.e])


@pytest.mark.parametrize(
    ("r", "d", "message"),
    [
        ([1.0], [1.0], "r of shape"),
        ([1.0, 1.0], [1.0, 1.0], "increasing"),
        ([2.0, 1.0], [1.0, 1.0], "increasing"),
        ([0.0, 1.0], [1.0, 1.0], "r = .*must be > 0"),
        ([1.0, math.nan], [1.0, 1.0], "r = .*must be finite"),
        ([1.0, 2.0], [1.0, -1.0], "d = .*must be ≥ 0"),
        ([1.0, 2.0], [1.0], "d of shape"),
    ],
)
def test_bad_measured_curves(r, d, message):
    with pytest.raises(ValueError, match=message):
        MeasuredLaw(r, d)


def test_measured_curve_says_nothing_below_its_first_ratio():
    law = MeasuredLaw([1.0, 2.0], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"r = 0.5: must be ≥ 1"):
        law.information(0.5)
    with pytest.raises(ValueError, match=r"log_n = 5.0: .* never reaches 5 at a noise ratio above 1, the smallest"):
        collapse(law, log_n=5.0)


@pytest.mark.parametrize("first", [0.5, 5.0])
def test_collapse_just_above_the_first_measured_ratio(first):
    """The search must not step below what was measured, wherever it starts."""
    r = np.geomspace(first, 1e5 * first, 3000)
    law = Linear([4.0] * 6)
    log_n = float(law.information(1.01 * first))
    assert collapse(MeasuredLaw(r, law.dimension(r)), log_n=log_n) == pytest.approx(1.01 * first, rel=1e-4)


@pytest.mark.parametrize("find", [collapse, onset, generalization])
@pytest.mark.parametrize("log_n", [0.0, -1.0, math.nan, math.inf, [1.0, 2.0], "many"])
def test_bad_log_n(find, log_n):
    with pytest.raises(ValueError, match=r"^log_n = .*: must be"):
        find(Linear([1.0]), log_n=log_n)


@pytest.mark.parametrize(
    ("r", "log_n", "name"),
    [(0.0, 1.0, "r"), (math.nan, 1.0, "r"), ([1.0, 2.0], 1.0, "r"), (1.0, 0.0, "log_n")],
)
def test_bad_basin_arguments(r, log_n, name):
    with pytest.raises(ValueError, match=rf"^{name} = .*: must be"):
        basin_radius(Linear([1.0]), r, log_n=log_n)
