"""Growth with N: the engine that `plan` chooses against fused attention, from broad to condensed weights."""

from collections.abc import Iterator
from typing import Any

from .side_by_side import resident

_METHODS = {"ours": ".ours:automatic", "column": ".peers:fused_attention_column"}


def rows(quick: bool) -> Iterator[dict[str, Any]]:
    """One line per D, N and r/r_c."""
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000, 1_000_000)
    with resident(_METHODS) as methods:
        for dim in (3, 8, 32):
            for n_points in sizes:
                for over in (0.25, 1.0, 4.0):
                    queries = 100 if n_points == 1_000_000 else 500
                    case = {"n_points": n_points, "dim": dim, "n_queries": queries, "over_collapse": over}
                    timings = methods.compare(case, 3 if quick else 5)
                    yield {
                        "D": dim,
                        "N": n_points,
                        "r/r_c": over,
                        "ours μs per query": 1e3 * timings.milliseconds("ours") / queries,
                        "fused attention μs": 1e3 * timings.milliseconds("column") / queries,
                        "ratio": timings.ratio("column"),
                    }
