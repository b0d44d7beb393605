"""The grid of a sweep: its axes as plain values, and its measurements as one Dataset."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...conventions.arguments import Array, fail, numbers
from ...conventions.estimate import Estimate
from .store import Result, Task

if TYPE_CHECKING:
    import xarray

Grid = dict[str, list[Any]]


def checked_axes(axes: Mapping[str, Any]) -> Grid:
    """Name → list of numbers, strings or bools, a constant as a list of one; ValueError otherwise."""
    if not isinstance(axes, Mapping) or not axes:
        raise fail("axes", axes, "must be a mapping from names to values, with one axis or more")
    return {_named(name, "axes"): _values(name, values) for name, values in axes.items()}


def checked_inner(inner: Mapping[str, ArrayLike], axes: Mapping[str, Any]) -> dict[str, Array]:
    """Name → finite coordinates (m,), m ≥ 1."""
    checked = {}
    for name, values in inner.items():
        checked[_named(name, "inner")] = coordinates = numbers(values, name)
        if coordinates.ndim != 1 or coordinates.size == 0 or name in axes:
            raise fail("inner", name, "must be a list of numbers, and not one of the axes")
    return checked


def as_dataset(
    results: Mapping[str, Result],
    axes: Mapping[str, Any],
    grid: Grid,
    inner: Mapping[str, Array],
    replicas: int,
) -> "xarray.Dataset":
    """Means and standard errors over the grid; NaN at points of which a replica is missing from `results`."""
    import xarray

    shape, over = tuple(map(len, grid.values())), tuple(grid)
    fields: dict[str, tuple[tuple[str, ...], Array]] = {}
    for index in np.ndindex(shape):
        point = {name: values[i] for (name, values), i in zip(grid.items(), index, strict=True)}
        keys = [Task(point, replica).key for replica in range(replicas)]
        if not all(key in results for key in keys):
            continue
        for name, value in _averaged([results[key] for key in keys]).items():
            along = tuple(inner) if value.ndim else ()
            if name not in fields:
                fields[name] = ((*over, *along), np.full(shape + value.shape, np.nan))
            if fields[name][0] != (*over, *along):
                raise fail("measure", name, "must be a number at all points of the grid, or an array at all of them")
            fields[name][1][index] = value
    taken = sorted(set(fields) & {*grid, *inner})
    if taken:
        raise fail("measure", taken, "observables must not have the names of axes")
    dataset = xarray.Dataset(fields, coords={**grid, **inner})
    return dataset.squeeze([name for name in grid if _is_constant(axes[name])])


def _averaged(measured: list[Result]) -> dict[str, Array]:
    """Each observable's mean over replicas, and NAME_stderr where it has one."""
    averages = {}
    for name in dict.fromkeys(name for result in measured for name in result):
        found = [result[name] for result in measured if name in result]
        if len(found) < len(measured):
            raise fail("measure", name, "must be measured in all replicas of a point, NaN where it is not defined")
        mean, stderr = found[0]
        if len(found) > 1:
            mean, stderr = map(np.asarray, Estimate.of(np.stack([one.mean for one in found], axis=-1)))
        averages[name] = mean
        if stderr is not None:
            averages[f"{name}_stderr"] = stderr
    return averages


def _named(name: object, argument: str) -> str:
    if not isinstance(name, str) or not name.isidentifier() or name == "rng":
        raise fail(argument, name, "must be named like arguments of the measure, other than rng")
    return name


def _is_constant(values: Any) -> bool:
    return isinstance(values, str) or np.ndim(values) == 0


def _values(name: str, values: Any) -> list[Any]:
    listed = [_plain(name, value) for value in ([values] if _is_constant(values) else values)]
    kinds = {"numbers" if type(value) in (int, float) else type(value).__name__ for value in listed}
    if len(kinds) != 1 or len(set(listed)) < len(listed):
        raise fail(name, values, "must be different numbers, strings or bools, one or more and of one kind")
    return listed


def _plain(name: str, value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    if type(plain) not in (int, float, str, bool) or (type(plain) is float and not np.isfinite(plain)):
        raise fail(name, value, "must be a finite number, a string or a bool")
    return plain
