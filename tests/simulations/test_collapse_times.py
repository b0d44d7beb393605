"""Collapse times: first exits of Brownian motion from the cell of a point, and the probability to be at the end."""

import numpy as np
import pytest
from scipy.special import erf
from scipy.stats import chi2, ncx2

from remanifold.conventions.estimate import Estimate
from remanifold.manifolds import Linear
from remanifold.simulations import EmpiricalScore
from remanifold.simulations.collapse_times import collapse_times
from remanifold.simulations.data_sets import over_data_sets


def test_two_points_settle_by_the_reflection_principle():
    """Points ±a: a forward path has left its half-line before r with probability 1 - erf(a/√2r), reflection principle.

    A grid does not see all exits: for steps of Δ the wall is as if moved out by 0.5826 √Δ (Broadie, Glasserman, Kou
    1997). The steps are r/50 at r and smaller before, hence the bracket.
    """
    a, ratios = 1.0, np.geomspace(10, 1e-3, 461)
    found = collapse_times(EmpiricalScore([[-a], [a]]), ratios, np.random.default_rng(1), 6000)
    for r in (0.3, 1.0, 3.0):
        k = np.argmin(np.abs(ratios - r))
        exact, seen = erf((a + np.array([0.0, 0.5826 * np.sqrt(r / 50)])) / np.sqrt(2 * ratios[k]))
        margin = 4 * found.settled.stderr[k]
        assert exact - margin < found.settled.mean[k] < seen + margin
        assert seen - exact < 0.06


def test_a_point_at_the_end_is_as_likely_as_the_ordering_of_distances_says():
    """P(planted point is the nearest) = E (1 - F_x(|x-y|²))^{N-1}: distances are noncentral χ² given x."""
    d, n, ratios = 10, 100, np.array([4.0, 1.5, 0.6, 0.2])
    rng = np.random.default_rng(2)

    def at_end(e, rng):
        return collapse_times(e, ratios, rng, 400).at_end.mean

    measured = over_data_sets(Linear([1.0] * d), n, at_end, rng, 60)
    for k, r in enumerate(ratios):
        radius = (1 + r) * chi2.rvs(d, size=20_000, random_state=rng)  # |x|²
        share = r / (1 + r)  # posterior variance; the posterior mean is x/(1 + r)
        own = share * ncx2.rvs(d, radius * share**2 / share, random_state=rng)
        exact = Estimate.of(ncx2.sf(own, d, radius) ** (n - 1))
        assert abs(measured.mean[k] - exact.mean) < 4 * np.hypot(measured.stderr[k], exact.stderr)
    assert measured.mean[0] < 0.4
    assert measured.mean[-1] > 0.95


@pytest.fixture(scope="module")
def settled():
    rng = np.random.default_rng(3)
    e = EmpiricalScore(rng.standard_normal((60, 6)))
    return collapse_times(e, np.geomspace(30, 0.01, 60), rng, 1000)


def test_settled_is_the_distribution_of_the_last_change(settled):
    """Both counted from the same trajectories; settled never exceeds at_end and grows as the noise falls."""
    assert np.all(settled.settled.mean <= settled.at_end.mean)
    assert np.all(np.diff(settled.settled.mean) >= 0)
    for r, share in zip(settled.ratios, settled.settled.mean, strict=True):
        assert abs(share - np.mean(settled.last_change > r)) < 1e-12


def test_error_of_the_median_is_the_scatter_of_repeated_runs():
    rng = np.random.default_rng(4)
    e = EmpiricalScore(rng.standard_normal((60, 6)))
    runs = [collapse_times(e, np.geomspace(30, 0.02, 60), rng, 200).median() for _ in range(30)]
    scatter, quoted = np.std([run.mean for run in runs], ddof=1), np.mean([run.stderr for run in runs])
    assert 0.6 < scatter / quoted < 1.5


def test_one_point_has_settled_from_the_start_and_a_short_grid_says_so():
    alone = collapse_times(EmpiricalScore([[0.0, 1.0]]), [5.0, 1.0], np.random.default_rng(0), 50)
    assert np.all(np.isinf(alone.last_change))
    assert np.all(alone.settled.mean == 1)
    with pytest.raises(ValueError, match="shares on the grid"):
        alone.median()
    too_short = collapse_times(EmpiricalScore([[-1.0], [1.0]]), [9.0, 6.0, 4.0], np.random.default_rng(0), 500)
    with pytest.raises(ValueError, match="shares on the grid"):
        too_short.median()
    unsettled = np.mean(too_short.last_change == 0)
    assert abs(unsettled + too_short.settled.mean[-1] - 1) < 1e-12
    assert unsettled > 0.2


@pytest.mark.parametrize("p", [0.0, 1.0, 1e-6])
def test_quantiles_beyond_the_sample_are_refused(settled, p):
    with pytest.raises(ValueError, match=f"p = {p}"):
        settled.quantile(p)


@pytest.mark.parametrize("ratios", [[1.0, 2.0], [1.0], [1.0, 0.0], 1.0])
def test_bad_grids_are_refused_by_name(ratios):
    with pytest.raises(ValueError, match="ratios"):
        collapse_times(EmpiricalScore([[0.0], [1.0]]), ratios, np.random.default_rng(0), 10)
