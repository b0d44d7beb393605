"""Dimension of images."""

import numpy as np
import pytest

from remanifold.figures.catalogue import mnist_dimension
from remanifold.manifolds import digits
from remanifold.models import TrainingConfig

TINY = TrainingConfig.quick(predicts="x0", width=8, batch_size=16, steps=6)


def curve(axis, label):
    """x and y of the line with this label, which is there once."""
    (line,) = (line for line in axis.get_lines() if line.get_label() == label)
    return line.get_xydata().T


def test_image_curves(monkeypatch, tmp_path):
    """Digits in the place of MNIST: the set itself is the reference, N of them collapse near the prediction."""
    tiny = mnist_dimension.Sizes(
        "tiny", lambda shape: TINY, side=None, device="cpu", ratios=21, queries=200, points=4, probes=4,
        sizes=(50, 60000), trained=(50,), ends=(0.05, 3e3),
    )  # fmt: skip
    monkeypatch.setattr(mnist_dimension, "mnist", lambda size: digits().subset(900, 0))
    monkeypatch.setattr(
        "remanifold.figures.network_runs.os.cpu_count", lambda: 1
    )  # new processes would only import torch again
    numbers = mnist_dimension.compute(tiny, tmp_path, 0)
    assert numbers["n"].values.tolist() == [50, 900]
    rows, agreed = mnist_dimension.comparison(numbers)
    for row in rows[::3]:
        assert row.empirical == pytest.approx(row.theory, rel=0.25)
    assert {entry.case for entry in agreed} == {"N = 50"}
    assert np.all(numbers["information_gaussian"] > 0.97 * numbers["information"])  # a bound, up to queries' noise
    # an untrained network has no dimension: the larger of the two is the empirical score's
    empirical = numbers["dimension"].sel(leg="empirical")
    assert mnist_dimension.population(numbers) == pytest.approx(empirical.values[-1], abs=2e-3)
    curves, area = mnist_dimension._picture(numbers).axes
    for i, n in enumerate(numbers["n"].values):
        shown = [numbers["r"], empirical.sel(n=n)]
        np.testing.assert_array_equal(curve(curves, f"empirical score, N = {n}"), shown)
        r_c = float(numbers["collapse"][i])
        label = f"N = {n}: " + ("not predicted" if np.isnan(r_c) else f"$r_c$ = {r_c:.3g}")
        np.testing.assert_array_equal(curve(area, label)[:, 0], [r_c, np.log(n)])
        assert np.isnan(r_c) or np.interp(r_c, *curve(area, "all images, sum rule")) == pytest.approx(
            np.log(n), rel=0.05
        )
    assert [part.get_label() for part in curves.containers] == ["network, N = 50", "network, N = 900"]
