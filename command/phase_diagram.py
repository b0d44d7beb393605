"""`remanifold phase-diagram`: phases of a manifold."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Out
from .tables import print_json, print_paths

EXAMPLES = (
    "phase-diagram linear:variances=1x16",
    "phase-diagram sphere:intrinsic_dim=8 --axes d-n --d-max 64",
    "phase-diagram linear:variances=1x8+0.09x8 --axes ratio-n --n-max 1e6 --json",
)


def command(
    manifold: Annotated[str, typer.Argument(help="A manifold, e.g. linear:variances=1x16, two-gaussians:dim=256.")],
    axes: Annotated[str, typer.Option(help="logn-r, d-n or ratio-n.")] = "logn-r",
    grid: Annotated[int, typer.Option(help="Points along each axis.")] = 200,
    n_min: Annotated[float, typer.Option(help="Fewest training points, e.g. 10.")] = 10,
    n_max: Annotated[float, typer.Option(help="Most training points, e.g. 1e30.")] = 1e12,
    r_min: Annotated[float | None, typer.Option(help="logn-r: smallest noise ratio; default below all lines.")] = None,
    r_max: Annotated[float | None, typer.Option(help="logn-r: largest noise ratio; default above all lines.")] = None,
    d_min: Annotated[int, typer.Option(help="d-n: smallest dimension, e.g. 2.")] = 1,
    d_max: Annotated[int, typer.Option(help="d-n: largest dimension, e.g. 64.")] = 200,
    ratio_min: Annotated[float, typer.Option(help="ratio-n: smallest ratio of variances, e.g. 1e-4.")] = 1e-4,
    ratio_max: Annotated[float, typer.Option(help="ratio-n: largest ratio of variances, e.g. 1.")] = 1,
    fixed: Annotated[str | None, typer.Option(help="d-n: keep the variance (of a direction) or the total.")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="logn-r: exact retrieval too, on a coarse grid.")] = False,
    out: Out = Path("output"),
    as_json: Json = False,
) -> None:
    """Phases of a manifold: a picture and its numbers.

    Critical lines over (ln N, r), (d, N) or (variance ratio, N).
    """
    from ..figures.catalogue import phase_diagram as module
    from ..manifolds.names import manifold as named

    if (r_min is None) != (r_max is None):
        raise ValueError("r-min and r-max: give both or none")
    r = None if r_min is None or r_max is None else (r_min, r_max)
    ranges = module.Ranges(grid, (n_min, n_max), r, (d_min, d_max), (ratio_min, ratio_max))
    paths, record = module.diagram(named(manifold), manifold, axes, ranges, out, fixed=fixed, exact=exact)
    if as_json:
        print_json({**record, "files": [str(path) for path in paths]})
        return
    print_paths(paths)
    typer.echo(f"computed in {record['seconds']:g} s")
