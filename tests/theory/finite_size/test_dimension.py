"""d(r) of N points: the mean over data sets, its limits, and the leading form beside it."""

import numpy as np
import pytest

from remanifold.manifolds import Linear, Sphere
from remanifold.simulations import over_data_sets
from remanifold.theory.finite_size.dimension import finite_dimension, leading_finite_dimension


@pytest.mark.parametrize("law", [Sphere(5, ambient_dim=7), Linear([1.0, 1.0, 0.2, 0.2])])
def test_finite_dimension_is_the_mean_over_data_sets(law):
    r = np.geomspace(0.025, 0.4, 4)
    exact = finite_dimension(law, np.log(50), r, knots=8)

    def measure(empirical, rng):
        return empirical.dimension(r, rng, n_queries=100).mean

    mean, error = over_data_sets(law, 50, measure, np.random.default_rng(0), replicas=120)
    assert np.all(np.abs(exact - mean) < 4 * error + 0.01)  # 0.01: the spline's error
    assert exact[0] < 0.3 * law.dimension(r)[0]  # collapsed: not the population's


def test_finite_dimension_of_infinitely_many_points_is_the_populations():
    law, r = Sphere(5), np.geomspace(0.1, 1.0, 4)
    # ln N = 60: collapse far below; ln N - S = I up to e^-40, the rest is the spline
    assert finite_dimension(law, 60.0, r, 8) == pytest.approx(law.dimension(r), abs=0.01)


def test_the_leading_form_is_near_the_exact_one():
    law, r, log_n = Linear([1.0] * 16), np.geomspace(0.05, 10.0, 21), np.log(1000)
    leading = leading_finite_dimension(law.information(r), law.dimension(r), log_n, r)
    exact = finite_dimension(law, log_n, r, knots=12)
    assert np.abs((leading - exact) / law.dimension(r)).max() < 0.06
    assert exact[0] < 0.05 * law.dimension(r)[0]
