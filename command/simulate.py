"""`remanifold simulate`: one data set and its reverse process."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Manifold, Out, Ratios, Seed
from .tables import print_json, print_paths, print_rows

EXAMPLES = (
    "simulate linear:variances=1x16 --n 3000",
    "simulate sphere:intrinsic_dim=4 --n 1000 --method ode --r 0.001:3:25",
    "simulate two-gaussians:dim=16 --trajectories 2000 --json",
)


def command(
    manifold: Manifold,
    n: Annotated[int, typer.Option("--n", help="Number of training points N.")] = 1000,
    r: Ratios = None,
    method: Annotated[str, typer.Option(help="exact, ode, exponential, ancestral or euler_maruyama.")] = "exact",
    trajectories: Annotated[int, typer.Option(help="Trajectories of the reverse process.")] = 500,
    out: Out = Path("output"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """One data set and its reverse process.

    Dimension, participation and memorized fraction as noise falls, beside theory; when trajectories collapse.
    Writes a picture, numbers (netCDF) and a record (JSON).
    """
    from ..figures.runs import simulate as module
    from .ranges import ratios

    grid = None if r is None else ratios(r)
    record, paths = module.run(manifold, n, grid, method, trajectories, seed, out)
    if as_json:
        print_json({**record, "files": [str(path) for path in paths]})
        return
    print_rows(record["rows"])
    points = record["collapse"]
    median = points["last change, median"]
    shown = "not on this range of r" if median is None else f"{median:.4g} ± {points['last change, stderr']:.1g}"
    half = points["participation ½"]
    typer.echo(f"\npredicted collapse r_c = {points['predicted']:.4g}")
    typer.echo(f"participation passes ½ at r = {'none of these' if half is None else f'{half:.4g}'}")
    typer.echo(f"last change of the nearest point (exact process), median: r = {shown}")
    print_paths(paths)
