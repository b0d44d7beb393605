"""`remanifold compare NAME`: the three legs of a figure side by side."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Out
from .tables import print_json, print_table

EXAMPLES = (
    "figure curved-dimension",
    "compare curved-dimension",
)


def command(
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
