"""`remanifold train`: a network and its dimension curve."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Out, Paper, Quick, Seed, preset
from .tables import print_json, print_paths, print_rows

EXAMPLES = (
    "train sphere:intrinsic_dim=5,ambient_dim=20 --n 300",
    "train digits --n 200 --steps 2000",
    "train faces.npy --paper --device cuda",
)


def command(
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
    print_rows(record["rows"])
    if "collapse" in record:
        typer.echo(f"\npredicted collapse r_c = {record['collapse']:.4g}")
    typer.echo(f"network: {record['network']}")
    print_paths(paths)
