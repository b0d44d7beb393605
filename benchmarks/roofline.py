"""What the machine can do: brute force against its own matrix product and exponential, both in float32.

A query and a point cost 4D operations of the matrix product (distances, mean) and one exponential; the roof is the
time of these alone, by OpenBLAS through NumPy and by PyTorch's vectorised exp.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .data import Problem
from .side_by_side import resident

_METHODS = {
    "ours": ".ours:brute_force",
    "product": ".roofline:product",
    "exponential": ".roofline:exponential",
}


def product(**case: Any) -> Callable[[], Any]:
    """Q × D times D × N, by blocks that stay in the cache, twice."""
    points, queries, _ = Problem(**case).float32()
    block = 4096
    parts = [np.ascontiguousarray(points[start : start + block].T) for start in range(0, len(points), block)]
    out = np.empty((len(queries), block), np.float32)

    def run() -> Any:
        for _ in range(2):
            for part in parts:
                np.matmul(queries, part, out=out[:, : part.shape[1]])
        return out[0, 0]

    return run


def exponential(**case: Any) -> Callable[[], Any]:
    """N × Q exponentials, by blocks that stay in the cache."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    block = torch.rand(case["n_queries"], 256) - 1.0
    out = torch.empty_like(block)
    count = -(-case["n_points"] // 256)

    def run() -> Any:
        for _ in range(count):
            torch.exp(block, out=out)
        return float(out[0, 0])

    return run


def rows(quick: bool) -> Iterator[dict[str, Any]]:
    """One line per dimension: our time and which fraction of it the two roofs are."""
    sizes = [(3, 0.5, 1000), (32, 6.0, 1000), (784, 60.0, 256)]
    with resident(_METHODS) as methods:
        for dim, r, n_queries in sizes[:2] if quick else sizes:
            n_points = 10_000 if quick else 60_000
            case = {"n_points": n_points, "dim": dim, "n_queries": n_queries, "r": r}
            timings = methods.compare(case, 3 if quick else 7)
            ours = timings.milliseconds("ours")
            roof = timings.milliseconds("product") + timings.milliseconds("exponential")
            yield {
                "D": dim,
                "queries": n_queries,
                "N": n_points,
                "ours ms": ours,
                "two products ms": timings.milliseconds("product"),
                "exponentials ms": timings.milliseconds("exponential"),
                "fraction of the roof": roof / ours,
            }
