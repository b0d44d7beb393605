"""The directory of a training run: its checkpoint and metrics, and the refusal of those of another run."""

import hashlib
import json
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ...conventions import atomic_files
from ...conventions.arguments import Array
from ...theory.processes import Process
from . import checkpoint
from .config import TrainingConfig
from .run import TrainingRun


class RunDirectory:
    """The directory of a run: its checkpoint and its metrics."""

    def __init__(self, directory: Path, identity: dict[str, Any]) -> None:
        self.directory, self.identity = directory, identity
        self.metrics = directory / "metrics.jsonl"

    def resume(self, run: TrainingRun) -> None:
        """Restores the run from the checkpoint, if there is one, and drops metrics later than it."""
        if checkpoint.exists(self.directory, "checkpoint"):
            tensors, record = checkpoint.read(self.directory, "checkpoint")
            self._compare(record["identity"])
            run.restore(tensors, record["step"], record["seconds"])
        self.directory.mkdir(parents=True, exist_ok=True)
        for remains in self.directory.glob(f".{self.metrics.stem}-*"):  # of a process killed at what comes below
            remains.unlink()
        lines = self.metrics.read_text().splitlines(keepends=True) if self.metrics.exists() else []
        # A killed run may leave lines of steps after its checkpoint, which will come again, and half a line.
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= run.step]
        if kept != lines:
            atomic_files.write(self.metrics, "".join(kept))

    def log(self, run: TrainingRun, loss: float) -> None:
        """Adds a line of metrics."""
        line = {"step": run.step, "loss": loss, "seconds": round(run.seconds, 3)}
        with open(self.metrics, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def save(self, run: TrainingRun) -> None:
        """Writes the checkpoint of the run's present step."""
        record = {
            "step": run.step,
            "seconds": run.seconds,
            "identity": self.identity,
            "versions": _versions(),
        }
        checkpoint.write(self.directory, "checkpoint", run.tensors(), record)

    def _compare(self, found: dict[str, Any]) -> None:
        # A parameter that did not exist when the run was begun had what is now its default.
        found = {**found, "configuration": {**asdict(TrainingConfig()), **found["configuration"]}}
        for part, expected in self.identity.items():
            if found[part] != expected:
                shown = _difference(found[part], expected)
                raise ValueError(
                    f"directory = {str(self.directory)!r}: holds a run with another {part} ({shown}); "
                    "must be empty, or that of a run with the same configuration, data and process"
                )


def identity(data: Array, config: TrainingConfig, process: Process | None) -> dict[str, Any]:
    """What must agree for a run to be taken up: the configuration, a sum over the data, the process."""
    digest = hashlib.sha256(repr(data.shape).encode() + np.ascontiguousarray(data).tobytes()).hexdigest()
    clock = None
    if process is not None:  # the process as a function, so that any object with these methods will do
        ends = process.time(np.array([config.sigma_min, config.sigma_max]) ** 2)
        clock = [type(process).__name__, *process.noise_ratio(np.linspace(ends[0], ends[1], 5)).tolist()]
    parts = {"configuration": asdict(config), "data set": digest, "process": clock}
    return json.loads(json.dumps(parts))  # tuples become the lists that a checkpoint gives back


def _difference(found: Any, expected: Any) -> str:
    """The entries in which two records differ."""
    if isinstance(found, dict) and isinstance(expected, dict):
        names = [name for name in expected if found.get(name) != expected[name]]
        return ", ".join(f"{name} {found.get(name)} there, {expected[name]} here" for name in names)
    return f"{found} there, {expected} here"


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("torch", "numpy", "safetensors")}
    return {"python": platform.python_version(), **packages}
