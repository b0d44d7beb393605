"""Progress of long work: a bar with the time left on a terminal, nothing elsewhere; it vanishes when the work is done.

One bar at a time: work within work that shows a bar stays silent.
"""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
Advance = Callable[[int, int, str], None]
Report = Callable[[int, int, float], None]

_shown = threading.Lock()


@contextmanager
def stage(title: str) -> Iterator[Advance]:
    """A function (done, total, note) that moves the bar of this work on the standard error.

    The first call says where the work begins: the time left is that of what was done since.
    """
    if not sys.stderr.isatty() or not _shown.acquire(blocking=False):
        yield lambda done, total, note: None
        return
    try:
        with _bar(title) as advance:
            yield advance
    finally:
        _shown.release()


def tracked(items: Iterable[T], title: str) -> Iterator[T]:
    """The items, one by one, under a bar."""
    listed = list(items)
    with stage(title) as advance:
        advance(0, len(listed), "")
        for done, item in enumerate(listed):
            yield item
            advance(done + 1, len(listed), "")


@contextmanager
def training(progress: Report | bool, title: str, steps: int, done: int = 0) -> Iterator[Report]:
    """A function (step, steps, loss) to call now and then while a network is trained.

    `progress` itself if it is one; for True a bar with the loss, begun at step `done`; otherwise one that does nothing.
    """
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda step, steps, loss: None
    else:
        with stage(title) as advance:
            advance(done, steps, "")
            yield lambda step, steps, loss: advance(step, steps, f"loss {loss:.4f}")


@contextmanager
def _bar(title: str) -> Iterator[Advance]:
    # Imported here because rich takes a tenth of a second, which only those who see the bar should pay.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(f"{title:<36}"),
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, start=False, total=None, note="")

        def advance(done: int, total: int, note: str) -> None:
            if bar.tasks[0].started:
                bar.update(task, completed=done, total=total, note=note)
            else:
                bar.reset(task, completed=done, total=total, note=note)

        yield advance
