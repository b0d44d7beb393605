"""Several training runs at once, one process for each core: small networks gain nothing from more threads."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from figures.stages import stage
from theory.processes import Process
from theory.validation import Array

if TYPE_CHECKING:
    from models import ScoreNetwork, TrainingConfig


class Run(NamedTuple):
    """One training run: its points (N, D), configuration, directory, and the process that draws its noise levels."""

    points: Array
    config: "TrainingConfig"
    directory: Path
    process: Process | None = None


def trained(runs: Sequence[Run], title: str, device: str = "cpu") -> "list[ScoreNetwork]":
    """The networks of all `runs`, trained or, where the directory holds a finished run, read.

    On the CPU side by side in processes of their own, as many as cores. Interrupted, all are taken up at their last
    checkpoint.
    """
    side_by_side([partial(_finish, run, device) for run in runs], title, workers=1 if device != "cpu" else None)
    return [_finish(run, device) for run in runs]


def side_by_side(tasks: Sequence[Callable[[], object]], title: str, workers: int | None = None) -> None:
    """Runs the tasks, which leave their results on disk, in as many processes as there are cores.

    Tasks must be picklable: functions of a module, with `functools.partial`. An error in one is raised here.
    """
    count = min(workers or os.cpu_count() or 1, len(tasks))
    with stage(title) as advance:
        advance(0, len(tasks), "")
        if count <= 1:
            for done, task in enumerate(tasks):
                task()
                advance(done + 1, len(tasks), "")
            return
        # spawned, not forked: the threads of torch and Numba do not survive a fork
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
            futures = [pool.submit(_discard, task) for task in tasks]
            for done, future in enumerate(as_completed(futures)):
                future.result()
                advance(done + 1, len(tasks), "")


def _discard(task: Callable[[], object]) -> None:
    task()


def _finish(run: Run, device: str) -> "ScoreNetwork":
    from models import train

    return train(run.points, run.config, run.directory, run.process, progress=False, device=device)
