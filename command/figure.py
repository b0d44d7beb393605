"""`remanifold figure NAME`: a picture and its numbers."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Out, Paper, Quick, Seed, preset
from .tables import print_paths

EXAMPLES = ("figure losing-dimensions --quick --out output",)


def command(
    name: Annotated[str, typer.Argument(help="See `remanifold figures`.")],
    quick: Quick = False,
    paper: Paper = False,
    out: Out = Path("output"),
    seed: Seed = 0,
) -> None:
    """Compute and draw a figure.

    PNG, PDF, numbers (netCDF) and a record of how they came about (JSON).
    """
    from ..figures.registry import draw

    print_paths(draw(name, out, preset(quick, paper), seed))
