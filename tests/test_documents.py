"""What README and docs/ show is what happens: values in comments, printed tables, names that are imported."""

import ast
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from remanifold.command import application as command

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
VALUE = re.compile(r"#\s*(-?\d+(?:\.(\d+))?)\b")


def blocks(path: Path, language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [block for name, block in found if name == language]


def shown_and_found(code: str) -> list[tuple[str, float, float, float]]:
    """Runs `code`; of each statement with a number in the comment after it: text, number, half a last digit, value."""
    lines, names, found = code.splitlines(), {}, []
    for statement in ast.parse(code).body:
        text = ast.get_source_segment(code, statement)
        value = None
        if isinstance(statement, ast.Expr):
            value = eval(text, names)
        else:
            exec(text, names)
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                value = names[statement.targets[0].id]
        number = VALUE.match(lines[statement.end_lineno - 1][statement.end_col_offset :].lstrip())
        if number and isinstance(value, float):
            found.append((text, float(number[1]), 0.5001 * 10.0 ** -len(number[2] or ""), float(value)))
    return found


def test_values_in_comments_of_the_readme():
    (code,) = blocks(ROOT / "README.md", "python")
    found = shown_and_found(code)
    assert len(found) == 4
    for text, shown, unit, value in found:
        assert value == pytest.approx(shown, abs=unit), text


def test_a_wrong_value_in_a_comment_is_seen():
    ((_, shown, unit, value),) = shown_and_found("import math\nx = math.sqrt(2)  # 1.415, no\ny = [1.0]  # 7 of them\n")
    assert abs(value - shown) > unit


def test_tables_of_the_readme(monkeypatch, capsys):
    """What stands below `$ remanifold times …`, up to the dots."""
    tables = [block for block in blocks(ROOT / "README.md", "") if block.startswith("$ remanifold times")]
    assert tables
    for table in tables:
        first, *lines = table.splitlines()
        monkeypatch.setattr(sys, "argv", first.removeprefix("$ ").split())
        with pytest.raises(SystemExit, match="0"):
            command.main()
        shown = [line for line in lines if line != "..."]
        assert capsys.readouterr().out.splitlines()[: len(shown)] == shown


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_names_in_examples_exist(path):
    for code in blocks(path, "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("remanifold"):
                room = import_module(node.module)
                assert [alias.name for alias in node.names if not hasattr(room, alias.name)] == []
            if isinstance(node, ast.ImportFrom | ast.Import):
                own = {name.parent.name for name in ROOT.glob("*/__init__.py")}
                roots = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                assert own.isdisjoint(root.split(".")[0] for root in roots)


@pytest.mark.slow
def test_the_example_of_the_reverse_dynamics(capsys):
    """docs/dynamics.md §7, line by line."""
    path = ROOT / "docs" / "dynamics.md"
    (code,) = blocks(path, "python")
    exec(code, {})
    (shown,) = (block for block in blocks(path, "") if block.startswith("r = 20 "))
    assert capsys.readouterr().out == shown
