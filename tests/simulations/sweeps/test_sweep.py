"""A sweep gives the same numbers however it is run, loses nothing when killed, and takes no other sweep's results."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray

from remanifold.manifolds import Linear
from remanifold.simulations import EmpiricalScore, Estimate, planted_averages, sweep
from remanifold.simulations.sweeps.store import Task
from remanifold.theory import finite_size

RATIOS = np.array([0.3, 1.0])
GRID = {"n": [10, 20, 30], "law": ["flat", "round"]}


def noisy(n, law, rng):
    return {"mean": n + rng.standard_normal(), "curve": rng.random(2), "length": len(law)}


def logged(n, log, rng):
    with open(log, "a") as file:
        file.write(f"{n}\n")
    return {"value": rng.random()}


def deadly(n, fatal, flag, rng):
    if n == fatal and not Path(flag).exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return {"value": rng.random()}


def fragile(n, flag, rng):
    if n in (2, 4) and not Path(flag).exists():
        raise ZeroDivisionError(f"no {flag}")
    return {"value": float(n)}


def estimated(n, rng):
    return {"value": Estimate(float(n), 0.5), "undefined": np.nan}


def weighty(n, dim, rng):
    empirical = EmpiricalScore(Linear([1.0] * dim).sample(n, rng))
    return {"retrieval": planted_averages(empirical, RATIOS, rng, 64).retrieval}


def same(a, b):
    xarray.testing.assert_identical(a.drop_attrs(), b.drop_attrs())


def test_retrieval_over_data_sets_agrees_with_the_exact_average(tmp_path):
    found = sweep(weighty, {"n": [30, 200], "dim": 4}, tmp_path / "s", replicas=24, inner={"r": RATIOS})
    assert found["retrieval"].dims == ("n", "r")
    for n in (30, 200):
        exact = [finite_size.retrieval(Linear([1.0] * 4), np.log(n), r) for r in RATIOS]
        z = (found["retrieval"].sel(n=n) - exact) / found["retrieval_stderr"].sel(n=n)
        assert np.abs(z).max() < 4.5


def test_replicas_are_independent_and_give_the_error_of_the_mean(tmp_path):
    found = sweep(noisy, {"n": list(range(20)), "law": "flat"}, tmp_path / "s", replicas=16, inner={"r": RATIOS})
    z = (found["mean"] - found["n"]) * 4  # unit variance: the mean of 16 has standard deviation 1/4
    assert abs(float((z**2).sum()) - 20) < 5 * np.sqrt(40)  # χ² of 20
    assert float(found["mean_stderr"].mean()) == pytest.approx(0.25, rel=0.2)
    assert float(found["length_stderr"].max()) == 0


@pytest.mark.parametrize("seed", [0, 7])
def test_order_extension_and_workers_change_no_number(tmp_path, seed):
    at_once = sweep(noisy, GRID, tmp_path / "once", seed=seed, replicas=2, inner={"r": RATIOS})
    small = {"law": "round", "n": [30]}
    sweep(noisy, small, tmp_path / "grown", seed=seed, inner={"r": RATIOS})
    reversed_axes = {"law": GRID["law"][::-1], "n": GRID["n"][::-1]}
    grown = sweep(noisy, reversed_axes, tmp_path / "grown", seed=seed, replicas=2, inner={"r": RATIOS})
    same(grown.sel(at_once.coords).transpose("n", "law", "r"), at_once)
    with ThreadPoolExecutor(3) as pool:
        same(sweep(noisy, GRID, tmp_path / "t", seed=seed, replicas=2, inner={"r": RATIOS}, client=pool), at_once)
    other = sweep(noisy, GRID, tmp_path / "other", seed=seed + 1, replicas=2, inner={"r": RATIOS})
    assert not np.any(other["mean"] == at_once["mean"])


def test_processes_change_no_number(tmp_path):
    arguments = {"replicas": 2, "inner": {"r": RATIOS}}
    here = sweep(weighty, {"n": [20, 40], "dim": 3}, tmp_path / "here", **arguments)
    same(sweep(weighty, {"n": [20, 40], "dim": 3}, tmp_path / "two", workers=2, **arguments), here)


def test_only_what_is_missing_is_measured(tmp_path):
    log = tmp_path / "log"

    def measured(**changes):
        log.write_text("")
        sweep(logged, {"n": [1, 2], "log": str(log), **changes.pop("axes", {})}, tmp_path / "s", **changes)
        return sorted(map(int, log.read_text().split()))

    assert measured() == [1, 2]
    assert measured() == []
    assert measured(axes={"n": [2.0, 3]}) == [3]  # 2.0 is 2
    assert measured(axes={"n": [1, 2, 3]}, replicas=3) == [1, 1, 2, 2, 3, 3]


def test_a_killed_sweep_is_taken_up_without_loss(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    axes = {"n": list(range(12)), "fatal": 5, "flag": "flag"}
    before = sorted(Task({**axes, "n": n}, 0).key for n in axes["n"]).index(Task({**axes, "n": 5}, 0).key)
    assert 0 < before < 11
    code = (
        "import importlib.util\nfrom remanifold.simulations import sweep\n"
        f"spec = importlib.util.spec_from_file_location({__name__!r}, {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"
        f"sweep(module.deadly, {axes}, 's')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    kept = {path: path.read_bytes() for path in Path("s", "points").glob("*.json")}
    assert len(kept) == before
    assert not Path("s", "sweep.nc").exists()
    Path("flag").touch()
    found = sweep(deadly, axes, "s")
    assert all(path.read_bytes() == content for path, content in kept.items())
    same(found, sweep(deadly, axes, "uninterrupted"))


def test_shares_are_disjoint_and_together_complete(tmp_path):
    axes, log = {"n": list(range(11))}, tmp_path / "log"
    axes["log"] = str(log)
    seen = []
    for k in (3, 1, 2):
        log.write_text("")
        partial_grid = sweep(logged, axes, tmp_path / "s", share=(k, 3))
        part = list(map(int, log.read_text().split()))
        assert len(part) in (3, 4)
        seen += part
        assert int(np.isfinite(partial_grid["value"]).sum()) == len(seen)
        assert (tmp_path / "s" / "sweep.nc").exists() == (len(seen) == 11)
    assert sorted(seen) == list(range(11))
    same(partial_grid, sweep(logged, axes, tmp_path / "whole"))


@pytest.mark.parametrize("threads", [0, 2])
def test_one_failure_leaves_the_others_finished_and_is_tried_again(tmp_path, threads):
    axes, flag = {"n": [1, 2, 3, 4, 5]}, tmp_path / "flag"
    axes["flag"] = str(flag)
    with ThreadPoolExecutor(threads or 1) as pool:
        client = pool if threads else None
        with pytest.raises(RuntimeError, match=r"2 of 5 measurements failed.*n = [24].*ZeroDivisionError: no") as info:
            sweep(fragile, axes, tmp_path / "s", client=client)
        assert isinstance(info.value.__cause__, ZeroDivisionError)
        assert len(list((tmp_path / "s" / "points").iterdir())) == 3
        flag.touch()
        assert sweep(fragile, axes, tmp_path / "s", client=client)["value"].values.tolist() == [1, 2, 3, 4, 5]


def test_netcdf_holds_the_dataset_and_how_it_came_about(tmp_path):
    found = sweep(noisy, GRID, tmp_path / "s", seed=3, replicas=2, inner={"r": RATIOS}, version="b")
    with xarray.open_dataset(tmp_path / "s" / "sweep.nc", engine="h5netcdf") as read:
        xarray.testing.assert_identical(read.load(), found)
        assert read.attrs["seed"] == 3
        assert read.attrs["version"] == "b"
        assert read.attrs["measure"].endswith("noisy")
        assert "numpy" in json.loads(read.attrs["versions"])
        assert read.attrs["commits"]


def test_variables_and_coordinates_say_what_they_are(tmp_path):
    words = {"mean": ("mean of the noisy numbers", "m"), "n": ("numbers", "1")}
    sweep(noisy, GRID, tmp_path / "s", replicas=2, inner={"r": RATIOS}, quantities=words)
    with xarray.open_dataset(tmp_path / "s" / "sweep.nc", engine="h5netcdf") as read:
        stated = {name: (one.attrs["long_name"], one.attrs.get("units")) for name, one in read.variables.items()}
    assert stated["r"] == ("noise-to-signal ratio", "squared units of the data")
    assert stated["n"] == words["n"]
    assert stated["mean"] == words["mean"]
    assert stated["mean_stderr"] == ("standard error of mean of the noisy numbers", "m")
    assert stated["curve"] == ("curve", "unknown")
    assert stated["law"] == ("data law", "1")


def test_an_estimate_brings_its_own_error_and_nan_stays_undefined(tmp_path):
    for _ in range(2):  # measured, then read
        found = sweep(estimated, {"n": [1, 2]}, tmp_path / "s")
        assert found["value"].values.tolist() == [1, 2]
        assert found["value_stderr"].values.tolist() == [0.5, 0.5]
        assert np.isnan(found["undefined"]).all()
        assert "undefined_stderr" not in found


def test_what_a_partial_binds_belongs_to_the_sweep(tmp_path):
    bound = partial(noisy, law="flat")
    sweep(bound, {"n": 4}, tmp_path / "s", inner={"r": RATIOS})
    with pytest.raises(ValueError, match="another sweep"):
        sweep(partial(noisy, law="round"), {"n": 4}, tmp_path / "s", inner={"r": RATIOS})
    with pytest.raises(ValueError, match="a partial may bind numbers"):
        sweep(partial(noisy, law=Linear([1.0])), {"n": 4}, tmp_path / "t", inner={"r": RATIOS})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 1}, "seed 0 there, 1 here"),
        ({"version": "2"}, "version"),
        ({"inner": {"r": RATIOS * 2}}, "inner"),
        ({"axes": {"n": [1], "law": "flat", "dim": 3}}, "axes"),
        ({"measure": weighty}, "measure"),
    ],
)
def test_the_store_of_another_sweep_is_refused(tmp_path, changes, named):
    arguments = {"measure": noisy, "axes": {"n": [1], "law": "flat"}, "inner": {"r": RATIOS}, "store": tmp_path / "s"}
    sweep(**arguments)
    with pytest.raises(ValueError, match=f"holds another sweep.*{named}"):
        sweep(**{**arguments, **changes})


def test_other_folders_and_damaged_files_are_refused(tmp_path):
    axes = {"n": [1, 2]}
    (tmp_path / "file").write_text("precious")
    for store in (tmp_path, tmp_path / "file", tmp_path / "file" / "s"):
        with pytest.raises(ValueError, match="store = "):
            sweep(estimated, axes, store)
    sweep(estimated, axes, tmp_path / "s")
    for content in ('{"point": {"n"', '{"point": {"n": 9}, "observables": {}}', "[]", '{"point": {"n": 1}}'):
        damaged = tmp_path / "s" / "points" / f"{Task({'n': 1}, 0).key}.json"
        damaged.write_text(content)
        with pytest.raises(ValueError, match="is damaged; delete it"):
            sweep(estimated, axes, tmp_path / "s")
    damaged.unlink()
    assert sweep(estimated, axes, tmp_path / "s")["value"].values.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"axes": {}}, "axes"),
        ({"axes": {"n": []}}, "n = "),
        ({"axes": {"n": [1, 1.0]}}, "different"),
        ({"axes": {"n": [1, "a"]}}, "of one kind"),
        ({"axes": {"n": [np.nan]}}, "finite"),
        ({"axes": {"n": [Linear([1.0])]}}, "number, a string"),
        ({"axes": {"rng": [1]}}, "rng"),
        ({"inner": {"n": [1.0]}}, "inner"),
        ({"inner": {"r": [[1.0]]}}, "inner"),
        ({"replicas": 0}, "replicas"),
        ({"workers": 0}, "workers"),
        ({"seed": -1}, "seed"),
        ({"share": (0, 3)}, "share"),
        ({"share": (4, 3)}, "share"),
        ({"share": 2}, "share"),
        ({"measure": 3}, "measure"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(tmp_path, changes, named):
    with pytest.raises(ValueError, match=named):
        sweep(**{"measure": estimated, "axes": {"n": [1]}, "store": tmp_path / "s", **changes})
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"x": np.zeros(3)}, r"x has shape \(3,\)"),
        ({"x": np.inf}, "finite"),
        ({"x": "high"}, "could not convert"),
        ({}, "mapping"),
        (1.0, "mapping"),
        ({1: 1.0}, "strings"),
    ],
)
def test_what_is_no_observable_is_a_failed_measurement(tmp_path, value, named):
    with pytest.raises(RuntimeError, match=f"1 of 1 measurements failed.*{named}"):
        sweep(lambda n, rng: value, {"n": 1}, tmp_path / "s", inner={"r": RATIOS})


def test_an_observable_named_like_an_axis_is_refused(tmp_path):
    with pytest.raises((ValueError, RuntimeError), match="names of axes"):
        sweep(lambda n, rng: {"n": 1.0}, {"n": [1, 2]}, tmp_path / "s")
