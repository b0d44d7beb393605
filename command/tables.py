"""What commands print: tables for the eye, JSON for a machine."""

import json
from pathlib import Path
from typing import Any

import typer


def print_table(header: list[str], lines: list[list[str]]) -> None:
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


def print_json(value: object) -> None:
    """Prints `value` as JSON."""
    typer.echo(json_text(value), nl=False)


def json_text(value: object) -> str:
    """`value` as indented JSON, with a line end."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def print_rows(rows: list[dict[str, Any]]) -> None:
    """A table of the rows: an observable with its error in one column, then its theory and population if there are."""
    names = [name for name in rows[0] if not name.endswith("_stderr")]
    titles = [next((end for end in ("theory", "population") if name.endswith(end)), name) for name in names]
    lines = [[_cell(row[name], row.get(f"{name}_stderr")) for name in names] for row in rows]
    print_table([title.replace("_", " ") for title in titles], lines)


def _cell(value: Any, stderr: float | None) -> str:
    if isinstance(value, (str, int)):
        return str(value)
    return f"{value:.4g}" if stderr is None else f"{value:.4g} ± {stderr:.1g}"


def print_paths(paths: list[Path]) -> None:
    """One to a line."""
    for path in paths:
        typer.echo(path)
