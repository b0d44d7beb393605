"""What commands print: tables for the eye, JSON for a machine."""

import json

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
