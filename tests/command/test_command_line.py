"""The command line as a person meets it: one clear line and exit 2 for bad input, JSON for machines."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from remanifold.command import application as command


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["remanifold", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    return int(stopped.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["times", "klein-bottle"], ["manifold = 'klein-bottle'", "linear"]),
        (["times", "linear"], ["variances"]),
        (["times", "linear:variances=-1x3"], ["variances", "-1.0", "≥ 0"]),
        (["times", "linear:variances=nan"], ["variances", "finite"]),
        (["times", "linear:variances=one"], ["variances", "one", "number"]),
        (["times", "linear:radius=1"], ["radius", "variances"]),
        (["times", "linear:variances=1x3", "--n", "0"], ["n = 0", "> 1"]),
        (["times", "linear:variances=1x3", "--n", "nan"], ["n = nan"]),
        (["figure", "gaining-dimensions"], ["gaining-dimensions", "losing-dimensions"]),
        (["figure", "losing-dimensions", "--quick", "--paper"], ["--quick", "--paper"]),
        (["figure", "losing-dimensions", "--seed", "-1"], ["--seed"]),
        (["verify", "--precision", "3"], ["--precision"]),
        (["forecast"], ["forecast"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(monkeypatch, capsys, tmp_path, arguments, named):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("remanifold: ")
    assert shown.err.count("\n") == 1
    for word in named:
        assert word in shown.err
    assert list(tmp_path.iterdir()) == []  # nothing half-written


def test_unwritable_folder_is_refused_before_any_work(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert run(monkeypatch, "figure", "losing-dimensions", "--out", str(tmp_path / "file")) == 2
    assert "out = " in capsys.readouterr().err


def test_times_in_json_agree_with_the_closed_form(monkeypatch, capsys):
    assert run(monkeypatch, "times", "linear:variances=2x6", "--n", "1000", "--json") == 0
    points = {row["quantity"]: row for row in json.loads(capsys.readouterr().out)["critical_points"]}
    expected = 2 / (1000 ** (2 / 6) - 1)
    assert points["collapse"]["r"] == pytest.approx(expected, rel=1e-10)
    assert points["collapse"]["VE t"] == pytest.approx(expected, rel=1e-10)
    assert "reason" in points["symmetry breaking (drift)"]  # a Gaussian of variance 2 has none


def test_a_linear_hidden_manifold_collapses_with_its_spectrum(monkeypatch, capsys):
    """½ Σ ln(1 + λ/r) over the eigenvalues of W Wᵀ/d equals ln N at r_c, up to the fluctuation of ln det, 1 %."""
    name = "hidden-manifold:latent_dim=200,ambient_dim=400,activation=linear,seed=3"
    assert run(monkeypatch, "times", name, "--n", "1e30", "--json") == 0
    points = {row["quantity"]: row for row in json.loads(capsys.readouterr().out)["critical_points"]}
    weights = np.random.default_rng(3).standard_normal((400, 200)) / np.sqrt(200)
    _, log_det = np.linalg.slogdet(np.eye(200) + weights.T @ weights / points["collapse"]["r"])
    assert log_det / 2 == pytest.approx(30 * np.log(10), rel=0.01)
    assert "EmpiricalScore" in points["symmetry breaking (drift)"]["reason"]


def test_times_table_names_every_clock(monkeypatch, capsys):
    assert run(monkeypatch, "times", "two-gaussians:dim=16", "--n", "1e30") == 0
    shown = capsys.readouterr().out
    for word in ("VE t", "OU t", "DDPM step", "flow t", "speciation", "collapse"):
        assert word in shown


def test_help_starts_without_the_heavy_libraries():
    code = (
        "import sys; sys.argv = ['remanifold', '--help']\n"
        "from remanifold.command.application import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'torch', 'numba', 'matplotlib', 'xarray'} & set(sys.modules)\n"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr


def test_version(monkeypatch, capsys):
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"remanifold {version('remanifold')}\n"


def test_the_package_runs_as_a_module(tmp_path):
    arguments = [sys.executable, "-m", "remanifold", "times", "linear:variances=1x2", "--n", "1"]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr == "remanifold: n = 1.0: must be a finite number > 1\n"


@pytest.mark.parametrize("name", command.COMMANDS)
def test_every_command_explains_itself(monkeypatch, capsys, name):
    """One line of what it does in the list of all, the same at the head of its own help, and examples that exist."""
    assert run(monkeypatch, "--help") == 0
    listed = capsys.readouterr().out
    assert run(monkeypatch, name, "--help") == 0
    shown = capsys.readouterr().out
    assert f"remanifold {name} [OPTIONS]" in shown
    first = command.COMMANDS[name].command.__doc__.splitlines()[0]
    assert first in shown
    assert re.search(rf"^  {name} +{re.escape(first[:30])}", listed, flags=re.MULTILINE)
    examples = getattr(command.COMMANDS[name], "EXAMPLES", ())
    assert all(example.split()[0] in command.COMMANDS for example in examples)
    assert [f"    remanifold {example}" in shown for example in examples] == [True] * len(examples)


def test_figures_are_listed(monkeypatch, capsys):
    assert run(monkeypatch, "figures") == 0
    assert "losing-dimensions" in capsys.readouterr().out
