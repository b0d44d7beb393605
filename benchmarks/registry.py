"""The benchmarks by name, and the machine they run on."""

import importlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..conventions import arguments

BENCHMARKS = {
    "brute-force": "every point summed, D = 1 … 3072, against fused attention and addmm + softmax",
    "notebook-code": "against scikit-learn's chunked distances and NumPy broadcasting",
    "condensed-phase": "certified pruning below collapse, clouds and real images, against fused attention",
    "span": "rank 20 in 1000 dimensions, against fused attention in the ambient space",
    "growth": "N = 1e3 … 1e6 from broad to condensed weights, against fused attention",
    "jacobian-spectrum": "exact spectrum at one point, against 4D orthogonal probes",
    "roofline": "brute force against the machine's own matrix product and exponential",
    "memory": "peak memory at N = 1e6, D = 16",
    "accuracy": "errors against extended precision, r = 1e-10 … 1e10, adversarial sets",
}


def rows(name: str, quick: bool) -> Iterator[dict[str, Any]]:
    """The lines of a benchmark, as they are measured."""
    arguments.one_of(name, BENCHMARKS, "benchmark")
    return importlib.import_module("." + name.replace("-", "_"), __package__).rows(quick)


def machine() -> dict[str, str]:
    """Processor, cores, lanes and versions."""
    import numba
    import numpy
    import torch

    from ..simulations.engine.vectors.lanes import LANES

    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "float32 lanes": str(LANES),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "numba": numba.__version__,
        "torch": torch.__version__,
    }


def cell(value: Any) -> str:
    """A number to three or four digits, anything else as it is."""
    if isinstance(value, float):
        return f"{value:.1e}" if value and not 1e-3 <= abs(value) < 1e5 else f"{value:.4g}"
    return str(value)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
