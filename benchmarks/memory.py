"""Memory at the peak, beyond the data themselves, from building the score to its first answers."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .data import Problem
from .side_by_side import resident

_METHODS = {"ours": ".memory:ours"}


def ours(dtype: str, ratios: tuple[float, ...], **case: Any) -> Callable[[], Any]:
    """Score 256 queries at each noise ratio; the points exist before the memory is counted."""
    from ..simulations import EmpiricalScore

    small = EmpiricalScore(np.zeros((64, case["dim"])) + np.arange(64)[:, None], dtype=dtype)
    for r in (1e-6, 1e6):  # what compilation takes is not counted
        small.observe(np.zeros((256, case["dim"])), r)
    points, queries, _ = Problem(**case, n_queries=256, r=1.0).float64()
    before = _resident_bytes()

    def run() -> float:
        empirical = EmpiricalScore(points, dtype=dtype)
        for r in ratios:
            empirical.observe(queries, r)
        return (_peak_bytes() - before) / points.nbytes

    return run


def rows(quick: bool) -> Iterator[dict[str, Any]]:
    """One line per precision and regime: peak over the size of the data."""
    n_points = 100_000 if quick else 1_000_000
    for dtype in ("float64", "float32"):
        for regime, ratios in {"condensed": (0.02,), "broad": (8.0,), "both": (0.02, 8.0)}.items():
            with resident(_METHODS) as methods:  # a fresh process: a peak never falls
                case = {"n_points": n_points, "dim": 16, "dtype": dtype, "ratios": ratios}
                yield {
                    "N": n_points,
                    "D": 16,
                    "precision": dtype,
                    "weights": regime,
                    "peak / data": float(methods.compare(case, 0).result["ours"]),
                }


def _resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def _peak_bytes() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
