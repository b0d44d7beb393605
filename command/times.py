"""`remanifold times`: critical noise ratios of a manifold."""

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json
from .tables import print_json, print_table

if TYPE_CHECKING:
    from ..theory.critical_points import CriticalPoint

EXAMPLES = (
    "times linear:variances=1x2+0.09x5 --n 1000",
    "times two-gaussians:dim=256 --n 20000 --json",
)


def command(
    manifold: Annotated[str, typer.Argument(help="A manifold, e.g. linear:variances=1x16, losing-dimensions.")],
    n: Annotated[float, typer.Option("--n", help="Number of training points N, e.g. 1000 or 1e30.")] = 1000,
    as_json: Json = False,
) -> None:
    """Critical noise ratios of a manifold with N points.

    And the times they are in each process.
    """
    from ..conventions.arguments import fail
    from ..manifolds.names import manifold as named
    from ..theory.critical_points import CLOCKS, critical_points

    law = named(manifold)
    if not (math.isfinite(n) and n > 1):
        raise fail("n", n, "must be a finite number > 1")
    points = critical_points(law, log_n=math.log(n))
    if as_json:
        rows = [{"quantity": name, **_record(point)} for name, point in points.items()]
        print_json({"manifold": manifold, "n": n, "critical_points": rows})
        return
    print_table(["quantity", "noise ratio r", *CLOCKS], [[name, *_cells(point)] for name, point in points.items()])


def _record(point: "CriticalPoint") -> dict[str, Any]:
    return {"reason": point.reason} if point.r is None else {"r": point.r, **point.times}


def _cells(point: "CriticalPoint") -> list[str]:
    if point.r is None:
        return ["none: " + point.reason]
    return [f"{point.r:.6g}", *("—" if time is None else f"{time:.5g}" for time in point.times.values())]
