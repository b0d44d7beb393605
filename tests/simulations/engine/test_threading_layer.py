"""Work shared out among threads: order, errors, several callers, and processes forked later."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest

from remanifold.simulations import EmpiricalScore
from remanifold.simulations.engine.threading_layer import in_threads
from remanifold.simulations.engine.vectors.lanes import LANES

two_cores = pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core only")
pytestmark = pytest.mark.usefixtures("all_cores")


@two_cores
def test_order_and_several_threads():
    meet = threading.Barrier(2, timeout=10)  # passed by two threads at once, or not at all

    def work(task):
        if task < 2:
            meet.wait()
        return task, threading.get_ident()

    numbers, threads = zip(*in_threads(work, range(20)), strict=True)
    assert numbers == tuple(range(20))
    assert 2 <= len(set(threads)) <= numba.get_num_threads()
    again = {thread for _, thread in in_threads(lambda task: (task, threading.get_ident()), range(20))}
    assert again <= set(threads)  # no new ones


def test_one_thread_or_one_task_stays_here():
    assert list(in_threads(lambda _: threading.get_ident(), [0])) == [threading.get_ident()]
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert set(in_threads(lambda _: threading.get_ident(), range(5))) == {threading.get_ident()}
    finally:
        numba.set_num_threads(before)


def test_an_error_comes_back_and_the_threads_stay_useful():
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda task: 1 // task, [2, 0, 1]))
    assert list(in_threads(lambda task: 1 // task, [2, 1])) == [0, 1]


def test_many_callers_at_once():
    with ThreadPoolExecutor(8) as callers:
        sums = list(callers.map(lambda k: sum(in_threads(lambda i: i * k, range(50))), range(40)))
    assert sums == [1225 * k for k in range(40)]


def _observe(pipe, y, x):
    pipe.send(EmpiricalScore(y, "float32", engine="vectors").observe(x, 1.0).entropy)


@pytest.mark.skipif(not LANES, reason="this processor has neither AVX2 nor AVX-512")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on forks of threads
def test_a_forked_process_has_threads_of_its_own():
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("no fork here")
    rng = np.random.default_rng(0)
    y, x = rng.standard_normal((500, 12)), rng.standard_normal((200, 12))
    here = EmpiricalScore(y, "float32", engine="vectors").observe(x, 1.0).entropy  # the threads exist
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_observe, args=(send, y, x))
    process.start()
    try:
        assert receive.poll(30)
        assert np.array_equal(receive.recv(), here)
    finally:
        process.kill()
        process.join()
