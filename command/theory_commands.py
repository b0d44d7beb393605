"""Commands that compute what should happen: critical points, phase diagrams, derivations."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Out, examples
from .tables import json_text, print_json, print_table

commands = typer.Typer()


@commands.command(
    epilog=examples(
        "times linear:variances=1x2+0.09x5 --n 1000",
        "times two-gaussians:dim=256 --n 20000 --json",
    )
)
def times(
    manifold: Annotated[str, typer.Argument(help="A manifold, e.g. linear:variances=1x16, losing-dimensions.")],
    n: Annotated[float, typer.Option("--n", help="Number of training points N, e.g. 1000 or 1e30.")] = 1000,
    as_json: Json = False,
) -> None:
    """Critical noise ratios of a manifold with N points.

    And the times they are in each process.
    """
    from ..manifolds.names import manifold as named
    from . import times as module

    rows = module.rows(named(manifold), n)
    if as_json:
        print_json({"manifold": manifold, "n": n, "critical_points": rows})
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
    print_table(header, lines)


@commands.command(
    name="phase-diagram",
    epilog=examples(
        "phase-diagram linear:variances=1x16",
        "phase-diagram sphere:intrinsic_dim=8 --axes d-n --d-max 64",
        "phase-diagram linear:variances=1x8+0.09x8 --axes ratio-n --n-max 1e6 --json",
    ),
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
    """Phases of a manifold: a picture and its numbers.

    Critical lines over (ln N, r), (d, N) or (variance ratio, N).
    """
    from ..figures.catalogue import phase_diagram as module
    from ..manifolds.names import manifold as named

    if (r_min is None) != (r_max is None):
        raise ValueError("r-min and r-max: give both or none")
    r = None if r_min is None or r_max is None else (r_min, r_max)
    ranges = module.Ranges(grid, (n_min, n_max), r, (d_min, d_max), (ratio_min, ratio_max))
    paths, record = module.diagram(named(manifold), manifold, axes, ranges, out, fixed=fixed, exact=exact)
    if as_json:
        print_json({**record, "files": [str(path) for path in paths]})
        return
    for path in paths:
        typer.echo(path)
    typer.echo(f"computed in {record['seconds']:g} s")


@commands.command(
    epilog=examples(
        "derive",
        "derive onset",
        "derive curvature --latex",
    )
)
def derive(
    name: Annotated[str | None, typer.Argument(help="A derivation; without a name they are listed.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the derivations.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX fragment (amsmath).")] = False,
    out: Annotated[Path | None, typer.Option(help="File for what would be printed.")] = None,
    as_json: Json = False,
) -> None:
    """Perform a derivation with SymPy and print its steps.

    For a terminal or as LaTeX.
    """
    from ..theory.derivations import DERIVATIONS, derivation
    from . import derive as module

    if latex and as_json:
        raise ValueError("--latex and --json: give one of them")
    if name is not None and list_all:
        raise ValueError(f"--list and the name {name!r}: give one of them")
    if name is None and latex:
        raise ValueError("--latex: give the name of one of the derivations, see `remanifold derive`")
    derived = None if name is None else derivation(name)
    if as_json:
        text = json_text(DERIVATIONS if derived is None else module.record(derived))
    elif derived is None:
        text = "".join(f"{key}\n    {module.plain(shows)}\n" for key, shows in DERIVATIONS.items())
    else:
        text = module.latex(derived) if latex else module.terminal(derived) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        module.write(out, text)
        typer.echo(out)
