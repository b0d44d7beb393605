"""Where the measurements of a sweep run: here, in processes of one thread each, or wherever a client sends them."""

import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from ...conventions.arguments import fail
from ...conventions.estimate import Estimate
from .store import Observed, Result, Task

Measure = Callable[..., Mapping[str, Any]]


class Client(Protocol):
    """Any executor of `concurrent.futures`, or a `dask.distributed.Client`."""

    def submit(self, fn: Callable[..., Any], /, *arguments: Any) -> Any:
        """A future of fn(*arguments), with `add_done_callback`, `exception`, `result` and `cancel`."""
        ...


class Outcome(NamedTuple):
    """What became of a task: its result, or the exception it raised."""

    task: Task
    result: Result | None
    seconds: float
    error: BaseException | None = None


def outcomes(
    measure: Measure,
    tasks: Sequence[Task],
    seed: int,
    inner: tuple[int, ...],
    workers: int,
    client: Client | None,
) -> Generator[Outcome, None, None]:
    """The outcomes of all tasks as they come in; an error in one does not stop the others.

    One worker and no client: one after the other in this process, with all its threads. Otherwise `measure` must be
    picklable.
    """
    if not tasks:
        return
    run = partial(_measured, measure, seed, inner)
    if client is not None:
        futures: dict[str, Any] = {}
        try:
            yield from _as_they_come(client, run, tasks, futures)
        finally:
            for future in futures.values():
                future.cancel()  # what an interruption leaves undone
    elif workers == 1:
        for task in tasks:
            try:
                yield Outcome(task, *run(task))
            except Exception as error:
                yield Outcome(task, None, 0.0, error)
    else:
        # spawned, not forked: the threads of Numba and torch do not survive a fork
        context = get_context("spawn")
        pool = ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context, initializer=_begin_worker)
        try:
            yield from _as_they_come(pool, run, tasks, {})
        finally:
            pool.shutdown(cancel_futures=True)


def _as_they_come(
    client: Client, run: Callable[[Task], Any], tasks: Sequence[Task], futures: dict[str, Any]
) -> Iterator[Outcome]:
    """Outcomes in the order of completion; `futures` is filled with those not yet done."""
    done: SimpleQueue[Any] = SimpleQueue()
    for task in tasks:
        futures[task.key] = future = client.submit(run, task)
        future.add_done_callback(partial(_note, done, task))
    for _ in tasks:
        task, future = done.get()
        del futures[task.key]  # a dask future holds its result on the cluster while it lives
        error = future.exception()
        yield Outcome(task, None, 0.0, error) if error is not None else Outcome(task, *future.result())


def _note(done: "SimpleQueue[Any]", task: Task, future: Any) -> None:
    done.put((task, future))


def _begin_worker() -> None:
    """In a worker process: one thread, for there are as many processes as cores; an interruption ends it silently."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where the shell ignores it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    numba.set_num_threads(1)
    threadpool_limits(1)


def _measured(measure: Measure, seed: int, inner: tuple[int, ...], task: Task) -> tuple[Result, float]:
    """The observables of one task and the seconds it took."""
    start = time.perf_counter()
    values = measure(**task.point, rng=task.generator(seed))
    if not isinstance(values, Mapping) or not values:
        raise fail("measure", values, "must return a mapping from the names of observables to their values")
    result = {name: _observed(name, value, inner) for name, value in values.items()}
    return result, time.perf_counter() - start


def _observed(name: object, value: Any, inner: tuple[int, ...]) -> Observed:
    if not isinstance(name, str) or not name:
        raise fail("measure", name, "must name its observables by strings")
    mean, stderr = value if isinstance(value, Estimate) else (value, None)
    parts = [None if part is None else np.asarray(part, dtype=np.float64) for part in (mean, stderr)]
    for part in parts:
        if part is not None and part.shape not in ((), inner):
            allowed = f"must be one number, or an array of the shape {inner} of the inner coordinates"
            raise ValueError(f"{name} has shape {part.shape}: {allowed}")
        if part is not None and np.isinf(part).any():
            raise fail(name, part, "must be finite, or NaN where it is not defined")
    return Observed(*parts)  # type: ignore[arg-type]
