"""One thread of BLAS beside ours: those of OpenBLAS wait by spinning, and would take the time of the next kernel."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all loaded libraries: 2 ms, where a limit costs 30 μs


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Context, or decorator, in which BLAS computes on one thread."""
    with _controller().limit(limits=1, user_api="blas"):
        yield
