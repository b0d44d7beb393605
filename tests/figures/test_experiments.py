"""The experiments on three legs, at tiny sizes: theory against simulation, bookkeeping against hand counts."""

import json
import sys
from functools import partial

import numpy as np
import pytest
import xarray
from remanifold.command import application as command
from remanifold.conventions.estimate import Estimate
from remanifold.figures import comparison
from remanifold.figures.catalogue import (
    class_speciation,
    hidden_dimension,
    mnist_dimension,
    training_memorization,
    two_variances,
)
from remanifold.figures.dimension_curves import Study, at_ratio
from remanifold.figures.drawing.dimension_panels import panels
from remanifold.figures.network_runs import Run, side_by_side, trained
from remanifold.manifolds import HiddenManifold, Linear, Sphere, digits
from remanifold.models import ScoreNetwork, TrainingConfig, train
from remanifold.simulations import EmpiricalScore

TINY = {"width": 8, "batch_size": 16, "steps": 6}


# dimension on three legs


def curve(axis, label):
    """x and y of the line with this label, which is there once."""
    (line,) = (line for line in axis.get_lines() if line.get_label() == label)
    return line.get_xydata().T


def picture_shows_the_numbers(figure, numbers):
    """One panel for each law and N: its theory, its half, the mean over seeds of each leg, and its r_c."""
    places = [(law, n) for law in numbers["law"].values for n in numbers["n"].values]
    for axis, (law, n) in zip(figure.axes, places, strict=True):
        one = numbers.sel(law=law, n=n)
        assert law in axis.get_title()
        assert axis.get_title().endswith(f"N = {n}")
        np.testing.assert_array_equal(curve(axis, "N points"), [numbers["noise_ratio"], one["theory"]])
        np.testing.assert_array_equal(curve(axis, "half of it"), [numbers["noise_ratio"], one["population"] / 2])
        empirical, network = axis.containers
        np.testing.assert_array_equal(empirical[0].get_ydata(), one["empirical"].mean("seed"))
        np.testing.assert_array_equal(network[0].get_ydata(), one["network"].mean("seed"))
        assert set(curve(axis, "predicted collapse $r_c$")[0]) == {float(one["collapse"])}


def test_a_study_measures_what_theory_says(monkeypatch, tmp_path):
    """Two laws, 20 and 100 points, networks for 20 only: the empirical score follows theory's leading form."""
    monkeypatch.setattr(
        "remanifold.figures.network_runs.os.cpu_count", lambda: 1
    )  # new processes would only import torch again
    size = {"seeds": 3, "ratios": 9, "queries": 300, "points": 5, "networks": (TINY, None)}
    laws = {"plane": Linear([1.0] * 4), "sphere": Sphere(4)}
    study = Study("study", laws, (20, 100), (0.02, 3.0), (0.2,), {"quick": size})
    numbers = study.compute(tmp_path, "quick", 0)
    missed = np.abs(numbers["empirical"].mean("seed") - numbers["theory"]) / numbers["population"]
    assert missed.max() < 0.15
    assert np.isnan(numbers["network"].sel(n=100)).all()
    assert np.isfinite(numbers["network"].sel(n=20)).all()
    rows, agreed = study.comparison(numbers)
    halves = [row for row in rows if "½" in row.quantity]
    assert [row.quantity.split(":")[0] for row in halves] == [f"{name}, N = {n}" for name in laws for n in study.sizes]
    for row in halves:
        assert row.empirical.mean == pytest.approx(row.theory, rel=0.3)
    assert [row.network is None for row in rows if "d(0.2)" in row.quantity] == [False, True] * 2
    assert min(entry.empirical for entry in agreed if entry.empirical is not None) > 0.85
    picture_shows_the_numbers(panels(numbers, {"plane": "a plane", "sphere": "a sphere"}, "N points"), numbers)
    left, middle, right = two_variances._picture(numbers).axes
    for axis, leg, sizes in ((left, "empirical", [20, 100]), (middle, "network", [20])):
        assert [part.get_label() for part in axis.containers] == [f"N = {n}" for n in sizes]
        for part, n in zip(axis.containers, sizes, strict=True):
            one = numbers.isel(law=0).sel(n=n)
            np.testing.assert_array_equal(part[0].get_ydata(), one[leg].mean("seed"))
            assert any(np.array_equal(line.get_ydata(), one["theory"]) for line in axis.get_lines())
            assert any(set(line.get_xdata()) == {float(one["collapse"])} for line in axis.get_lines())
    assert right.get_xlim()[0] < 20 < 100 < right.get_xlim()[1]


