"""Every figure at tiny size: one dialect on disk, presets by name, the picture drawn from the numbers."""

from dataclasses import replace

import pytest
import xarray

from remanifold.conventions.datasets import dataset
from remanifold.conventions.estimate import Estimate
from remanifold.conventions.quantities import QUANTITIES
from remanifold.figures import FIGURES, draw
from remanifold.figures.catalogue import (
    class_speciation,
    curved_dimension,
    digits_dimension,
    hidden_dimension,
    losing_dimensions,
    lost_first,
    mnist_dimension,
    phase_diagram,
    spectral_gaps,
    training_memorization,
    two_variances,
)
from remanifold.figures.dimension_curves import StudySizes
from remanifold.figures.figure import Figure
from remanifold.figures.registry import module
from remanifold.manifolds import digits
from remanifold.models import TrainingConfig

TINY = TrainingConfig.quick(width=8, batch_size=16, steps=6)
STUDIES = (curved_dimension, hidden_dimension, two_variances)
SIZES = {
    losing_dimensions: losing_dimensions.Sizes("quick", TINY, ratios=3, data_sets=2),
    digits_dimension: digits_dimension.Sizes("quick", TINY, ratios=13, queries=100, network_points=3),
    lost_first: lost_first.Sizes("quick", data_sets=2, queries=20, ratios=3, grid=4),
    spectral_gaps: spectral_gaps.Sizes("quick", 5),
    mnist_dimension: mnist_dimension.Sizes(
        "quick", lambda shape: TINY, None, "cpu", ratios=9, queries=100, points=3, probes=3, sizes=(50, 60000)
    ),
    training_memorization: training_memorization.Sizes(
        "quick", (16, 32), 30, 3, batch=16, samples=10, widths=(4, 8), capacity_steps=6
    ),
    class_speciation: class_speciation.Sizes("quick", 100, 50, TINY, network_pairs=5, grid=3),
    phase_diagram: phase_diagram.Sizes("quick", 6),
}


def tiny(figure, monkeypatch):
    """The function that draws the figure at a size that takes a second or two."""
    if figure in STUDIES:
        sizes = StudySizes("quick", seeds=2, ratios=3, queries=20, points=3, networks=(TINY, None))
        study = replace(figure.STUDY, sizes=(20, 60), exact=None)  # exact averages take a minute
        return Figure(study.name, (sizes,), study.compute, figure._picture, study.remarks).draw
    monkeypatch.setattr(figure, "PRESETS", (SIZES[figure],))
    return replace(figure.FIGURE, presets=figure.PRESETS).draw if hasattr(figure, "FIGURE") else figure.draw


@pytest.mark.parametrize("name", FIGURES)
def test_numbers_say_what_they_are(name, monkeypatch, tmp_path):
    monkeypatch.setattr("remanifold.figures.network_runs.os.cpu_count", lambda: 1)
    monkeypatch.setattr(mnist_dimension, "mnist", lambda size: digits().subset(200, 0))
    monkeypatch.setattr(class_speciation, "mnist", lambda: digits())
    monkeypatch.setattr(class_speciation, "TIMES", class_speciation.TIMES[::4])
    paths = tiny(module(name), monkeypatch)(tmp_path, "quick", 3)
    files = [path for path in paths if path.suffix == ".nc"]
    assert files
    for file in files:
        with xarray.open_dataset(file, engine="h5netcdf") as numbers:
            numbers.load()
        assert {"figure", "versions", "commit"} <= numbers.attrs.keys()
        if name != "phase-diagram":  # nothing in it is random
            assert numbers.attrs["seed"] == 3
            assert numbers.attrs["preset"] == "quick"
        for key, variable in numbers.variables.items():
            assert variable.attrs["long_name"], key
            assert variable.attrs["units"], key
            if key in QUANTITIES:  # one word, one meaning, unless the figure says more
                assert variable.attrs["units"] == QUANTITIES[key][1]
            if key.endswith("_stderr"):
                assert variable.dims == numbers[key.removesuffix("_stderr")].dims
                assert not (variable < 0).any()
        foreign = {"noise_ratio", "time", "dim"} | {key for key in numbers.variables if key.endswith(("_se", "_error"))}
        assert not foreign & numbers.variables.keys()
        if "leg" in numbers.coords:
            assert {"empirical", "network"} <= set(numbers["leg"].values)


@pytest.mark.parametrize("name", FIGURES)
def test_an_unknown_preset_is_refused_by_name(name, tmp_path):
    with pytest.raises(ValueError, match="preset = 'huge': must be one of quick, paper"):
        draw(name, tmp_path / "new", "huge")
    assert not (tmp_path / "new").exists()


def test_a_name_without_a_meaning_is_refused():
    with pytest.raises(ValueError, match="variable = 'wobble'"):
        dataset({"wobble": ("r", [1.0])}, {"r": [0.1]})
    told = dataset({"wobble": ("r", Estimate([1.0], [0.1]))}, {"r": [0.1]}, {"wobble": ("how far it wobbles", "1")})
    assert told["wobble_stderr"].attrs == {"long_name": "standard error of how far it wobbles", "units": "1"}
    assert dataset({"dimension_theory": ("r", [1.0])}, {"r": [0.1]})["dimension_theory"].attrs["units"] == "1"
    assert told["r"].attrs["long_name"] == "noise-to-signal ratio"
