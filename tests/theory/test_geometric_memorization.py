"""The published formula of arXiv 2410.08727 by hand, and its rule for normalized data."""

import math

import numpy as np
import pytest

from remanifold.theory import geometric_memorization


def test_published_formula_by_hand():
    """s² = (4, 1), ln N = 2, t = 1/2, everything in small fractions."""
    published = geometric_memorization([4.0, 1.0], 0.5, log_n=2.0)
    np.testing.assert_allclose(published.critical_times, [math.sqrt(0.5), math.sqrt(0.125)])
    order = [2 - math.sqrt(2), 0.0]
    np.testing.assert_allclose(published.order_parameters, order)
    scale = 4 * (4 / 4.5 + 1 / 1.5)
    expected = [math.sqrt((1 / 4.5) ** 2 + (scale * order[0]) ** 2), 1 / 1.5]
    np.testing.assert_allclose(published.singular_values, expected)

    raw = geometric_memorization([4.0, 1.0], 0.5, log_n=2.0, normalized=False)
    times = [math.sqrt((8.5 + 2) / 4), math.sqrt((8.5 + 0.5) / 4)]
    order = [2 - 1 / times[0], 2 - 1 / times[1]]
    zero = 2 - 1 / math.sqrt(8.5 / 4)
    np.testing.assert_allclose(raw.critical_times, times)
    np.testing.assert_allclose(raw.order_parameters, order)
    expected = [math.hypot(1 / (0.5 + s), scale * (zero + o)) for s, o in zip((4, 1), order, strict=True)]
    np.testing.assert_allclose(raw.singular_values, expected)


def test_published_rule_for_normalized_data():
    """Direction i is lost below t = s_i²/(2 ln N), high variance first; what has no variance is never lost."""
    variances, log_n = np.array([1.0, 0.09, 1e-4, 0.0]), math.log(1000)
    threshold = variances / (2 * log_n)
    for i, lost_below in enumerate(threshold[:3]):
        times = lost_below * np.array([0.999, 1.001])
        order = geometric_memorization(variances, times, log_n=log_n).order_parameters
        assert order.shape == (2, 4)
        assert order[0, i] > 0
        assert order[1, i] == 0
    assert np.all(geometric_memorization(variances, [1e-9, 1.0], log_n=log_n).order_parameters[:, 3] == 0)


@pytest.mark.parametrize(
    ("variances", "t", "log_n", "name"),
    [
        ([-1.0], 1.0, 1.0, "variances"),
        ([], 1.0, 1.0, "variances"),
        (1.0, 1.0, 1.0, "variances"),
        ([[1.0]], 1.0, 1.0, "variances"),
        ([math.nan], 1.0, 1.0, "variances"),
        ([1.0], 0.0, 1.0, "t"),
        ([1.0], [1.0, -1.0], 1.0, "t"),
        ([1.0], math.nan, 1.0, "t"),
        ([1.0], 1.0, 0.0, "log_n"),
        ([1.0], 1.0, [1.0], "log_n"),
    ],
)
def test_bad_published_arguments(variances, t, log_n, name):
    with pytest.raises(ValueError, match=rf"^{name} (=|has shape) .*: must"):
        geometric_memorization(variances, t, log_n=log_n)
