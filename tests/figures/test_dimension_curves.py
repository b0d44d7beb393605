"""d(r) on three legs, at tiny sizes: theory against simulation."""

import numpy as np
import pytest

from remanifold.figures.catalogue import hidden_dimension, two_variances
from remanifold.figures.dimension_curves import Study, StudySizes, at_ratio
from remanifold.figures.drawing.dimension_panels import panels
from remanifold.manifolds import HiddenManifold, Linear, Sphere
from remanifold.models import TrainingConfig

TINY = TrainingConfig.quick(width=8, batch_size=16, steps=6)


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
        np.testing.assert_array_equal(curve(axis, "N points"), [numbers["r"], one["dimension_theory"]])
        np.testing.assert_array_equal(curve(axis, "half of it"), [numbers["r"], one["dimension_population"] / 2])
        for shown, leg in zip(axis.containers, ("empirical", "network"), strict=True):
            np.testing.assert_array_equal(shown[0].get_ydata(), one["dimension"].sel(leg=leg).mean("seed"))
        assert set(curve(axis, "predicted collapse $r_c$")[0]) == {float(one["collapse"])}


def test_a_study_measures_what_theory_says(monkeypatch, tmp_path):
    """Two laws, 20 and 100 points, networks for 20 only: the empirical score follows theory's leading form."""
    monkeypatch.setattr(
        "remanifold.figures.network_runs.os.cpu_count", lambda: 1
    )  # new processes would only import torch again
    size = StudySizes("tiny", seeds=3, ratios=9, queries=300, points=5, networks=(TINY, None))
    laws = {"plane": Linear([1.0] * 4), "sphere": Sphere(4)}
    study = Study("study", laws, (20, 100), (0.02, 3.0), (0.2,))
    numbers = study.compute(size, tmp_path, 0)
    empirical, network = (numbers["dimension"].sel(leg=leg) for leg in ("empirical", "network"))
    missed = np.abs(empirical.mean("seed") - numbers["dimension_theory"]) / numbers["dimension_population"]
    assert missed.max() < 0.15
    assert np.isnan(network.sel(n=100)).all()
    assert np.isfinite(network.sel(n=20)).all()
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
            np.testing.assert_array_equal(part[0].get_ydata(), one["dimension"].sel(leg=leg).mean("seed"))
            assert any(np.array_equal(line.get_ydata(), one["dimension_theory"]) for line in axis.get_lines())
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
