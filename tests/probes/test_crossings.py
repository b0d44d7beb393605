"""Where a curve crosses one half."""

import numpy as np
import pytest

from remanifold.probes import half_crossing


@pytest.mark.parametrize("scale", [0.02, 3.0])
def test_interpolates_in_the_logarithm(scale):
    r = np.geomspace(1e-3, 1e2, 41)
    assert half_crossing(r, r / (r + scale)) == pytest.approx(scale, rel=0.02)


def test_the_last_of_several_crossings_counts():
    r = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    assert half_crossing(r, np.array([0.0, 1.0, 0.0, 1.0, 1.0])) == pytest.approx(np.sqrt(32))


@pytest.mark.parametrize("share", [1.0, 0.0])
def test_none_where_it_does_not_cross(share):
    assert half_crossing(np.array([1.0, 2.0]), np.full(2, share)) is None
