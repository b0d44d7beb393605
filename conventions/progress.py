"""Progress of a long loop: a bar with the time left on a terminal, nothing elsewhere."""

import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_shown = threading.Lock()  # one bar at a time: loops within a tracked loop stay silent


def tracked(items: Sequence[T], title: str) -> Iterator[T]:
    """The items, one by one, under a bar on the standard error if that is a terminal; it vanishes when done."""
    if not sys.stderr.isatty() or not _shown.acquire(blocking=False):
        yield from items
        return
    # Imported here because rich takes a tenth of a second, which only those who see the bar should pay.
    from rich.console import Console
    from rich.progress import track

    try:
        yield from track(items, title, console=Console(stderr=True), transient=True)
    finally:
        _shown.release()
