"""What people write first: chunked distances of scikit-learn, and NumPy broadcasting over all pairs; float32."""

from collections.abc import Iterator
from typing import Any

from .side_by_side import resident

_SIZES = [(3, 200, 100_000, 0.5), (32, 100, 100_000, 6.0), (784, 32, 10_000, 60.0)]
_QUICK = [(3, 50, 20_000, 0.5), (32, 20, 20_000, 6.0)]
_METHODS = {
    "ours": ".ours:brute_force",
    "chunked": ".peers:chunked_distances",
    "broadcast": ".peers:broadcast",
}


def rows(quick: bool) -> Iterator[dict[str, Any]]:
    """One line per size: times, ratios and memory at the peak."""
    with resident(_METHODS) as methods:
        for dim, n_queries, n_points, r in _QUICK if quick else _SIZES:
            case = {"n_points": n_points, "dim": dim, "n_queries": n_queries, "r": r}
            timings = methods.compare(case, 3 if quick else 7)
            yield {
                "D": dim,
                "queries": n_queries,
                "N": n_points,
                "ours ms": timings.milliseconds("ours"),
                "scikit-learn ms": timings.milliseconds("chunked"),
                "ratio": timings.ratio("chunked"),
                "broadcast ms": timings.milliseconds("broadcast"),
                "its ratio": timings.ratio("broadcast"),
                "its memory MB": timings.memory["broadcast"],
            }
