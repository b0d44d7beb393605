"""Empirical averages of a manifold over N, r and one of its parameters, with error bars, beside theory."""

import hashlib
import json
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...conventions.arguments import Array, fail, one_of
from ...conventions.atomic_files import writable
from ...conventions.datasets import described
from ...conventions.law import has_energies
from ...manifolds.data_source import slug
from ...manifolds.names import manifold
from ...simulations import EmpiricalScore, planted_averages, sweep
from ...theory import collapse
from ...theory.finite_size.observables import OBSERVABLES, expected_observables, ratios_around
from ..drawing.run_pictures import sweep_picture
from ..results import provenance, save

if TYPE_CHECKING:
    import xarray

DEFAULT_RATIOS = 12
MEANINGS = {
    "name": ("name of the manifold", "1"),
    "exact": ("1 where theory is exact at N, 0 where it is to leading order", "1"),
}


class Plan(NamedTuple):
    """What to sweep: a manifold's name, sizes N, ratios r (m,), observables, and values of one parameter, or none."""

    manifold: str
    sizes: list[int]
    r: Array
    observables: list[str]
    replicas: int
    queries: int
    seed: int
    over: str | None = None
    values: tuple[Any, ...] = ()

    @property
    def folder(self) -> str:
        """Name for the results; more sizes, values or replicas add to it, everything else has its own."""
        fixed = [self.manifold, self.r.tolist(), self.observables, self.queries, self.seed, self.over]
        return f"sweep-{slug(self.manifold)}-{hashlib.sha256(json.dumps(fixed).encode()).hexdigest()[:8]}"

    @property
    def axes(self) -> dict[str, Any]:
        """The axes of `simulations.sweeps.sweep`."""
        varied = {self.over: list(self.values)} if self.over else {}
        return {"name": self.manifold, **varied, "n": self.sizes}


def plan(
    name: str,
    sizes: list[int],
    r: Array | None,
    observables: str,
    over: str | None = None,
    *,
    replicas: int = 4,
    queries: int = 512,
    seed: int = 0,
) -> Plan:
    """The plan of the command's arguments; ValueError for whatever cannot be swept, before anything is computed."""
    names = observables.split(",")
    for observable in names:
        one_of(observable, OBSERVABLES, "observable")
    if len(set(names)) < len(names):
        raise fail("observables", observables, "must be different")
    if queries < 2:
        raise fail("queries", queries, "must be ≥ 2, for an error bar")
    key, values = (None, ()) if over is None else _varied(over)
    laws = [manifold(name)] if key is None else [manifold(name, **{key: value}) for value in values]
    grid = ratios_around(laws, sizes, DEFAULT_RATIOS) if r is None else r
    return Plan(name, sizes, grid, names, replicas, queries, seed, key, values)


def computed(asked: Plan, out: Path, workers: int, share: tuple[int, int] | None) -> "xarray.Dataset":
    """Measurements (replicas: data sets) and theory over the plan's axes; NaN at what other shares must still measure.

    Kept in `out`/FOLDER/measured and …/theory as they come. ValueError names the points that failed.
    """
    store, r = writable(out) / asked.folder, asked.r.tolist()
    measure = partial(measured, ratios=r, observables=asked.observables, queries=asked.queries)
    theory = partial(predicted, ratios=r, observables=asked.observables)
    common: dict[str, Any] = {"seed": asked.seed, "inner": {"r": asked.r}, "workers": workers, "share": share}
    try:
        for _ in range(1 if share is None else 2):  # once more for what other jobs have finished meanwhile
            legs = sweep(theory, asked.axes, store / "theory", **common)
            numbers = sweep(measure, asked.axes, store / "measured", replicas=asked.replicas, **common)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    merged = numbers.merge(legs, compat="no_conflicts", join="exact", combine_attrs="override")
    varied = {} if asked.over is None else {asked.over: (f"{asked.over} of the manifold", "1")}
    return described(merged, MEANINGS | varied)


