"""Several training runs at once, one process for each core: small networks gain nothing from more threads."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..conventions.arguments import Array
from ..conventions.progress import stage
from ..theory.processes import Process

if TYPE_CHECKING:
    from ..models import ScoreNetwork, TrainingConfig

T = TypeVar("T")


class NetworkRun(NamedTuple):
    """One training run: its points (N, D), configuration, directory, and the process that draws its noise levels."""

    points: Array
    config: "TrainingConfig"
    directory: Path
    process: Process | None = None


def trained(runs: Sequence[NetworkRun], title: str, device: str = "cpu") -> "list[ScoreNetwork]":
    """The networks of all `runs`, trained or, where the directory holds a finished run, read.

    On the CPU side by side in processes of their own, as many as cores. Interrupted, all are taken up at their last
    checkpoint.
    """
    side_by_side([partial(_train, run, device) for run in runs], title, workers=1 if device != "cpu" else None)
    return [_finish(run, device) for run in runs]


def side_by_side(tasks: Sequence[Callable[[], T]], title: str, workers: int | None = None) -> list[T]:
    """The results of the tasks, computed in as many processes as there are cores.

    Tasks and results must be picklable: functions of a module, with `functools.partial`. An error in one is raised
    here.
    """
    count = min(workers or os.cpu_count() or 1, len(tasks))
    with stage(title) as advance:
        advance(0, len(tasks), "")
        if count <= 1:
            results = []
            for task in tasks:
                results.append(task())
                advance(len(results), len(tasks), "")
            return results
        # spawned, not forked: the threads of torch and Numba do not survive a fork
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
            futures = [pool.submit(task) for task in tasks]
            for done, future in enumerate(as_completed(futures)):
                future.result()
                advance(done + 1, len(tasks), "")
            return [future.result() for future in futures]


def _train(run: NetworkRun, device: str) -> None:
    """Leaves the network in the directory of the run: networks are not sent between processes."""
    _finish(run, device)


def _finish(run: NetworkRun, device: str) -> "ScoreNetwork":
    from ..models import train

    return train(run.points, run.config, run.directory, run.process, progress=False, device=device)
