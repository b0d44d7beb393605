"""One thread for each test process, because several share the cores; tests about threads ask for `all_cores`."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # NumPy and torch, here and in the processes that tests start


def use_threads(count: int | None) -> None:
    """Numba's threads from now on, None for all; nothing to do before the package's threading layer is chosen."""
    layer = sys.modules.get("remanifold.simulations.engine.threading_layer")
    if layer is not None:
        layer.numba.set_num_threads(count or layer.numba.config.NUMBA_NUM_THREADS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What one process takes of `--dist loadgroup`: a file, for what its tests share; all of simulations, which is
    the first and compiles the engine, so that it is compiled once.
    """
    for item in items:
        place = item.path.relative_to(Path(__file__).parent)
        item.add_marker(pytest.mark.xdist_group(place.parts[0] if place.parts[0] == "simulations" else str(place)))


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
