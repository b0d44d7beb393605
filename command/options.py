"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Manifold = Annotated[str, typer.Argument(help="A manifold, e.g. linear:variances=1x16, sphere:intrinsic_dim=4.")]
Ratios = Annotated[str | None, typer.Option("--r", help="Noise ratios, FROM:TO:COUNT or a list; default around r_c.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random number.")]
Out = Annotated[Path, typer.Option(help="Folder for pictures, numbers and networks.")]
Quick = Annotated[bool, typer.Option("--quick", help="Minutes on a laptop (default).")]
Paper = Annotated[bool, typer.Option("--paper", help="Published sizes and training lengths: hours.")]


def preset(quick: bool, paper: bool) -> str:
    """ "quick" or "paper"; ValueError for both options."""
    if quick and paper:
        raise ValueError("--quick and --paper: give one of them")
    return "paper" if paper else "quick"


def examples(*commands: str) -> str | None:
    """The end of a help text: commands to type, each on a line of its own; None without any."""
    if not commands:
        return None
    return "\b\nExamples:\n" + "\n".join(f"  remanifold {command}" for command in commands)