def test_every_data_set_has_a_manifold_of_its_own():
    rng = np.random.default_rng(0)
    law = HiddenManifold(2, 6, "linear", rng=rng)  # a plane in R⁶
    one, other = (hidden_dimension.another_manifold(law, 10, rng) for _ in range(2))
    assert [np.linalg.matrix_rank(points) for points in (one, other, np.concatenate([one, other]))] == [2, 2, 4]


def test_curves_are_read_between_their_ratios():
    r = np.array([0.01, 1.0])
    assert at_ratio(np.array([[0.0, 2.0], [1.0, 1.0]]), r, 0.1) == pytest.approx([1.0, 1.0])


# agreement


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
    rows = [comparison.Row("τ", 1.0, Estimate(2.0, 0.1), 7.0)]
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


# training side by side


@pytest.mark.slow  # each process imports torch
def test_networks_of_processes_are_those_of_one(tmp_path):
    points = np.random.default_rng(0).standard_normal((20, 3))
    runs = [Run(points, TrainingConfig.quick(seed=k, **TINY), tmp_path / str(k)) for k in range(2)]
    for run, network in zip(runs, trained(runs, "two networks"), strict=True):
        alone = train(points, run.config, progress=False)
        assert np.array_equal(network.score(points, 0.1), alone.score(points, 0.1))


def test_an_error_in_a_process_is_raised():
    with pytest.raises(ValueError, match="invalid literal"):
        side_by_side([partial(int, "no number"), partial(int, "1")], "numbers")


# memorization along training


def test_lost_information_of_a_shifted_score():
    """s = s_pop + v/√r has E r|s - s_pop|² = |v|² at every r: ½ |v|² ln(r_max/r_min) nats."""
    law, ratios = training_memorization.LAW, training_memorization.RATIOS
    shift = np.zeros(law.ambient_dim)
    shift[-1] = 2.0
    lost = training_memorization.lost_information(lambda x, r: law.score(x, r) + shift / np.sqrt(r), 0, points=10)
    assert lost.mean == pytest.approx(2 * np.log(ratios[-1] / ratios[0]), rel=1e-6)
    assert training_memorization.lost_information(law, 0, points=10).mean == 0


def test_the_empirical_score_copies_and_the_population_does_not():
    points = training_memorization.training_points(20, 0)
    assert training_memorization.copied(EmpiricalScore(points), points, 60, 0).mean > 0.9
    assert training_memorization.copied(training_memorization.LAW, points, 60, 0).mean < 0.1


def test_training_is_taken_up_where_it_stopped(tmp_path):
    follow = partial(training_memorization.follow, batch=16, n=20, seed=0, width=8)
    follow(tmp_path / "whole", steps=[3, 7])
    (tmp_path / "whole" / "step-7").rename(tmp_path / "expected")
    for file in (tmp_path / "whole").glob("checkpoint*"):
        file.unlink()
    follow(tmp_path / "whole", steps=[3, 7])
    x = np.ones((2, training_memorization.LAW.ambient_dim))
    first, second = (ScoreNetwork.load(tmp_path / name) for name in ("expected", "whole/step-7"))
    assert np.array_equal(first.score(x, 0.1), second.score(x, 0.1))


def test_first_step_and_exponent():
    steps, n = np.array([1.0, 10.0, 100.0]), np.array([10.0, 20.0, 40.0, 80.0])
    assert training_memorization.first_step(steps, np.array([0.0, 0.2, 0.4]), 0.3) == pytest.approx(10**1.5)
    assert training_memorization.first_step(steps, np.array([0.0, 0.2, 0.2]), 0.3) is None
    slope = training_memorization.exponent(n, list(3 * n**1.5))
    assert slope.mean == pytest.approx(1.5)
    assert slope.stderr < 1e-10
    assert training_memorization.exponent(n, [1.0, None, None, 2.0]) is None


