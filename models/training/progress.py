"""What a training run tells while it runs: a bar on a terminal, or a function of the caller, or nothing."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[int, int, float], None]


@contextmanager
def reporter(progress: Report | bool, steps: int, done: int = 0) -> Iterator[Report]:
    """A function (step, steps, loss) to call now and then.

    `progress` itself if it is one; for True a bar with the loss and the time left, on the standard error if
    that is a terminal; otherwise one that does nothing.
    """
    if callable(progress):
        yield progress
    elif progress and sys.stderr.isatty():
        with _bar(steps, done) as report:
            yield report
    else:
        yield lambda step, steps, loss: None


@contextmanager
def _bar(steps: int, done: int) -> Iterator[Report]:
    # Imported here because rich takes a tenth of a second, which only those who see the bar should pay.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=steps, completed=done, loss="…")
        yield lambda step, steps, loss: bar.update(task, completed=step, loss=f"{loss:.4f}")
