"""One data set and one reverse process: dimension, participation and memorization along r, and when it collapses."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.arguments import Array, fail, one_of, positive_integer
from ...conventions.atomic_files import writable
from ...conventions.datasets import dataset, stacked
from ...conventions.estimate import Estimate
from ...conventions.law import has_energies
from ...conventions.progress import tracked
from ...manifolds import Manifold
from ...manifolds.data_source import slug
from ...manifolds.names import manifold
from ...probes.crossings import half_crossing
from ...simulations import EmpiricalScore, collapse_times, memorized_fraction, noisy_points, profile, reverse
from ...simulations.collapse_times import CollapseTimes
from ...theory import collapse
from ...theory.finite_size.observables import expected_observables
from ..drawing.run_pictures import process_picture
from ..results import provenance, save

if TYPE_CHECKING:
    import xarray

METHODS = ("exact", "ode", "exponential", "ancestral", "euler_maruyama")
STEPS = 17  # noise ratios of the table, where none are given
FINE = 120  # noise ratios at which the last change of the nearest point is looked for
MEANINGS = {
    "trajectory": ("trajectory of the exact process", "1"),
    "memorized": ("fraction of trajectories whose posterior mean is a copy of a training point", "1"),
    "settled": ("fraction of trajectories whose nearest training point is final", "1"),
    "last_change": ("noise ratio of the last change of the nearest training point", "1"),
    "last_change_median": ("median noise ratio of the last change of the nearest training point", "1"),
}


def run(
    name: str, n: int, r: Array | None, method: str, trajectories: int, seed: int, out: Path
) -> tuple[dict[str, Any], list[Path]]:
    """Runs, writes `out`/simulate-…: picture, numbers, record; returns the record and the paths.

    ValueError for bad arguments, before anything is written.
    """
    law = manifold(name)
    one_of(method, METHODS, "method")
    if positive_integer(n, "n") < 2 or positive_integer(trajectories, "trajectories") < 2:
        raise fail("n, trajectories", (n, trajectories), "must be ≥ 2")
    r_c = collapse(law, log_n=math.log(n))
    # from where a trajectory has all directions to choose from, down to where it has only one point
    grid = np.geomspace(r_c / 20, max(10 * r_c, 4 * law.leading_variance()), STEPS) if r is None else r
    if grid.size < 3:
        raise fail("r", grid, "must be three noise ratios or more")
    writable(out)
    numbers = along_process(law, n, grid, method, trajectories, seed)
    record = provenance(
        command="simulate", manifold=name, n=n, method=method, trajectories=trajectories, seed=seed,
        collapse=collapse_points(numbers), rows=rows(numbers),
    )  # fmt: skip
    paths = save(out, f"simulate-{slug(name)}-{n}-{method}-{seed}", process_picture(numbers), numbers, record)
    return record, paths


def along_process(law: Manifold, n: int, r: Array, method: str, trajectories: int, seed: int) -> "xarray.Dataset":
    """Averages over trajectories at increasing ratios r; `last_change` over trajectories of the exact process.

    `memorized`: by distance ratio (`memorized_fraction`) at the posterior mean of the noisy point, what one step of
    denoising from there would return. NAME_theory: `expected_observables`; NAME_population: for N → ∞.
    """
    points = law.sample(n, np.random.default_rng([seed, 0]))
    score, rng = EmpiricalScore(points), np.random.default_rng([seed, 1])
    trajectory = reverse(score, noisy_points(score, float(r[-1]), trajectories, rng), r[::-1], rng, method)
    found = profile(score, trajectory)
    copies = [
        memorized_fraction(score.posterior_mean(x, ratio), points)
        for ratio, x in tracked(list(zip(trajectory.ratios, trajectory.x, strict=True)), "memorized fraction")
    ]
    times = collapse_times(score, np.geomspace(r[-1], r[0], FINE), rng, trajectories)
    theory = expected_observables(law, math.log(n), r, ["dimension", "participation"])
    assert found.participation is not None  # as of every empirical score
    return dataset(
        {
            "settled": ("r_fine", rising(times.settled)),
            "last_change": ("trajectory", times.last_change),
            "last_change_median": ((), _median(times)),
            "collapse": ((), collapse(law, log_n=math.log(n))),
            "dimension": ("r", rising(found.dimension)),
            "dimension_theory": ("r", theory["dimension"]),
            "dimension_population": ("r", law.dimension(r)),
            "participation": ("r", rising(found.participation)),
            "participation_theory": ("r", theory["participation"]),
            "memorized": ("r", rising(stacked(copies))),
        },
        {"r": r, "r_fine": times.ratios[::-1]},
        MEANINGS,
        exact=int(has_energies(law)),
    )


def rising(estimate: Estimate) -> Estimate:
    """Averages in the order of the process, turned to increasing ratios."""
    return Estimate(np.asarray(estimate.mean)[::-1], np.asarray(estimate.stderr)[::-1])


def collapse_points(numbers: "xarray.Dataset") -> dict[str, Any]:
    """Predicted r_c, median last change with its error, r where E Y = ½; None where not on the grid."""
    median, stderr = float(numbers["last_change_median"]), float(numbers["last_change_median_stderr"])
    return {
        "predicted": float(numbers["collapse"]),
        "last change, median": None if np.isnan(median) else median,
        "last change, stderr": None if np.isnan(median) else stderr,
        "participation ½": half_crossing(numbers["r"].values, 1 - numbers["participation"].values),
    }


def _median(times: CollapseTimes) -> Estimate:
    try:
        return times.median()
    except ValueError:  # not on the grid
        return Estimate(np.nan, np.nan)


def rows(numbers: "xarray.Dataset") -> list[dict[str, float]]:
    """One row for each noise ratio, from large to small, as the process runs."""
    names = [str(name) for name in numbers if numbers[name].dims == ("r",)]
    ratios = numbers["r"].values[::-1]
    return [{"r": float(r), **{name: float(numbers[name].sel(r=r)) for name in names}} for r in ratios]
