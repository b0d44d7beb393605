"""Onset, generalization and basin of linear manifolds against 50-digit roots of the published equations."""

import math

import pytest
from mpmath_roots import decreasing_root, mp, spectrum

from remanifold.manifolds import Linear
from remanifold.theory import basin_radius, collapse, generalization, onset


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


@pytest.mark.parametrize(
    ("r", "log_n", "name"),
    [(0.0, 1.0, "r"), (math.nan, 1.0, "r"), ([1.0, 2.0], 1.0, "r"), (1.0, 0.0, "log_n")],
)
def test_bad_basin_arguments(r, log_n, name):
    with pytest.raises(ValueError, match=rf"^{name} = .*: must be"):
        basin_radius(Linear([1.0]), r, log_n=log_n)
