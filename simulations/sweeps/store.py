"""A sweep on disk: one file for each finished measurement, whole or absent, and the refusal of another sweep's folder.

    STORE/sweep.json           what the sweep is: measure, version, seed, names of the axes, inner coordinates
    STORE/points/KEY.json      one measurement: its point, replica, observables, seconds, commit
    STORE/sweep.nc             all of them as one Dataset, once the grid is complete

A file appears by renaming, so that a process killed at any moment loses only what it was measuring; several processes,
also on several machines, may fill one folder. Plain JSON: floats come back to the last bit, and nothing is unpickled.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...conventions import atomic_files
from ...conventions.arguments import Array, fail

FORMAT = 1
Point = dict[str, Any]  # axis name → number, string or bool


class Task(NamedTuple):
    """One measurement: a point of the grid and which of its replicas."""

    point: Point
    replica: int

    @property
    def digest(self) -> bytes:
        """SHA-256 of the values of the point, whatever the order of the axes; 1000 and 1000.0 are one value."""
        values = {name: _canonical(value) for name, value in self.point.items()}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).digest()

    @property
    def key(self) -> str:
        """Name of the file that keeps it."""
        return f"{self.digest.hex()[:24]}-{self.replica}"

    def generator(self, seed: int) -> np.random.Generator:
        """Random numbers of this measurement, set by the seed, the values of the point and the replica alone."""
        words = np.frombuffer(self.digest, dtype="<u4").tolist()
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*words, self.replica)))

    def __str__(self) -> str:
        values = ", ".join(f"{name} = {value}" for name, value in self.point.items())
        return f"{values}, replica {self.replica}"


class Observed(NamedTuple):
    """One observable of one measurement; `stderr` None where the measure gives none."""

    mean: Array
    stderr: Array | None


Result = dict[str, Observed]


class SweepStore:
    """The folder of a sweep."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        """Creates the folder, or checks that it holds the same sweep; ValueError if it holds anything else."""
        self.folder, self.points = folder, folder / "points"
        stated, described = {"format": FORMAT, **identity}, folder / "sweep.json"
        if described.exists():
            _compare(_read(described), stated, folder)
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise fail("store", str(folder), "must be a folder that is empty, new or that of this sweep")
        try:
            self.points.mkdir(parents=True, exist_ok=True)
            if not described.exists():
                _write(described, stated)
        except OSError as error:
            raise fail("store", str(folder), f"must be a folder that can be written to ({error.strerror})") from None

    def keep(self, task: Task, result: Result, **remarks: Any) -> None:
        """Writes a finished measurement."""
        record = {
            "point": {name: _canonical(value) for name, value in task.point.items()},
            "replica": task.replica,
            **remarks,
            "observables": {
                name: {part: _to_json(value) for part, value in one._asdict().items() if value is not None}
                for name, one in result.items()
            },
        }
        _write(self.points / f"{task.key}.json", record)

    def has(self, task: Task) -> bool:
        """Whether it has been measured."""
        return (self.points / f"{task.key}.json").exists()

    def read(self, task: Task) -> tuple[Result, dict[str, Any]]:
        """A measurement and the remarks kept with it; ValueError if its file is damaged or of another point."""
        path = self.points / f"{task.key}.json"
        record = _read(path)
        try:
            if record["point"] != {name: _canonical(value) for name, value in task.point.items()}:
                raise KeyError("point")
            result = {
                name: Observed(_from_json(one["mean"]), _from_json(one["stderr"]) if "stderr" in one else None)
                for name, one in record.pop("observables").items()
            }
        except (KeyError, TypeError, ValueError, AttributeError):
            raise fail("store", str(path), "is damaged; delete it to have it measured again") from None
        return result, record


def _write(path: Path, record: Mapping[str, Any]) -> None:
    atomic_files.write(path, json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def _canonical(value: Any) -> Any:
    """1000.0 → 1000, so that one number has one key."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _to_json(values: Array) -> Any:
    """Nested lists, null for NaN."""
    listed = values.astype(object)
    listed[np.isnan(values)] = None
    return listed.tolist()


def _from_json(values: Any) -> Array:
    return np.asarray(np.array(values, dtype=object), dtype=np.float64)


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(record, dict):
            return record
    except (OSError, ValueError):
        pass
    raise fail("store", str(path), "is damaged; delete it to start it afresh")


def _compare(found: dict[str, Any], stated: dict[str, Any], folder: Path) -> None:
    differing = [name for name in stated if found.get(name) != stated[name]]
    if differing:
        shown = "; ".join(f"{name} {found.get(name)} there, {stated[name]} here" for name in differing)
        raise fail("store", str(folder), f"holds another sweep ({shown}): give another folder")
