"""Numba's threads: the layer that leaves PyTorch alone, and the lock that this layer needs.

Numba's OpenMP layer, started before `import torch`, makes torch 5-9 times slower.  The workqueue layer does not, but
it aborts when two Python threads enter it at once: take `one_at_a_time` around every call of a parallel function.
Compiled code that is not parallel by itself is shared out by `in_threads`.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import numba

_settings: Any = numba.config
if "NUMBA_THREADING_LAYER" not in os.environ and _settings.THREADING_LAYER == "default":
    _settings.THREADING_LAYER = "workqueue"

one_at_a_time = threading.Lock()

T = TypeVar("T")
R = TypeVar("R")


def in_threads(work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
    """work(task) of all tasks, in their order, on `numba.get_num_threads()` threads that stay for the next time.

    Worth it where `work` lets go of Python's lock.  It must not call `in_threads` itself.
    """
    threads = numba.get_num_threads()
    return map(work, tasks) if threads == 1 or len(tasks) == 1 else _pool(threads).map(work, tasks)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)  # to start a thread takes half a millisecond, as long as many a call


os.register_at_fork(after_in_child=_pool.cache_clear)  # the threads do not survive a fork
