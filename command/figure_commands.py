"""Commands that draw figures, compare the three legs, verify and time."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Json, Out, Paper, Quick, Seed, examples, preset
from .tables import print_json, print_table

commands = typer.Typer()


@commands.command()
def figures(as_json: Json = False) -> None:
    """List the figures that `remanifold figure NAME` draws."""
    from ..figures.registry import FIGURES

    if as_json:
        print_json(FIGURES)
        return
    for name, description in FIGURES.items():
        typer.echo(f"{name}\n    {description}")


@commands.command(
    epilog=examples(
        "figure losing-dimensions --quick --out output",
    )
)
def figure(
    name: Annotated[str, typer.Argument(help="See `remanifold figures`.")],
    quick: Quick = False,
    paper: Paper = False,
    out: Out = Path("output"),
    seed: Seed = 0,
) -> None:
    """Compute and draw a figure.

    PNG, PDF, numbers (netCDF) and a record of how they came about (JSON).
    """
    from ..figures.registry import figure as module

    for path in module(name).draw(out, preset(quick, paper), seed):
        typer.echo(path)


@commands.command(
    epilog=examples(
        "figure curved-dimension",
        "compare curved-dimension",
    )
)
def compare(
    name: Annotated[str, typer.Argument(help="A figure with three legs, drawn before.")],
    out: Out = Path("output"),
    as_json: Json = False,
) -> None:
    """Theory, empirical score and network side by side.

    Measured points, and how well the three agree in each regime.
    """
    from ..figures import comparison

    if as_json:
        print_json(comparison.record(out, name))
        return
    for header, lines in comparison.tables(out, name):
        print_table(header, lines)
        typer.echo()


@commands.command()
def verify(quick: Quick = False, paper: Paper = False, seed: Seed = 0, as_json: Json = False) -> None:
    """Check theory against simulation.

    A table with z-scores; exit status 1 if any |z| > 4.
    """
    from ..figures.verify import run

    rows = run(seed, quick=preset(quick, paper) == "quick")
    if as_json:
        print_json([row._asdict() | {"simulation": row.simulation._asdict(), "z": row.z} for row in rows])
    else:
        _print_verification(rows)
    if any(not abs(row.z) <= 4 for row in rows):
        raise typer.Exit(1)


@commands.command()
def demo(out: Out = Path("output"), seed: Seed = 0) -> None:
    """First light, in five minutes.

    Two figures at quick size and the table of predicted against measured points.
    """
    from ..figures.catalogue import digits_dimension, losing_dimensions
    from ..figures.verify import run

    paths = losing_dimensions.draw(out, "quick", seed) + digits_dimension.draw(out, "quick", seed)
    rows = run(seed)
    _print_verification(rows)
    typer.echo()
    _print_digits(out / "digits-dimension.json")
    typer.echo("\nPictures, with their numbers beside them (.nc, .json):")
    for path in paths:
        if path.suffix in (".png", ".pdf"):
            typer.echo(f"  {path}")
    if any(not abs(row.z) <= 4 for row in rows):
        raise typer.Exit(1)


@commands.command(
    epilog=examples(
        "bench",
        "bench brute-force --quick",
        "bench condensed-phase --json",
    )
)
def bench(
    name: Annotated[str | None, typer.Argument(help="One of the benchmarks; without it, their list.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes and few calls: seconds.")] = False,
    as_json: Json = False,
) -> None:
    """Time the engine side by side with its peers.

    On this machine; or measure its accuracy and memory.
    """
    from ..benchmarks.registry import BENCHMARKS, cell, machine, rows

    if name is None:
        if as_json:
            print_json(BENCHMARKS)
        for title, description in {} if as_json else BENCHMARKS.items():
            typer.echo(f"{title}\n    {description}")
        return
    measured = []
    for row in rows(name, quick):
        measured.append(row)
        typer.echo("  ".join(f"{key} {cell(value)}" for key, value in row.items()), err=True)  # as they come
    if as_json:
        print_json({"benchmark": name, "quick": quick, "machine": machine(), "rows": measured})
        return
    print_table(list(measured[0]), [[cell(value) for value in row.values()] for row in measured])
    typer.echo(", ".join(f"{key} {value}" for key, value in machine().items()))


def _print_verification(rows: list[Any]) -> None:
    header = ["quantity", "leading order", "theory", "simulation ± s.e.", "z"]
    lines = [
        [
            row.quantity,
            "" if row.leading is None else f"{row.leading:.4g}",
            f"{row.theory:.4g}",
            f"{row.simulation.mean:.4g} ± {row.simulation.stderr:.2g}",
            f"{row.z:+.1f}",
        ]
        for row in rows
    ]
    print_table(header, lines)


def _print_digits(record: Path) -> None:
    header = ["real digits", "predicted r_c", "empirical score", "network"]
    lines = [
        [f"collapse, N = {row['n']}"]
        + ["generalizes" if row[k] is None else f"{row[k]:.2f}" for k in ("predicted", "empirical", "network")]
        for row in json.loads(record.read_text())["predicted"]
    ]
    print_table(header, lines)
    typer.echo(
        "Predicted: I(r_c) = ln N on all 1797 digits, good while N is far below 1797. Empirical score: E Y = 1/2.\n"
        "Network: its d(r) falls below half that of the network trained on 1000."
    )
