"""`remanifold sweep`: averages over N, r and a parameter."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Manifold, Out, Ratios, Seed
from .tables import print_json, print_paths, print_rows

EXAMPLES = (
    "sweep linear:variances=1x16 --n 100,1000,10000",
    "sweep sphere:intrinsic_dim=4 --r 0.001:1:20 --observables dimension,information --replicas 16 --workers 2",
    "sweep sphere:intrinsic_dim=4 --over intrinsic_dim=2,4,8 --n 100:1e4:5",
    "sweep torus:radii=1+0.5 --share 3/8        (one of eight jobs with one --out)",
)


def command(
    manifold: Manifold,
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
        print_rows(record["rows"])
        exact = "exact at N" if record["exact"] else "leading order, see docs/sweeps.md"
        over_what = f"{replicas} data sets" if replicas > 1 else "the queries of one data set"
        typer.echo(f"\n± is the standard error over {over_what}; theory: {exact}")
        print_paths(paths)
    else:
        typer.echo(f"share {share} is measured, others are missing: {out / asked.folder}")
