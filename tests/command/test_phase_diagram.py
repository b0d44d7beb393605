"""The command `phase-diagram`: files that hold what they say, families, and one clear line for bad input."""

import json
import math
import sys

import numpy as np
import pytest
import xarray

from remanifold.command import application as command
from remanifold.figures.catalogue.phase_diagram import Ranges, dimension_numbers, noise_numbers, ratio_numbers
from remanifold.figures.catalogue.phase_families import dimension_family, ratio_family
from remanifold.manifolds import Linear, Product, Sphere
from remanifold.manifolds.names import manifold
from remanifold.theory import collapse, finite_size, local_condensation, onset


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["remanifold", "phase-diagram", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    return int(stopped.value.code or 0)


def diagram(monkeypatch, capsys, tmp_path, *arguments):
    """The numbers and the record of a run with --json."""
    assert run(monkeypatch, *arguments, "--json", "--out", str(tmp_path)) == 0
    record = json.loads(capsys.readouterr().out)
    names = {path.rsplit(".", 1)[1]: path for path in record["files"]}
    assert set(names) == {"png", "pdf", "nc", "json"}
    with xarray.open_dataset(names["nc"], engine="h5netcdf") as numbers:
        return numbers.load(), record


def test_noise_plane(monkeypatch, capsys, tmp_path):
    arguments = ("two-gaussians:dim=16", "--grid", "30", "--n-max", "1e6")
    numbers, record = diagram(monkeypatch, capsys, tmp_path, *arguments)
    assert numbers["retrieval"].shape == (30, 30)
    law, row = manifold("two-gaussians:dim=16"), record["lines"][2]
    assert row["n"] == pytest.approx(1000)
    assert row["collapse"] == pytest.approx(collapse(law, log_n=math.log(1000)), rel=1e-2)  # between grid points
    assert numbers["onset"].values[-1] == pytest.approx(onset(law, log_n=math.log(1e6)), rel=1e-9)
    assert float(numbers["speciation"]) == pytest.approx(15.0)
    assert numbers["r"][0] < numbers["generalization"].min()
    assert numbers["r"][-1] > 15.0


def test_exact_retrieval_lies_on_the_same_plane(monkeypatch):
    monkeypatch.setattr("remanifold.figures.catalogue.phase_diagram.EXACT_GRID", 3)
    law = Linear([1.0] * 16)
    numbers = noise_numbers(law, Ranges(8, (100.0, 1e5), (0.1, 10.0)), exact=True)
    exact = numbers["exact_retrieval"]
    log_n, r = float(exact["log_n_exact"][1]), float(exact["r_exact"][1])
    assert (np.exp(log_n), r) == pytest.approx((math.sqrt(1e7), 1.0))
    assert exact.values[1, 1] == pytest.approx(finite_size.retrieval(law, log_n, r))
    gaussian = numbers["retrieval"].interp(log_n=exact["log_n_exact"], r=exact["r_exact"])
    assert np.abs(gaussian.values - exact.values).max() < 0.15


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("linear:variances=2x4,ambient_dim=6", Linear([2.0] * 3, ambient_dim=5)),
        ("sphere:intrinsic_dim=5,radius=2", Sphere(3, 2.0)),
        ("torus:radii=0.5x2", Product([Sphere(1, 0.5)] * 3)),
    ],
)
def test_dimension_axis(name, expected):
    numbers = dimension_numbers(manifold(name), Ranges(4, (10.0, 1e4), d=(1, 4)))
    assert numbers["intrinsic_dim"].values.tolist() == [1, 2, 3, 4]
    found = numbers.sel(intrinsic_dim=3).isel(log_n=-1)
    assert float(found["collapse"]) == pytest.approx(collapse(expected, log_n=math.log(1e4)), rel=1e-9)
    assert expected.ambient_dim == dimension_family(manifold(name)).law(3).ambient_dim


def test_total_variance_kept():
    law = dimension_family(Linear([3.0] * 4), "total").law(6)
    assert law.information(1.0) == pytest.approx(Linear([2.0] * 6).information(1.0))
    sphere = dimension_family(Sphere(3, 2.0), "variance").law(7)  # R² = 4 in 4 dimensions, so 8 in 8
    assert sphere.information(0.3) == pytest.approx(Sphere(7, math.sqrt(8)).information(0.3), rel=1e-9)


