"""Collapse of linear manifolds against 50-digit roots of the published equation, limits, and what can go wrong."""

import math

import pytest
from mpmath_roots import decreasing_root, mp, spectrum

from remanifold.manifolds import Linear, Mixture
from remanifold.theory import collapse, generalization, onset

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


@pytest.mark.parametrize("find", [collapse, onset, generalization])
@pytest.mark.parametrize("log_n", [0.0, -1.0, math.nan, math.inf, [1.0, 2.0], "many"])
def test_bad_log_n(find, log_n):
    with pytest.raises(ValueError, match=r"^log_n = .*: must be"):
        find(Linear([1.0]), log_n=log_n)
