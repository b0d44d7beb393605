"""`remanifold verify`: theory against simulation."""

from typing import TYPE_CHECKING

import typer

from .options import Json, Paper, Quick, Seed, preset
from .tables import print_json, print_table

if TYPE_CHECKING:
    from ..figures.verification.quantity import Verified


def command(quick: Quick = False, paper: Paper = False, seed: Seed = 0, as_json: Json = False) -> None:
    """Check theory against simulation.

    A table with z-scores; exit status 1 if any |z| > 4.
    """
    from ..figures.verification import table

    rows = table.run(seed, quick=preset(quick, paper) == "quick")
    if as_json:
        print_json([row._asdict() | {"simulation": row.simulation._asdict(), "z": row.z} for row in rows])
    else:
        print_verification(rows)
    if any(row.disagrees for row in rows):
        raise typer.Exit(1)


def print_verification(rows: "list[Verified]") -> None:
    """The table of predicted against measured quantities."""
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
