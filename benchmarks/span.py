"""Data in a small span: N points of rank 20 in 1000 dimensions, against fused attention in the ambient space."""

from collections.abc import Iterator
from typing import Any

from .peers import FUSED
from .side_by_side import resident

_METHODS = {
    "ours": ".ours:brute_force",
    **FUSED,
}


def rows(quick: bool) -> Iterator[dict[str, Any]]:
    """One line per size."""
    with resident(_METHODS) as methods:
        for n_points in (5_000,) if quick else (10_000, 100_000):
            case = {"n_points": n_points, "dim": 1000, "n_queries": 256, "rank": 20, "r": 4.0}
            timings = methods.compare(case, 3 if quick else 7)
            fused = timings.fastest(FUSED)
            yield {
                "D": 1000,
                "rank": 20,
                "N": n_points,
                "queries": 256,
                "ours ms": timings.milliseconds("ours"),
                "fused attention ms": timings.milliseconds(fused),
                "ratio": timings.ratio(fused),
            }
