"""Speciation of two classes of digits."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray

from remanifold.figures.catalogue import class_speciation
from remanifold.models import TrainingConfig


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


def test_class_speciation_of_digits(without_mnist, tmp_path):
    network = TrainingConfig.quick(width=8, batch_size=16, steps=6)
    tiny = class_speciation.Sizes("tiny", 200, 300, network, network_pairs=10, grid=3)
    paths = replace(class_speciation.FIGURE, presets=(tiny,)).draw(tmp_path, "tiny")
    assert sorted(path.suffix for path in paths) == [".json", ".nc", ".pdf", ".png"]
    with xarray.open_dataset(tmp_path / "class-speciation.nc", engine="h5netcdf") as numbers:
        clones = numbers.sel(leg="empirical")
        error = np.hypot(clones["clone_probability_stderr"], numbers["clone_probability_weights_stderr"])
        missed = (clones["clone_probability"] - numbers["clone_probability_weights"]) / error
        assert np.abs(missed).max() < 4
        theory = numbers["clone_probability_theory"].values
        assert theory[-1] < theory[0]
    assert "t_S" in json.dumps(json.loads((tmp_path / "class-speciation.json").read_text()), ensure_ascii=False)
