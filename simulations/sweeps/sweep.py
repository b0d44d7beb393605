"""Parameter sweeps: one measurement at every point of a grid, interruptible, extensible, on one core or a cluster."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...conventions.arguments import fail, positive_integer
from ...conventions.atomic_files import whole
from ...conventions.datasets import described
from ...conventions.progress import tracked
from ...conventions.provenance import commit, versions
from ...conventions.quantities import QUANTITIES
from .grid import as_dataset, checked_axes, checked_inner
from .store import SweepStore, Task
from .workers import Client, Measure, Outcome, outcomes

if TYPE_CHECKING:
    import xarray


def sweep(
    measure: Measure,
    axes: Mapping[str, Any],
    store: str | Path,
    *,
    seed: int = 0,
    replicas: int = 1,
    inner: Mapping[str, ArrayLike] | None = None,
    version: str = "1",
    workers: int = 1,
    client: Client | None = None,
    share: tuple[int, int] | None = None,
    quantities: Mapping[str, tuple[str, str]] | None = None,
) -> "xarray.Dataset":
    """Measures at every point of the grid of `axes` what `store` does not hold yet, and returns all of it.

    Args:
        measure: called as measure(**point, rng=rng); returns a mapping from names of observables to a number, an
            `Estimate`, or arrays of the shape of `inner`. NaN means: not defined here.
        axes: name → list of numbers, strings or bools; a single value is a constant of the sweep.
        store: a folder, new or that of the same sweep. More values on an axis, or more replicas, add to it.
        seed: every measurement has a generator of its own, set by the seed, the *values* of its point and the
            replica: neither the order of the points, nor their number, nor the workers change a number.
        replicas: independent measurements at each point. From 2 on the standard error is that of their mean; for 1
            it is the `Estimate`'s own.
        inner: name → 1-d coordinates along which an observable is an array, such as {"r": ratios}.
        version: say another one when `measure` changes what it measures; old results are then refused.
        workers: processes of one thread each; 1 is this process, with all its threads. Scripts need the usual
            `if __name__ == "__main__":`.
        client: sends the measurements elsewhere instead: a `dask.distributed.Client` or any executor of
            `concurrent.futures`. Only this process writes to `store`.
        share: (k, K), 1 ≤ k ≤ K: measure the k-th of K disjoint parts of the grid, for K jobs with one store.
        quantities: name → (long_name, units) of axes and observables that `conventions.quantities` does not know.

    Returns:
        Dataset over axes and inner coordinates: each observable's mean, and NAME_stderr where there is one; NaN where
        another share has not been measured yet. Variables have the attributes long_name and units, the whole measure,
        version, seed, replicas, versions of the libraries, git commits, seconds of computing. A complete grid is also
        written to store/sweep.nc (netCDF).

    Raises:
        ValueError: bad arguments; a store of another sweep (measure, version, seed, names of axes, inner), or damaged.
        RuntimeError: some measurements failed, once all others are finished and kept; names the points. They are
            tried again by the next call.

    Guide: docs/sweeps.md.
    """
    grid, coordinates = checked_axes(axes), checked_inner(inner or {}, axes)
    seed, replicas = _natural(seed), positive_integer(replicas, "replicas")
    workers = positive_integer(workers, "workers")
    points = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    tasks = [Task(point, replica) for point in points for replica in range(replicas)]
    mine = _part(tasks, share)
    identity = {
        "measure": _name(measure),
        "version": version,
        "seed": seed,
        "axes": sorted(grid),
        "inner": {name: values.tolist() for name, values in coordinates.items()},
    }
    kept = SweepStore(Path(store), identity)
    shape = tuple(len(values) for values in coordinates.values())
    missing = [task for task in mine if not kept.has(task)]
    with closing(outcomes(measure, missing, seed, shape, workers, client)) as arriving:
        _keep(arriving, len(missing), kept)
    found = {task.key: kept.read(task) for task in tasks if kept.has(task)}
    dataset = as_dataset({key: result for key, (result, _) in found.items()}, axes, grid, coordinates, replicas)
    unknown = {name: (name.replace("_", " "), "unknown") for name in _own_names(dataset)}
    dataset = described(dataset, {**unknown, **(quantities or {})})
    dataset.attrs = {name: identity[name] for name in ("measure", "version", "seed")}
    dataset.attrs |= {"replicas": replicas, **_provenance([remarks for _, remarks in found.values()])}
    if len(found) == len(tasks):
        with whole(kept.folder / "sweep.nc") as file:
            dataset.to_netcdf(file, engine="h5netcdf")
    return dataset


def _own_names(dataset: "xarray.Dataset") -> list[str]:
    """Names of axes and observables of the caller's own, which `conventions.quantities` does not know."""
    names = [str(name) for name in dataset.variables]
    return [name for name in names if name not in QUANTITIES and not name.endswith("_stderr")]


def _keep(arriving: Iterator[Outcome], count: int, kept: SweepStore) -> None:
    """Keeps every result as it comes; RuntimeError at the end if some failed."""
    here, failed = commit(), []
    for _ in tracked(range(count), "sweep"):
        outcome = next(arriving)
        if outcome.result is None:
            failed.append(outcome)
        else:
            kept.keep(outcome.task, outcome.result, seconds=round(outcome.seconds, 4), commit=here)
    if failed:
        shown = "; ".join(f"{o.task}: {type(o.error).__name__}: {o.error}" for o in failed[:3])
        more = f"; and {len(failed) - 3} more" if len(failed) > 3 else ""
        count_of = f"{len(failed)} of {count} measurements failed, the others are kept"
        raise RuntimeError(f"{count_of} ({shown}{more})") from failed[0].error


def _provenance(remarks: list[dict[str, Any]]) -> dict[str, Any]:
    """Attributes that say how the numbers came about."""
    return {
        "versions": json.dumps(versions()),
        "commits": ", ".join(sorted({one["commit"] for one in remarks})),
        "seconds": round(sum(one["seconds"] for one in remarks), 3),
    }


def _part(tasks: list[Task], share: tuple[int, int] | None) -> list[Task]:
    """The k-th of K parts, in an order as good as random, so that every share has small and large points."""
    shuffled = sorted(tasks, key=lambda task: task.key)
    if share is None:
        return shuffled
    allowed = "must be (k, K) with integers 1 ≤ k ≤ K"
    try:
        k, parts = (positive_integer(value, "share") for value in share)
    except (TypeError, ValueError):
        raise fail("share", share, allowed) from None
    if k > parts:
        raise fail("share", share, allowed)
    return shuffled[k - 1 :: parts]


def _natural(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise fail("seed", seed, "must be an integer ≥ 0")
    return int(seed)


def _name(measure: Measure) -> str:
    """module.function, with what a `functools.partial` binds to it."""
    if not callable(measure):
        raise fail("measure", measure, "must be a function")
    if not isinstance(measure, partial):
        return f"{measure.__module__}.{getattr(measure, '__qualname__', type(measure).__qualname__)}"
    bound = {**{str(i): value for i, value in enumerate(measure.args)}, **measure.keywords}
    try:
        return f"{_name(measure.func)}({json.dumps(bound, sort_keys=True)})"
    except TypeError:
        allowed = "a partial may bind numbers, strings and lists, by which the store knows it; make the rest from these"
        raise fail("measure", measure, allowed) from None
