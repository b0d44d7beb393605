"""Writing a figure: complete or not at all, and readable again."""

import json

import numpy as np
import pytest
import xarray
from matplotlib import figure as mpl

from remanifold.conventions.atomic_files import writable
from remanifold.figures.results import provenance, save


@pytest.fixture
def picture():
    drawn = mpl.Figure()
    drawn.subplots().plot([0, 1])
    return drawn


def test_saved_figure_reads_back(tmp_path, picture):
    numbers = xarray.Dataset({"d": ("r", np.array([1.0, 2.0]))}, coords={"r": [0.1, 1.0]})
    paths = save(writable(tmp_path / "new"), "example", picture, numbers, provenance(seed=3))
    assert [p.suffix for p in paths] == [".png", ".pdf", ".nc", ".json"]
    record = json.loads(paths[3].read_text())
    assert record["seed"] == 3
    assert set(record["versions"]) >= {"numpy", "torch", "remanifold"}
    with xarray.open_dataset(paths[2]) as loaded:
        np.testing.assert_array_equal(loaded["d"].values, [1.0, 2.0])
        assert loaded.attrs["seed"] == 3
        assert json.loads(loaded.attrs["versions"]) == record["versions"]
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == sorted(p.name for p in paths)


def test_failed_write_leaves_the_old_file(tmp_path, picture):
    numbers = xarray.Dataset({"d": ("r", np.array([1.0]))})
    save(tmp_path, "example", picture, numbers, {"seed": 1})
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(TypeError):
        save(tmp_path, "example", picture, numbers, {"seed": object()})
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
