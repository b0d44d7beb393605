"""`remanifold figures`: their list."""

import typer

from .options import Json
from .tables import print_json


def command(as_json: Json = False) -> None:
    """List the figures that `remanifold figure NAME` draws."""
    from ..figures.registry import FIGURES

    if as_json:
        print_json(FIGURES)
        return
    for name, description in FIGURES.items():
        typer.echo(f"{name}\n    {description}")
