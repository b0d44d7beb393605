"""Brute force: every point of a normal cloud summed, broad weights, nothing to skip; float32.

Ours returns log density, participation, entropy, nearest point and mean squared distance besides the posterior
mean that the peers compute.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .peers import FUSED
from .side_by_side import resident

_SIZES = [  # D, Q, N, r
    (1, 2000, 100_000, 0.5),
    (2, 2000, 100_000, 0.5),
    (3, 2000, 100_000, 0.5),
    (4, 2000, 100_000, 0.5),
    (8, 2000, 100_000, 2.0),
    (9, 1000, 100_000, 2.0),
    (16, 1000, 100_000, 4.0),
    (32, 1000, 100_000, 6.0),
    (64, 1000, 60_000, 10.0),
    (128, 512, 60_000, 15.0),
    (256, 512, 60_000, 30.0),
    (784, 256, 60_000, 60.0),
    (1024, 256, 30_000, 80.0),
    (3072, 256, 10_000, 250.0),
    (3, 1, 100_000, 0.5),
    (32, 1, 100_000, 6.0),
    (784, 1, 60_000, 60.0),
    (32, 100, 2_000, 6.0),
]
_QUICK = [(3, 500, 20_000, 0.5), (32, 256, 20_000, 6.0), (784, 64, 6_000, 60.0)]
_METHODS = {
    "ours": ".ours:brute_force",
    **FUSED,
    "addmm": ".peers:addmm_softmax",
}


def rows(quick: bool) -> Iterator[dict[str, Any]]:
    """One line per size: our time, the faster form of fused attention, addmm + softmax, and the ratios."""
    with resident(_METHODS) as methods:
        for dim, n_queries, n_points, r in _QUICK if quick else _SIZES:
            case = {"n_points": n_points, "dim": dim, "n_queries": n_queries, "r": r}
            timings = methods.compare(case, 3 if quick else 7)
            for peer in _METHODS:  # the peers add 1e5 weights in float32 and err by 1e-4
                if np.abs(timings.result[peer] - timings.result["ours"]).max() > 2e-3:
                    raise ArithmeticError(f"{peer} disagrees with ours at {case}")
            fused = timings.fastest(FUSED)
            yield {
                "D": dim,
                "queries": n_queries,
                "N": n_points,
                "ours ms": timings.milliseconds("ours"),
                "fused attention ms": timings.milliseconds(fused),
                "ratio": timings.ratio(fused),
                "addmm + softmax ms": timings.milliseconds("addmm"),
                "its ratio": timings.ratio("addmm"),
            }
