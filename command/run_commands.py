"""Commands that measure what does happen: one reverse process, a sweep, a trained network."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Json, Out, Paper, Quick, Seed, examples, preset
from .tables import print_json, print_table

commands = typer.Typer()

Name = Annotated[str, typer.Argument(help="A manifold, e.g. linear:variances=1x16, sphere:intrinsic_dim=4.")]
Ratios = Annotated[str | None, typer.Option("--r", help="Noise ratios, FROM:TO:COUNT or a list; default around r_c.")]


@commands.command(
    epilog=examples(
        "simulate linear:variances=1x16 --n 3000",
        "simulate sphere:intrinsic_dim=4 --n 1000 --method ode --r 0.001:3:25",
        "simulate two-gaussians:dim=16 --trajectories 2000 --json",
    )
)
def simulate(
    manifold: Name,
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
    _print_rows(record["rows"])
    points = record["collapse"]
    median = points["last change, median"]
    shown = "not on this range of r" if median is None else f"{median:.4g} ± {points['last change, stderr']:.1g}"
    half = points["participation ½"]
    typer.echo(f"\npredicted collapse r_c = {points['predicted']:.4g}")
    typer.echo(f"participation passes ½ at r = {'none of these' if half is None else f'{half:.4g}'}")
    typer.echo(f"last change of the nearest point (exact process), median: r = {shown}")
    _print_paths(paths)


@commands.command(
    epilog=examples(
        "sweep linear:variances=1x16 --n 100,1000,10000",
        "sweep sphere:intrinsic_dim=4 --r 0.001:1:20 --observables dimension,information --replicas 16 --workers 2",
        "sweep sphere:intrinsic_dim=4 --over intrinsic_dim=2,4,8 --n 100:1e4:5",
        "sweep torus:radii=1+0.5 --share 3/8        (one of eight jobs with one --out)",
    )
)
def sweep(
    manifold: Name,
    n: Annotated[str, typer.Option("--n", help="Numbers of points N, a list or FROM:TO:COUNT.")] = "100,1000,10000",
    r: Ratios = None,
    observables: Annotated[
        str, typer.Option(help="Of participation, dimension, information, retrieval, excess_entropy.")
    ] = "participation,dimension,information",
    over: Annotated[str | None, typer.Option(help="One parameter of the manifold, e.g. ambient_dim=8,16.")] = None,
    replicas: Annotated[int, typer.Option(min=1, help="Independent data sets, for the error bars.")] = 4,
    queries: Annotated[int, typer.Option(help="Noised points averaged over in each data set.")] = 512,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    share: Annotated[str | None, typer.Option(help="k/K: measure the k-th of K parts only.")] = None,
    out: Out = Path("output"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Averages over N, r and a parameter, beside theory.

    Of the empirical score, with errors over data sets. What is measured is kept at once: the same command goes on where
    it was interrupted, more sizes, values or replicas add to it. Writes a picture, numbers and a record.
    """
    from ..figures.runs import sweep as module
    from .ranges import ratios, sizes

    grid = None if r is None else ratios(r)
    asked = module.plan(manifold, sizes(n), grid, observables, over, replicas=replicas, queries=queries, seed=seed)
    record, paths = module.run(asked, out, workers, module.part(share))
    if as_json:
        print_json({**record, "files": [str(path) for path in paths]})
    elif paths:
        _print_rows(record["rows"])
        exact = "exact at N" if record["exact"] else "leading order, see docs/sweeps.md"
        over_what = f"{replicas} data sets" if replicas > 1 else "the queries of one data set"
        typer.echo(f"\n± is the standard error over {over_what}; theory: {exact}")
        _print_paths(paths)
    else:
        typer.echo(f"share {share} is measured, others are missing: {out / asked.folder}")


@commands.command(
    epilog=examples(
        "train sphere:intrinsic_dim=5,ambient_dim=20 --n 300",
        "train digits --n 200 --steps 2000",
        "train faces.npy --paper --device cuda",
    )
)
def train(
    source: Annotated[
        str, typer.Argument(help="A manifold, digits, mnist, a .npy or .npz file, a folder of pictures.")
    ],
    n: Annotated[int | None, typer.Option("--n", help="Training points; default 1000, or all of fewer.")] = None,
    quick: Quick = False,
    paper: Paper = False,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps instead of the preset's.")] = None,
    width: Annotated[int | None, typer.Option(help="Width of the network instead of the preset's.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps.")] = "cpu",
    out: Out = Path("output"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train a network, then compare its dimension curve.

    With the empirical score of the same points and with the population. Interrupted, the same command goes on at the
    last checkpoint. Writes the network, a picture, numbers and a record.
    """
    from ..figures.runs import train as module
    from ..manifolds.data_source import source as named

    size = preset(quick, paper)
    data = named(source, side=32 if paper and source == "mnist" else None)  # the published U-Net halves three times
    record, paths = module.run(data, n, size, seed, out, device, steps=steps, width=width)
    if as_json:
        print_json({**record, "files": [str(path) for path in paths]})
        return
    typer.echo("dimension d(r)")
    _print_rows(record["rows"])
    if "collapse" in record:
        typer.echo(f"\npredicted collapse r_c = {record['collapse']:.4g}")
    typer.echo(f"network: {record['network']}")
    _print_paths(paths)


def _print_rows(rows: list[dict[str, Any]]) -> None:
    """A table of the rows: an observable with its error in one column, then its theory and population if there are."""
    names = [name for name in rows[0] if not name.endswith("_stderr")]
    titles = [next((end for end in ("theory", "population") if name.endswith(end)), name) for name in names]
    lines = [[_cell(row[name], row.get(f"{name}_stderr")) for name in names] for row in rows]
    print_table([title.replace("_", " ") for title in titles], lines)


def _cell(value: Any, stderr: float | None) -> str:
    if isinstance(value, (str, int)):
        return str(value)
    return f"{value:.4g}" if stderr is None else f"{value:.4g} ± {stderr:.1g}"


def _print_paths(paths: list[Path]) -> None:
    for path in paths:
        typer.echo(path)
