"""Progress of long work: one bar per stage with the time left, on a terminal only."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
Advance = Callable[[int, int, str], None]


@contextmanager
def stage(title: str) -> Iterator[Advance]:
    """A function (done, total, note) that moves the bar of this stage; silent when not on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total, note: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(f"{title:<36}"),
        BarColumn(bar_width=10),
        TaskProgressColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None, note="")
        yield lambda done, total, note: bar.update(task, completed=done, total=total, note=note)


def tracked(items: Iterable[T], title: str) -> Iterator[T]:
    """The items, one by one, under a bar."""
    listed = list(items)
    with stage(title) as advance:
        advance(0, len(listed), "")
        for i, item in enumerate(listed):
            yield item
            advance(i + 1, len(listed), "")


def training_stage(title: str, run: Callable[[Callable[[int, int, float], None]], T]) -> T:
    """`run(report)` under a bar that shows the loss; `report` is what `models.train` calls."""
    with stage(title) as advance:
        return run(lambda step, steps, loss: advance(step, steps, f"loss {loss:.3f}"))
