"""One thread of BLAS while anyone is within, and what was set before afterwards."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from remanifold.simulations import EmpiricalScore
from remanifold.simulations.engine.blas_threads import one_blas_thread


def blas_threads():
    assert np.dot([1.0], [1.0]) == 1  # the library is loaded
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        assert before
        assert max(before) == 2
        yield before


def test_within_and_after(two_threads):
    with one_blas_thread():
        assert set(blas_threads()) == {1}
        with one_blas_thread():
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {1}
    assert blas_threads() == two_threads


def test_after_an_error(two_threads):
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        _ = 1 / 0
    assert blas_threads() == two_threads


def test_after_callers_that_overlapped(two_threads):
    entered, leave = threading.Event(), threading.Event()

    def other():
        with one_blas_thread():
            entered.set()
            leave.wait(10)

    with one_blas_thread():
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(10)
        assert set(blas_threads()) == {1}
    leave.set()
    thread.join()
    assert blas_threads() == two_threads


def test_spectra_and_spans_leave_the_setting(two_threads):
    rng = np.random.default_rng(0)
    score = EmpiricalScore(rng.standard_normal((300, 3)) @ rng.standard_normal((3, 20)))
    x = rng.standard_normal(20)
    for method in (score.observe, score.jacobian_spectrum, score.posterior_covariance):
        method(x, 1.0)
        assert blas_threads() == two_threads
