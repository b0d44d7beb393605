"""The benchmarks as a user starts them: lists, bad names, lines of the quick sizes; no timing is judged."""

import json
import sys

import numpy as np
import pytest

from remanifold.benchmarks.data import Problem
from remanifold.benchmarks.registry import BENCHMARKS, cell, machine, rows
from remanifold.benchmarks.side_by_side import Timings, resident
from remanifold.command import application as command
from remanifold.manifolds import Linear
from remanifold.theory import collapse


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["remanifold", "bench", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    return int(stopped.value.code or 0)


def test_without_a_name_all_are_listed(monkeypatch, capsys):
    assert run(monkeypatch) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in BENCHMARKS)


def test_an_unknown_name_is_one_line_and_exit_2(monkeypatch, capsys):
    assert run(monkeypatch, "speed") == 2
    shown = capsys.readouterr().err
    assert "benchmark = 'speed'" in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_every_benchmark_is_there(name):
    """Their functions are generators: nothing runs before the first line is asked for."""
    rows(name, quick=True).close()


def test_lines_for_a_machine(monkeypatch, capsys):
    """The span, because it needs no second of compilation: our result and the peer's are those of one problem."""
    assert run(monkeypatch, "span", "--quick", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["machine"]["cores"] == machine()["cores"]
    assert found["rows"][0]["rank"] == 20


def test_methods_alternate_and_errors_come_back():
    with resident({"ours": "time:sleep"}) as methods, pytest.raises(TypeError):
        methods.compare({"wrong": 1})


def test_ratios_are_medians_over_pairs():
    timings = Timings({"ours": np.array([1.0, 2.0, 1.0]), "peer": np.array([2.0, 2.0, 8.0])}, {}, {})
    assert timings.ratio("peer") == (2.0, 1.0, 8.0)
    assert timings.fastest(("peer", "ours")) == "ours"
    assert str(timings.ratio("peer")) == "2.00 [1.00..8.00]"


def test_problems():
    points, queries, r = Problem(500, 8, 3, over_collapse=0.5).float64()
    assert r == pytest.approx(0.5 * collapse(Linear([1.0] * 8), log_n=np.log(500)))
    assert (points.shape, queries.shape) == ((500, 8), (3, 8))
    assert np.linalg.matrix_rank(Problem(100, 50, 1, r=1.0, rank=7).float64()[0]) == 7


@pytest.mark.parametrize(
    ("value", "shown"), [(0.5, "0.5"), (1.234567e-8, "1.2e-08"), (12345.6, "1.235e+04"), ("x", "x")]
)
def test_cells(value, shown):
    assert cell(value) == shown
