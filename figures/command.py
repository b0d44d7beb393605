"""The command line: `remanifold` or `python -m figures`. Everything heavy is imported inside the commands."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="remanifold",
    help="When does a diffusion model memorize? Theory, exact empirical scores and trained networks.",
    epilog="Start with:  remanifold demo     then:  remanifold times linear:variances=1x16 --n 3000",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random number.")]
Out = Annotated[Path, typer.Option(help="Folder for pictures, numbers and networks.")]
Quick = Annotated[bool, typer.Option("--quick", help="Minutes on a laptop (default).")]
Paper = Annotated[bool, typer.Option("--paper", help="Published sizes and training lengths: hours.")]


@app.command()
def figures(as_json: Json = False) -> None:
    """List the figures that `remanifold figure NAME` draws."""
    from figures.registry import FIGURES

    if as_json:
        _print_json(FIGURES)
        return
    for name, description in FIGURES.items():
        typer.echo(f"{name}\n    {description}")


@app.command(epilog="Example:  remanifold figure losing-dimensions --quick --out output")
def figure(
    name: Annotated[str, typer.Argument(help="See `remanifold figures`.")],
    quick: Quick = False,
    paper: Paper = False,
    out: Out = Path("output"),
    seed: Seed = 0,
) -> None:
    """Compute and draw a figure: PNG, PDF, numbers (netCDF) and a record of how they came about (JSON)."""
    from figures.registry import figure as module

    if quick and paper:
        raise ValueError("--quick and --paper: give one of them")
    for path in module(name).draw(out, "paper" if paper else "quick", seed):
        typer.echo(path)


@app.command(epilog="Example:  remanifold figure curved-dimension     then:  remanifold compare curved-dimension")
def compare(
    name: Annotated[str, typer.Argument(help="A figure with three legs, drawn before; or two-variances, computed.")],
    paper: Paper = False,
    out: Out = Path("output"),
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Theory, empirical score and network side by side, and how well they agree in each regime."""
    from figures import comparison

    if name == "two-variances":
        from figures.two_variances import write

        write(out, "paper" if paper else "quick", seed)
    if as_json:
        _print_json(comparison.record(out, name))
        return
    for header, lines in comparison.tables(out, name):
        _print_table(header, lines)
        typer.echo()


@app.command(
    epilog="Examples:  remanifold times linear:variances=1x2+0.09x5 --n 1000     "
    "remanifold times two-gaussians:dim=256 --n 20000 --json"
)
def times(
    manifold: Annotated[str, typer.Argument(help="A manifold, e.g. linear:variances=1x16, losing-dimensions.")],
    n: Annotated[float, typer.Option("--n", help="Number of training points N, e.g. 1000 or 1e30.")] = 1000,
    as_json: Json = False,
) -> None:
    """Critical noise ratios of a manifold with N training points, and the times they are in each process."""
    from figures import times as module
    from figures.manifold_name import manifold as named

    rows = module.rows(named(manifold), n)
    if as_json:
        _print_json({"manifold": manifold, "n": n, "critical_points": rows})
        return
    header = ["quantity", "noise ratio r", *module.CLOCKS]
    lines = [
        [row["quantity"], "none: " + row["reason"]]
        if "reason" in row
        else [
            row["quantity"],
            f"{row['r']:.6g}",
            *("—" if row[c] is None else f"{row[c]:.5g}" for c in module.CLOCKS),
        ]
        for row in rows
    ]
    _print_table(header, lines)


@app.command(
    name="phase-diagram",
    epilog="Examples:  remanifold phase-diagram linear:variances=1x16     "
    "remanifold phase-diagram sphere:intrinsic_dim=8 --axes d-n --d-max 64     "
    "remanifold phase-diagram linear:variances=1x8+0.09x8 --axes ratio-n --n-max 1e6 --json",
)
def phase_diagram(
    manifold: Annotated[str, typer.Argument(help="A manifold, e.g. linear:variances=1x16, two-gaussians:dim=256.")],
    axes: Annotated[str, typer.Option(help="logn-r, d-n or ratio-n.")] = "logn-r",
    grid: Annotated[int, typer.Option(help="Points along each axis.")] = 200,
    n_min: Annotated[float, typer.Option(help="Fewest training points, e.g. 10.")] = 10,
    n_max: Annotated[float, typer.Option(help="Most training points, e.g. 1e30.")] = 1e12,
    r_min: Annotated[float | None, typer.Option(help="logn-r: smallest noise ratio; default below all lines.")] = None,
    r_max: Annotated[float | None, typer.Option(help="logn-r: largest noise ratio; default above all lines.")] = None,
    d_min: Annotated[int, typer.Option(help="d-n: smallest dimension, e.g. 2.")] = 1,
    d_max: Annotated[int, typer.Option(help="d-n: largest dimension, e.g. 64.")] = 200,
    ratio_min: Annotated[float, typer.Option(help="ratio-n: smallest ratio of variances, e.g. 1e-4.")] = 1e-4,
    ratio_max: Annotated[float, typer.Option(help="ratio-n: largest ratio of variances, e.g. 1.")] = 1,
    fixed: Annotated[str | None, typer.Option(help="d-n: keep the variance (of a direction) or the total.")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="logn-r: exact retrieval too, on a coarse grid.")] = False,
    out: Out = Path("output"),
    as_json: Json = False,
) -> None:
    """Phases and critical lines over (ln N, r), (d, N) or (variance ratio, N): a picture and its numbers."""
    from figures import phase_diagram as module
    from figures.manifold_name import manifold as named

    if (r_min is None) != (r_max is None):
        raise ValueError("r-min and r-max: give both or none")
    r = None if r_min is None or r_max is None else (r_min, r_max)
    ranges = module.Ranges(grid, (n_min, n_max), r, (d_min, d_max), (ratio_min, ratio_max))
    paths, record = module.diagram(named(manifold), manifold, axes, ranges, out, fixed=fixed, exact=exact)
    if as_json:
        _print_json({**record, "files": [str(path) for path in paths]})
        return
    for path in paths:
        typer.echo(path)
    typer.echo(f"computed in {record['seconds']:g} s")


