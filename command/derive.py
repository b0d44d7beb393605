"""`remanifold derive`: derivations on paper."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json
from .tables import json_text

EXAMPLES = (
    "derive",
    "derive onset",
    "derive curvature --latex",
)


def command(
    name: Annotated[str | None, typer.Argument(help="A derivation; without a name they are listed.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the derivations.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX fragment (amsmath).")] = False,
    out: Annotated[Path | None, typer.Option(help="File for what would be printed.")] = None,
    as_json: Json = False,
) -> None:
    """Perform a derivation with SymPy and print its steps.

    For a terminal or as LaTeX.
    """
    from ..conventions.atomic_files import write
    from ..theory.derivations import DERIVATIONS, derivation, rendering

    if latex and as_json:
        raise ValueError("--latex and --json: give one of them")
    if name is not None and list_all:
        raise ValueError(f"--list and the name {name!r}: give one of them")
    if name is None and latex:
        raise ValueError("--latex: give the name of one of the derivations, see `remanifold derive`")
    derived = None if name is None else derivation(name)
    if as_json:
        text = json_text(DERIVATIONS if derived is None else rendering.record(derived))
    elif derived is None:
        text = "".join(f"{key}\n    {rendering.plain(shows)}\n" for key, shows in DERIVATIONS.items())
    else:
        text = rendering.latex(derived) if latex else rendering.terminal(derived) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        try:
            write(out, text)
        except OSError as error:
            message = f"must be a file that can be written ({error.strerror})"
            raise ValueError(f"out = {str(out)!r}: {message}") from None
        typer.echo(out)