def measured(
    name: str,
    n: int,
    rng: np.random.Generator,
    ratios: list[float],
    observables: list[str],
    queries: int,
    **parameter: Any,
) -> dict[str, Any]:
    """The observables of one data set of n points, averaged over planted queries."""
    points = manifold(name, **parameter).sample(n, rng)
    score, r = EmpiricalScore(points), np.array(ratios)
    curves = {"dimension": score.dimension, "information": score.information}
    found: dict[str, Any] = {o: curves[o](r, rng, queries) for o in observables if o in curves}
    if len(found) < len(observables):
        found |= planted_averages(score, r, rng, queries)._asdict()
    return {observable: found[observable] for observable in observables}


def predicted(
    name: str, n: int, rng: np.random.Generator, ratios: list[float], observables: list[str], **parameter: Any
) -> dict[str, Any]:
    """Theory for the same: NAME_theory at N points, d and I of the population, r_c; `exact` 1 if exact at finite N."""
    law, r = manifold(name, **parameter), np.array(ratios)
    expected = expected_observables(law, math.log(n), r, observables)
    found: dict[str, Any] = {f"{o}_theory": values for o, values in expected.items()}
    for observable in {"dimension", "information"} & set(observables):
        found[f"{observable}_population"] = getattr(law, observable)(r)
    return {**found, "collapse": collapse(law, log_n=math.log(n)), "exact": float(has_energies(law))}


def _varied(over: str) -> tuple[str, tuple[Any, ...]]:
    """ "ambient_dim=8,16" → ("ambient_dim", (8, 16)); values that are no numbers stay text, such as 1x16."""
    key, _, listed = over.partition("=")
    if not key.isidentifier() or not listed or key in ("n", "r", "name"):
        raise fail("over", over, "must be PARAMETER=VALUE,VALUE,… of the manifold, e.g. ambient_dim=8,16")
    values = [_number(text) for text in listed.split(",")]
    texts = listed.split(",") if any(isinstance(value, str) for value in values) else values
    if len(set(texts)) < len(texts):
        raise fail("over", over, "must be different values")
    return key, tuple(texts)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def rows(numbers: "xarray.Dataset", asked: Plan) -> list[dict[str, Any]]:
    """One row for each value of the parameter, N and r, for the table and the record."""
    found = []
    over: Sequence[Any] = asked.values or (None,)
    for value in over:
        for n in asked.sizes:
            one = numbers.sel({"n": n} if value is None else {"n": n, str(asked.over): value})
            r_c = float(one["collapse"])
            for ratio in asked.r:
                at = one.sel(r=ratio)
                row = {} if value is None else {str(asked.over): value}
                row |= {"n": n, "r": float(ratio), "r/r_c": float(ratio) / r_c}
                for name in asked.observables:
                    parts = [name, f"{name}_stderr", f"{name}_theory", f"{name}_population"]
                    row |= {part: float(at[part]) for part in parts if part in at}
                found.append(row)
    return found


def run(asked: Plan, out: Path, workers: int, share: tuple[int, int] | None) -> tuple[dict[str, Any], list[Path]]:
    """Measures, and once the grid is complete writes `out`/FOLDER: picture, numbers, record; else no paths."""
    numbers = computed(asked, out, workers, share)
    described = {key: value for key, value in asked._asdict().items() if key != "r"}
    record = provenance(command="sweep", **described, r=asked.r.tolist(), store=str(out / asked.folder))
    missing = [str(name) for name in numbers if numbers[name].isnull().any()]
    if missing:
        return {**record, "complete": False}, []
    record |= {"complete": True, "exact": bool(numbers["exact"].min()), "rows": rows(numbers, asked)}
    picture = sweep_picture(numbers, asked.over, asked.observables)
    return record, save(out, asked.folder, picture, numbers, record)


def part(share: str | None) -> tuple[int, int] | None:
    """ "3/8" → (3, 8); ValueError for anything but k/K with 1 ≤ k ≤ K."""
    if share is None:
        return None
    k, _, parts = share.partition("/")
    if not (k.isdecimal() and parts.isdecimal() and 1 <= int(k) <= int(parts)):
        raise fail("share", share, "must be k/K with 1 ≤ k ≤ K, e.g. 3/8")
    return int(k), int(parts)
