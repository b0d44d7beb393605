"""The command line: `remanifold` or `python -m remanifold`. Everything heavy is imported inside the commands."""

import os
import sys
from typing import Annotated

import typer

from . import (
    bench,
    compare,
    demo,
    derive,
    figure,
    figures,
    phase_diagram,
    simulate,
    sweep,
    times,
    train,
    verify,
)
from .options import examples

COMMANDS = {
    "times": times,
    "phase-diagram": phase_diagram,
    "derive": derive,
    "simulate": simulate,
    "sweep": sweep,
    "train": train,
    "figures": figures,
    "figure": figure,
    "compare": compare,
    "verify": verify,
    "demo": demo,
    "bench": bench,
}  # in the order of the help; each module has a function `command`, and examples if there are any to give

app = typer.Typer(
    name="remanifold",
    help="When does a diffusion model memorize? Theory, exact empirical scores and trained networks.",
    epilog="\b\nStart with:\n  remanifold demo\n  remanifold times linear:variances=1x16 --n 3000",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its boxes take twice as long to appear as the help itself
)
for _name, _module in COMMANDS.items():
    app.command(name=_name, epilog=examples(*getattr(_module, "EXAMPLES", ())))(_module.command)


def _print_version(asked: bool) -> None:
    if asked:
        from .. import __version__

        typer.echo(f"remanifold {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """What may be said before the name of a command."""


def main() -> None:
    """Runs the command line: bad input is one line on the standard error and exit status 2."""
    try:
        status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except (ValueError, typer.TyperException) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        print("remanifold: " + " ".join(message.split()), file=sys.stderr)
        status = 2
    except (KeyboardInterrupt, typer.Abort):
        print("remanifold: interrupted; what is finished is kept, the same command goes on from there", file=sys.stderr)
        status = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status or 0)
