"""When a reverse trajectory settles: the last change of its nearest training point."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate, fraction
from ..conventions.progress import tracked
from .empirical_score import EmpiricalScore
from .exact_draws import noisy_points
from .reverse import bridge_steps


class CollapseTimes(NamedTuple):
    """Noise ratios of the last change along n trajectories, and what the ensemble says at each grid ratio.

    `last_change` (n,): inf where the nearest point was the final one on the whole grid, 0 where it was not yet at
    the lowest ratio. `ratios` (T,): the grid. `at_end`: fraction of trajectories whose nearest point is already
    the final one; `settled`: fraction where it also stays so on the rest of the grid, = P(last change > r).
    """

    last_change: Array
    ratios: Array
    at_end: Estimate
    settled: Estimate

    def quantile(self, p: float) -> Estimate:
        """Noise ratio above which a share `p` of the last changes lie, with half the width of its ±1 s.e. band.

        `settled` interpolated in ln r; the band is where it is p ± √(p(1-p)/n). ValueError: p not in (0, 1), or the
        band leaves the grid of ratios.
        """
        spread = np.sqrt(p * (1 - p) / self.last_change.size) if 0 < p < 1 else np.inf
        share = self.settled.mean
        if not share[0] <= p - spread < p + spread <= share[-1]:
            allowed = f"must lie in {share[0]:.3g} … {share[-1]:.3g}, the shares on the grid of ratios"
            raise arguments.fail("p", p, allowed + ", by more than its standard error")
        high, middle, low = np.exp(np.interp([p - spread, p, p + spread], share, np.log(self.ratios)))
        return Estimate(float(middle), float(high - low) / 2)

    def median(self) -> Estimate:
        """Median noise ratio of the last change, with its standard error."""
        return self.quantile(0.5)


def collapse_times(
    empirical: EmpiricalScore, ratios: ArrayLike, rng: np.random.Generator, n_trajectories: int = 500
) -> CollapseTimes:
    """Last change of the nearest training point along exact reverse trajectories, on the decreasing grid `ratios`.

    Trajectories start from p_r at ratios[0]. A change between two grid ratios is put at their geometric mean.
    Read forwards, the last change is the first exit of a Brownian motion from the cell of its point, and a grid misses
    excursions: the median moves as the root of the step, for d = 16 by 6 % from steps of 1.5 % in r to none. `at_end`
    does not depend on the grid. At N = 2^{d/2}, d = 8 to 28, the median lies 10 to 15 % above `theory.collapse` and
    four fifths of the changes within a factor of 15 to 4; the width closes as 1/√d (docs/dynamics.md §4).
    One pass over the points for each ratio. ValueError: ratios not decreasing or not > 0.
    Source: arXiv 2402.18491; derived in docs/dynamics.md §4.
    """
    grid = arguments.positive(ratios, "ratios")
    if grid.ndim != 1 or grid.size < 2 or not np.all(np.diff(grid) < 0):
        raise arguments.fail("ratios", grid, "must be a decreasing list of two or more noise ratios")
    x = noisy_points(empirical, float(grid[0]), n_trajectories, rng)
    end = empirical.posterior_draws(x, float(grid[0]), rng)
    at_end = np.empty((grid.size, len(x)), bool)
    path = bridge_steps(x, end.points, grid, rng)
    for k in tracked(range(grid.size), "collapse times"):
        at_end[k] = empirical.nearest(next(path)[1]) == end.index
    settled = np.logical_and.accumulate(at_end[::-1])[::-1]
    return CollapseTimes(_last_change(settled, grid), grid, fraction(at_end), fraction(settled))


def _last_change(settled: np.ndarray, grid: Array) -> Array:
    """The geometric middle of the interval in which each trajectory (column) settles."""
    first = np.count_nonzero(~settled, axis=0)  # grid index from which on the trajectory is settled
    between = np.concatenate([[np.inf], np.sqrt(grid[:-1] * grid[1:]), [0.0]])
    return between[first]
