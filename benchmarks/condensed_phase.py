"""The condensed phase: queries are noised training points at a fraction of the collapse ratio.

Ours prunes with a certified error of 1e-12 and returns float64 results; fused attention sums every point in float32.
"""

from collections.abc import Iterator
from typing import Any

from .peers import FUSED
from .side_by_side import resident

_CLOUDS = [  # D, N, decay of the variances, r/r_c, queries
    (8, 100_000, 0.0, 0.25, 1000),
    (8, 1_000_000, 0.0, 0.25, 500),
    (32, 100_000, 0.0, 0.25, 1000),
    (32, 100_000, 2.0, 0.25, 1000),
    (784, 60_000, 1.5, 0.25, 256),
    (784, 60_000, 1.5, 0.025, 256),
]
_QUICK = [(8, 20_000, 0.0, 0.25, 300), (32, 20_000, 2.0, 0.25, 300)]
_METHODS = {
    "ours": ".ours:automatic",
    "double": ".ours:automatic_double",
    **FUSED,
}


def cases(quick: bool) -> list[tuple[str, dict[str, Any]]]:
    """Names and problems; real images where their package is installed."""
    clouds = [
        (
            f"D = {dim}, variances k^-{decay:g}" if decay else f"D = {dim}, isotropic",
            {"n_points": n, "dim": dim, "n_queries": queries, "decay": decay, "over_collapse": part},
        )
        for dim, n, decay, part, queries in (_QUICK if quick else _CLOUDS)
    ]
    return clouds if quick else clouds + _image_cases()


def rows(quick: bool) -> Iterator[dict[str, Any]]:
    """One line per problem: what the plan says, our time in either precision, fused attention, ratios."""
    with resident(_METHODS) as methods:
        for name, case in cases(quick):
            timings = methods.compare(case, 3 if quick else 7)
            fused = timings.fastest(FUSED)
            yield {
                "data": name,
                "N": case["n_points"],
                "r/r_c": case.get("over_collapse", "—"),
                "ours ms": timings.milliseconds("ours"),
                "fused attention ms": timings.milliseconds(fused),
                "ratio": timings.ratio(fused),
                "float64 ms": timings.milliseconds("double"),
                "its ratio": timings.ratio(fused, "double"),
            }


def _image_cases() -> list[tuple[str, dict[str, Any]]]:
    """MNIST at noise of a twentieth and a fifth of the pixel spread, if it is there."""
    from ..manifolds import mnist

    try:
        n_points = len(mnist())
    except (ValueError, ImportError):
        return []
    case = {"n_points": n_points, "dim": 784, "n_queries": 256, "images": True}
    return [(f"MNIST, r = {r:g}", {**case, "r": r}) for r in (0.0025, 0.04)]