# classes


@pytest.fixture
def without_mnist(monkeypatch):
    def missing(**_):
        raise ValueError("MNIST is not installed")

    monkeypatch.setattr(class_speciation, "mnist", missing)


def test_the_mixture_has_the_moments_of_the_classes(without_mnist):
    pair = class_speciation.two_classes(10**6, 0)
    assert (pair.name, len(pair)) == ("digits", 356)
    law = class_speciation.gaussian_classes(pair)
    assert law.mean == pytest.approx(pair.mean, abs=1e-12)
    assert law.leading_variance() == pytest.approx(pair.leading_variance(), rel=1e-9)


def test_class_speciation_of_digits(without_mnist, monkeypatch, tmp_path):
    tiny = {"n": 200, "pairs": 300, "network": TINY, "grid": 3, "network_pairs": 10}
    monkeypatch.setitem(class_speciation.PRESETS, "quick", tiny)
    paths = class_speciation.draw(tmp_path)
    assert sorted(path.suffix for path in paths) == [".json", ".nc", ".pdf", ".png"]
    with xarray.open_dataset(tmp_path / "class-speciation.nc", engine="h5netcdf") as numbers:
        error = np.hypot(numbers["clones_se"], numbers["weights_se"])
        assert np.abs((numbers["clones"] - numbers["weights"]) / error).max() < 4
        assert numbers["theory"].values[-1] < numbers["theory"].values[0]
    assert "t_S" in json.dumps(json.loads((tmp_path / "class-speciation.json").read_text()), ensure_ascii=False)


# images


def test_image_curves(monkeypatch, tmp_path):
    """Digits in the place of MNIST: the set itself is the reference, N of them collapse near the prediction."""
    monkeypatch.setattr(mnist_dimension, "SIZES", (50, 60000))
    monkeypatch.setattr(mnist_dimension, "TRAINED", (50,))
    monkeypatch.setattr(mnist_dimension, "SMALLEST", 0.05)
    tiny = {"side": None, "device": "cpu", "ratios": 21, "queries": 200, "points": 4, "probes": 4}
    monkeypatch.setitem(mnist_dimension.PRESETS, "quick", tiny)
    monkeypatch.setattr(
        "remanifold.figures.network_runs.os.cpu_count", lambda: 1
    )  # new processes would only import torch again
    monkeypatch.setattr(mnist_dimension, "_config", lambda *_: TrainingConfig.quick(predicts="x0", **TINY))
    numbers = mnist_dimension.compute(digits().subset(900, 0), tmp_path, "quick", 0)
    assert numbers["n"].values.tolist() == [50, 900]
    rows, agreed = mnist_dimension.comparison(numbers)
    for row in rows[::3]:
        assert row.empirical == pytest.approx(row.theory, rel=0.25)
    assert {entry.case for entry in agreed} == {"N = 50"}
    assert np.all(numbers["gaussian_information"] > 0.97 * numbers["information"])  # a bound, up to queries' noise
    # an untrained network has no dimension: the larger of the two is the empirical score's
    assert mnist_dimension.population(numbers) == pytest.approx(numbers["empirical"].values[-1], abs=2e-3)
    curves, area = mnist_dimension._picture(numbers).axes
    for i, n in enumerate(numbers["n"].values):
        shown = [numbers["noise_ratio"], numbers["empirical"].sel(n=n)]
        np.testing.assert_array_equal(curve(curves, f"empirical score, N = {n}"), shown)
        r_c = float(numbers["collapse"][i])
        label = f"N = {n}: " + ("not predicted" if np.isnan(r_c) else f"$r_c$ = {r_c:.3g}")
        np.testing.assert_array_equal(curve(area, label)[:, 0], [r_c, np.log(n)])
        assert np.isnan(r_c) or np.interp(r_c, *curve(area, "all images, sum rule")) == pytest.approx(
            np.log(n), rel=0.05
        )
    assert [part.get_label() for part in curves.containers] == [f"network, N = {n}" for n in numbers["trained"].values]
