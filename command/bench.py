"""`remanifold bench`: the engine beside its peers."""

from typing import Annotated

import typer

from .options import Json
from .tables import print_json, print_table

EXAMPLES = (
    "bench",
    "bench brute-force --quick",
    "bench condensed-phase --json",
)


def command(
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
