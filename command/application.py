"""The command line: `remanifold` or `python -m remanifold`. Everything heavy is imported inside the commands."""

import os
import sys

import typer

from . import figure_commands, run_commands, theory_commands

app = typer.Typer(
    name="remanifold",
    help="When does a diffusion model memorize? Theory, exact empirical scores and trained networks.",
    epilog="\b\nStart with:\n  remanifold demo\n  remanifold times linear:variances=1x16 --n 3000",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its boxes take twice as long to appear as the help itself
)
for part in (theory_commands, run_commands, figure_commands):
    app.add_typer(part.commands)


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