@app.command(epilog="Examples:  remanifold derive     remanifold derive onset     remanifold derive curvature --latex")
def derive(
    name: Annotated[str | None, typer.Argument(help="A derivation; without a name they are listed.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the derivations.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX fragment (amsmath).")] = False,
    out: Annotated[Path | None, typer.Option(help="File for what would be printed.")] = None,
    as_json: Json = False,
) -> None:
    """Perform a derivation with SymPy and print its steps, for a terminal or as LaTeX."""
    from figures import derive as module
    from theory.derivations import DERIVATIONS, derivation

    if latex and as_json:
        raise ValueError("--latex and --json: give one of them")
    if name is not None and list_all:
        raise ValueError(f"--list and the name {name!r}: give one of them")
    if name is None and latex:
        raise ValueError("--latex: give the name of one of the derivations, see `remanifold derive`")
    derived = None if name is None else derivation(name)
    if as_json:
        text = _as_json(DERIVATIONS if derived is None else module.record(derived))
    elif derived is None:
        text = "".join(f"{key}\n    {module.plain(shows)}\n" for key, shows in DERIVATIONS.items())
    else:
        text = module.latex(derived) if latex else module.terminal(derived) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        module.write(out, text)
        typer.echo(out)


@app.command()
def verify(quick: Quick = False, paper: Paper = False, seed: Seed = 0, as_json: Json = False) -> None:
    """Check theory against simulation: a table with z-scores; exit status 1 if any |z| > 4."""
    from figures.verify import run

    if quick and paper:
        raise ValueError("--quick and --paper: give one of them")
    rows = run(seed, quick=not paper)
    if as_json:
        _print_json([row._asdict() | {"simulation": row.simulation._asdict(), "z": row.z} for row in rows])
    else:
        _print_verification(rows)
    if any(not abs(row.z) <= 4 for row in rows):
        raise typer.Exit(1)


@app.command()
def demo(out: Out = Path("output"), seed: Seed = 0) -> None:
    """First light: both figures at quick size and the table of predicted against measured points."""
    from figures import digits_dimension, losing_dimensions
    from figures.verify import run

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


@app.command(
    epilog="Examples:  remanifold bench     remanifold bench brute-force --quick     "
    "remanifold bench condensed-phase --json"
)
def bench(
    name: Annotated[str | None, typer.Argument(help="One of the benchmarks; without it, their list.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes and few calls: seconds.")] = False,
    as_json: Json = False,
) -> None:
    """Time the engine side by side with its peers on this machine, or measure its accuracy and memory."""
    from benchmarks.registry import BENCHMARKS, cell, machine, rows

    if name is None:
        if as_json:
            _print_json(BENCHMARKS)
        for title, description in {} if as_json else BENCHMARKS.items():
            typer.echo(f"{title}\n    {description}")
        return
    measured = []
    for row in rows(name, quick):
        measured.append(row)
        typer.echo("  ".join(f"{key} {cell(value)}" for key, value in row.items()), err=True)  # as they come
    if as_json:
        _print_json({"benchmark": name, "quick": quick, "machine": machine(), "rows": measured})
        return
    _print_table(list(measured[0]), [[cell(value) for value in row.values()] for row in measured])
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
    _print_table(header, lines)


def _print_digits(record: Path) -> None:
    header = ["real digits", "predicted r_c", "empirical score", "network"]
    lines = [
        [f"collapse, N = {row['n']}"]
        + ["generalizes" if row[k] is None else f"{row[k]:.2f}" for k in ("predicted", "empirical", "network")]
        for row in json.loads(record.read_text())["predicted"]
    ]
    _print_table(header, lines)
    typer.echo(
        "Predicted: I(r_c) = ln N on all 1797 digits, good while N is far below 1797. Empirical score: E Y = 1/2.\n"
        "Network: its d(r) falls below half that of the network trained on 1000."
    )


def _print_table(header: list[str], lines: list[list[str]]) -> None:
    """Columns as wide as their entries, the first to the left; a short row's last entry may run on."""
    whole = [line for line in [header, *lines] if len(line) == len(header)]
    widths = [max(map(len, column)) for column in zip(*whole, strict=True)]
    widths[0] = max(len(line[0]) for line in [header, *lines])

    def cells(line: list[str]) -> str:
        if len(line) < len(header):
            return "  ".join([line[0].ljust(widths[0]), *line[1:]])
        return "  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))

    typer.echo(cells(header))
    typer.echo("-" * len(cells(header)))
    for line in lines:
        typer.echo(cells(line))


def _print_json(value: object) -> None:
    typer.echo(_as_json(value), nl=False)


def _as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Runs the command line: bad input is one line on the standard error and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except (ValueError, typer.TyperException) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        print("remanifold: " + " ".join(message.split()), file=sys.stderr)
        status = 2
    except (KeyboardInterrupt, typer.Abort):
        print("remanifold: interrupted; finished networks are kept and will be taken up again", file=sys.stderr)
        status = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status or 0)
