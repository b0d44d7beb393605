"""Methods timed against each other: one resident process each, calls alternated, ratios pair by pair."""

import importlib
import multiprocessing
import os
import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_PAUSE = 0.3  # seconds in which the threads of one library stop spinning before the other is timed


class Ratio(NamedTuple):
    """Paired ratios of two methods: median, smallest and largest."""

    median: float
    smallest: float
    largest: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.smallest:.2f}..{self.largest:.2f}]"


class Timings(NamedTuple):
    """Of each method: seconds of all calls, megabytes of memory at its peak beyond what it held before, result."""

    seconds: dict[str, Array]
    memory: dict[str, float]
    result: dict[str, Any]

    def milliseconds(self, method: str) -> float:
        """Median time of one call."""
        return 1e3 * float(np.median(self.seconds[method]))

    def ratio(self, peer: str, ours: str = "ours") -> Ratio:
        """How many times longer the peer takes."""
        ratios = self.seconds[peer] / self.seconds[ours]
        return Ratio(float(np.median(ratios)), float(ratios.min()), float(ratios.max()))

    def fastest(self, methods: Iterable[str]) -> str:
        """The fastest of some methods."""
        return min(methods, key=self.milliseconds)


class Methods:
    """Resident processes, one for each method "module:function"; the function prepares a call without arguments."""

    def __init__(self, methods: dict[str, str]):
        context = multiprocessing.get_context("spawn")
        self.links, self.processes = {}, []
        for name, where in methods.items():
            self.links[name], theirs = context.Pipe()
            self.processes.append(context.Process(target=_serve, args=(where, theirs), daemon=True))
            self.processes[-1].start()

    def compare(self, case: dict[str, Any], pairs: int = 7) -> Timings:
        """Prepare all methods for one case, call each once unmeasured, then alternate `pairs` measured calls."""
        memory, result = {}, {}
        for name in self.links:
            memory[name], result[name] = self._ask(name, case)
        seconds: dict[str, list[float]] = {name: [] for name in self.links}
        for _ in range(pairs):
            for name in self.links:
                seconds[name].append(self._ask(name, None))
                time.sleep(_PAUSE)
        return Timings({name: np.array(values) for name, values in seconds.items()}, memory, result)

    def _ask(self, name: str, request: Any) -> Any:
        self.links[name].send(request)
        answer = self.links[name].recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """End the processes."""
        for link in self.links.values():
            link.send("end")
        for process in self.processes:
            process.join()


@contextmanager
def resident(methods: dict[str, str], threads: int | None = None) -> Iterator[Methods]:
    """`Methods` on `threads` threads each, BLAS included, ended afterwards."""
    count = str(threads or os.cpu_count() or 1)
    changed = {"NUMBA_NUM_THREADS": count, "OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count}
    before = {key: os.environ.get(key) for key in changed}
    os.environ.update(changed)
    running = Methods(methods)
    try:
        yield running
    finally:
        running.close()
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})


def _serve(where: str, link: Any) -> None:
    module, _, function = where.partition(":")
    prepare = getattr(importlib.import_module(module, __package__), function)
    call: Any = None
    while (request := link.recv()) != "end":
        try:
            if request is not None:
                before = _peak()
                call = prepare(**request)
                result = call()
                link.send((_peak() - before, result))
            else:
                start = time.perf_counter()
                call()
                link.send(time.perf_counter() - start)
        except Exception as error:  # to be raised where the question came from
            link.send(error)


def _peak() -> float:
    """Largest memory this process ever held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
