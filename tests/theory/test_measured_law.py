"""A law of which a curve d(r) was measured: its information, its collapse, and where it says nothing."""

import math

import numpy as np
import pytest

from remanifold.manifolds import Linear
from remanifold.theory import MeasuredLaw, collapse


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
