"""How well three legs agree: bookkeeping against hand counts, and the printed tables."""

import json
import sys

import numpy as np
import pytest

from remanifold.command import application as command
from remanifold.conventions.estimate import Estimate
from remanifold.figures import comparison


def test_agreement_counts_the_share_of_the_dimension():
    population, r = np.full(9, 4.0), np.geomspace(0.01, 100, 9)
    where = comparison.regimes(r, 1.0, 4.0)  # width 2/√4 = 1 in ln r
    assert [int(part.sum()) for part in where.values()] == [4, 1, 4]
    assert where[comparison.COLLAPSED][0]
    assert where[comparison.GENERALIZING][-1]
    step = np.where(r > 1, 4.0, 0.0)
    found = comparison.agreements("case", where, population=population, theory=step, empirical=step, network=population)
    by_regime = {entry.regime: entry for entry in found}
    assert all(entry.empirical == 1 and entry.population == 1 for entry in found)
    assert by_regime[comparison.COLLAPSED].network == 0
    assert by_regime[comparison.GENERALIZING].network == 1
    assert comparison.agreement(population, 3 * population, population, np.zeros(9, bool)) is None
    assert comparison.agreement(population, 3 * population, population, np.ones(9, bool)) == -1


def test_spread_needs_every_seed():
    assert comparison.spread([1.0, 3.0]) == (2.0, pytest.approx(np.sqrt(2)))
    assert comparison.spread([1.0, None]) is None


def test_tables_are_printed_from_the_record(monkeypatch, capsys, tmp_path):
    rows = [comparison.QuantityByLeg("τ", 1.0, Estimate(2.0, 0.1), 7.0)]
    agreed = [comparison.Agreement("N = 5", "collapsed", 0.5, None, None)]
    (tmp_path / "drawn.json").write_text(json.dumps(comparison.recorded(rows, agreed)))
    (tmp_path / "other.json").write_text("{}")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["remanifold", "compare", *arguments, "--out", str(tmp_path)])
        with pytest.raises(SystemExit) as stopped:
            command.main()
        return int(stopped.value.code or 0), capsys.readouterr()

    status, shown = run("drawn")
    assert status == 0
    assert [word in shown.out for word in ("2 ± 0.1", "7", "N = 5: collapsed", "0.50", "–")] == [True] * 5
    assert json.loads(run("drawn", "--json")[1].out)["comparison"][0]["empirical"] == [2.0, 0.1]
    for name, named in (("missing", "remanifold figure missing"), ("other", "no comparison")):
        status, shown = run(name)
        assert status == 2
        assert named in shown.err
        assert shown.err.count("\n") == 1
