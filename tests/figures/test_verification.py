"""The verification table itself: small runs agree, and a wrong theory is found out."""

import json

import numpy as np
import pytest

from remanifold.command import application as command
from remanifold.conventions.estimate import Estimate
from remanifold.figures.verification import classes, table
from remanifold.figures.verification.quantity import Verified


def test_identities_and_speciation_agree_with_theory():
    rng = np.random.default_rng(1)
    rows = [row for name in ("identities", "speciation", "local condensation") for row in table.CHECKS[name](rng, 8)]
    assert len(rows) == 5
    for row in rows:
        assert abs(row.z) < 5, row


def test_every_convention_of_symmetry_breaking_is_measured():
    found = list(classes.check_symmetry_breaking(np.random.default_rng(0), 2))
    assert [row.quantity.split("(")[1].split(")")[0] for row in found] == ["density", "drift", "covariance"]
    for row in found:
        assert row.simulation.mean == pytest.approx(row.theory, rel=0.02)


def test_disagreement_exits_1(monkeypatch, capsys):
    wrong = Verified("collapse", 1.0, Estimate(1.5, 0.1))
    monkeypatch.setattr(table, "run", lambda seed, quick: [wrong])
    monkeypatch.setattr("sys.argv", ["remanifold", "verify", "--json"])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert stopped.value.code == 1
    assert json.loads(capsys.readouterr().out)[0]["z"] == pytest.approx(5.0)


@pytest.mark.slow
def test_the_whole_table_agrees_at_the_long_setting():
    assert all(abs(row.z) < 4 for row in table.run(seed=11, quick=False))
