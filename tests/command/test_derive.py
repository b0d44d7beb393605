"""`remanifold derive`: listed, in the terminal, as LaTeX, as JSON, to a file that is whole or absent."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sympy

from remanifold.command import application as command
from remanifold.theory.derivations import DERIVATIONS, derivation, rendering


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["remanifold", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    return int(stopped.value.code or 0)


@pytest.mark.parametrize("arguments", [["derive"], ["derive", "--list"]])
def test_list(monkeypatch, capsys, arguments):
    assert run(monkeypatch, *arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[::2] == list(DERIVATIONS)
    assert not any("$" in line or "\\" in line for line in lines)


def test_terminal(monkeypatch, capsys):
    assert run(monkeypatch, "derive", "onset") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("onset\n")
    assert len(re.findall(r"^\d+\. ", shown, flags=re.MULTILINE)) == shown.count("LaTeX: ") == 7
    assert "λ" in shown
    assert "W\\left(" in shown
    assert "$" not in shown


def test_long_sums_are_broken(monkeypatch, capsys):
    assert run(monkeypatch, "derive", "circle", "--latex") == 0
    assert r"\begin{align*}" in capsys.readouterr().out


def test_json_results_are_sympy(monkeypatch, capsys):
    assert run(monkeypatch, "derive", "sphere", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown) == {"name", "shows", "source", "steps", "results"}
    k, radius = sympy.symbols("k R")
    centre = sympy.sympify(shown["results"]["r_centre"]["sympy"])
    assert sympy.simplify(centre - radius**2 / (k + 1)) == 0
    assert all(set(step) == {"text", "latex", "left", "right"} for step in shown["steps"])


def test_out_is_one_whole_file(monkeypatch, capsys, tmp_path):
    target = tmp_path / "ordering.tex"
    target.write_text("old")
    assert run(monkeypatch, "derive", "ordering", "--latex", "--out", str(target)) == 0
    assert capsys.readouterr().out.strip() == str(target)
    assert target.read_text() == rendering.latex(derivation("ordering"))
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["colapse"], ["derivation = 'colapse'", "collapse-isotropic"]),
        (["onset", "--latex", "--json"], ["--latex", "--json"]),
        (["--latex"], ["--latex", "name"]),
        (["onset", "--list"], ["--list", "onset"]),
        (["ordering", "--out", "missing/ordering.txt"], ["out = 'missing/ordering.txt'"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(monkeypatch, capsys, tmp_path, arguments, named):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "derive", *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("remanifold: ")
    assert shown.err.count("\n") == 1
    for word in named:
        assert word in shown.err
    assert list(tmp_path.iterdir()) == []


def test_help_and_list_do_not_import_sympy():
    code = (
        "import sys\n"
        "from remanifold.command.application import main\n"
        "for arguments in (['--help'], ['derive', '--help'], ['derive']):\n"
        "    sys.argv = ['remanifold', *arguments]\n"
        "    try: main()\n"
        "    except SystemExit: pass\n"
        "sys.exit('sympy' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