def test_dimension_picture(monkeypatch, capsys, tmp_path):
    arguments = ("sphere:intrinsic_dim=5", "--axes", "d-n", "--grid", "3", "--d-max", "3")
    numbers, record = diagram(monkeypatch, capsys, tmp_path, *arguments)
    assert numbers["collapse"].shape == (3, 3)
    assert record["axes"] == "d-n"


def test_ratio_axis(monkeypatch, capsys, tmp_path):
    arguments = ("linear:variances=2x5+0.1x3", "--axes", "ratio-n", "--grid", "5", "--n-max", "1e6")
    numbers, _ = diagram(monkeypatch, capsys, tmp_path, *arguments)
    law, log_n = Linear([2.0] * 5 + [0.02] * 3), math.log(1e6)
    found = numbers.sel(ratio=0.01, method="nearest").isel(log_n=-1)
    assert float(found["collapse"]) == pytest.approx(collapse(law, log_n=log_n), rel=1e-9)
    assert float(found["dimension_at_collapse"]) == pytest.approx(float(law.dimension(float(found["collapse"]))))
    assert float(found["condensation_second"]) == pytest.approx(local_condensation(law, 5, log_n=log_n), rel=1e-9)


def test_one_variance_is_split_and_a_sphere_becomes_two():
    halves = ratio_family(Linear([1.0] * 5)).law(0.25)
    assert halves.information(0.1) == pytest.approx(Linear([1.0] * 3 + [0.25] * 2).information(0.1))
    family = ratio_family(Sphere(5, 2.0))
    two = Product([Sphere(3, 2.0), Sphere(2, 1.0)])
    assert family.law(0.25).information(0.1) == pytest.approx(two.information(0.1), rel=1e-9)
    log_n = np.array([5.0])
    assert family.condensation(0.25, 1, log_n)[0] == pytest.approx(local_condensation(two, 4, log_n=5.0), rel=1e-9)


@pytest.mark.slow
def test_normalized_data_between_its_ratios(monkeypatch):
    """A few ratios are computed; between them ln r_c is a spline, good to a percent."""
    monkeypatch.setattr("remanifold.figures.catalogue.phase_diagram.RATIOS_OF_A_SLOW_LAW", 4)
    law = manifold("normalized-linear:variances=1x2+0.5x2")
    numbers = ratio_numbers(law, Ranges(7, (10.0, 100.0), ratio=(0.01, 1.0)))
    q = float(numbers["ratio"][5])
    law = manifold(f"normalized-linear:variances=1x2+{q!r}x2")
    found = float(numbers["collapse"].isel(ratio=5, log_n=-1))
    assert found == pytest.approx(collapse(law, log_n=math.log(100)), rel=1e-2)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["klein-bottle"], "manifold"),
        (["linear:variances=1x3", "--axes", "r-d"], "axes = 'r-d'"),
        (["linear:variances=1x3", "--grid", "1"], "grid = 1"),
        (["linear:variances=1x3", "--n-min", "1e3", "--n-max", "10"], "n-min, n-max"),
        (["linear:variances=1x3", "--n-max", "inf"], "n-min, n-max"),
        (["linear:variances=1x3", "--r-min", "1"], "r-min and r-max"),
        (["linear:variances=1x3", "--fixed", "total"], "fixed"),
        (["linear:variances=1x3", "--axes", "d-n", "--fixed", "radius"], "fixed = 'radius'"),
        (["linear:variances=1x3", "--axes", "d-n", "--exact"], "exact"),
        (["linear:variances=1x3+2", "--axes", "d-n"], "variances"),
        (["two-gaussians:dim=4", "--axes", "d-n"], "manifold"),
        (["two-gaussians:dim=4", "--axes", "ratio-n"], "manifold"),
        (["sphere:intrinsic_dim=1", "--axes", "ratio-n"], "two dimensions"),
        (["normalized-linear:variances=1x3", "--exact"], "exact"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(monkeypatch, capsys, tmp_path, arguments, named):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("remanifold: ")
    assert shown.err.count("\n") == 1
    assert named in shown.err
    assert not (tmp_path / "output").exists() or not list((tmp_path / "output").iterdir())
