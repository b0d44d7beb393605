"""`remanifold derive`: listed, in the terminal, as LaTeX that parses, as JSON, to a file that is whole or absent."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sympy
from matplotlib.mathtext import MathTextParser
from remanifold.command import application as command
from remanifold.command import derive
from remanifold.theory.derivations import DERIVATIONS, derivation


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


def test_sentences_are_readable_in_a_terminal():
    assert derive.plain(r"With $x = y + \sqrt{s}\,\xi$ at $\ln N$.") == "With x = y + √s ξ at ln N."
    assert derive.plain(r"$\sqrt{\beta}\,\xi$, $\sqrt{1-\beta}$") == "√β ξ, √(1-β)"
    assert derive.plain(r"$\lambda_{\max}(C) = r$, $\frac{1}{2}\ln\cosh x$") == "λ_max(C) = r, ½ln cosh x"


@pytest.mark.parametrize("name", ["curvature", "circle", "symmetry-breaking", "collapse-two-variances"])
def test_latex_is_balanced_and_parses(name):
    text = derive.latex(derivation(name))
    assert text.count("{") == text.count("}")
    assert text.count("$") % 2 == 0
    for environment in ("equation*", "align*"):
        assert text.count(rf"\begin{{{environment}}}") == text.count(rf"\end{{{environment}}}")
    displays = re.findall(r"\\begin\{equation\*\}\n(.*?)\n\\end\{equation\*\}", text, flags=re.DOTALL)
    assert displays
    parser = MathTextParser("path")
    for formula in displays:
        parser.parse(f"${formula.replace('limits', '')}$")
    inline = [formula for line in text.splitlines() for formula in line.split("$")[1::2]]
    for formula in inline:
        parser.parse(f"${formula}$")


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
    assert target.read_text() == derive.latex(derivation("ordering"))
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
