"""One thread for each test process, because several share the cores; tests about threads ask for `all_cores`."""

import os
import sys
from typing import Any

import pytest

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # NumPy and torch, here and in the processes that tests start


def use_threads(count: int | None) -> None:
    """Numba's threads from now on, None for all; nothing to do before the package's threading layer is chosen."""
    layer = sys.modules.get("remanifold.simulations.engine.threading_layer")
    if layer is not None:
        layer.numba.set_num_threads(count or layer.numba.config.NUMBA_NUM_THREADS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What one process takes at a time: a file, because its tests share fixtures; all of simulations, the largest and
    therefore the first, so that one process compiles the engine while the others do mathematics.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Files(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "tests/simulations" if file.startswith("tests/simulations/") else file

    return Files(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    use_threads(1)


@pytest.fixture
def all_cores() -> None:
    use_threads(None)


@pytest.fixture
def rng() -> Any:
    import numpy as np

    return np.random.default_rng(11)
