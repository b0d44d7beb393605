"""An interrupted run, however it died, ends with the same bits as an uninterrupted one."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import pytest

from remanifold.models.networks.unet_config import UNetConfig
from remanifold.models.training import checkpoint
from remanifold.models.training.config import TrainingConfig
from remanifold.models.training.train import train
from remanifold.theory.processes import OrnsteinUhlenbeck, RectifiedFlow

CONFIG = TrainingConfig(steps=230, batch_size=16, width=16, depth=2, warmup=20, sigma_min=0.1, sigma_max=5.0)


class Interrupted(Exception):
    pass


def interrupt_at(last):
    def report(step, steps, loss):
        if step >= last:
            raise Interrupted

    return report


def never(step, steps, loss):
    raise AssertionError("a finished run was trained again")


def state(directory):
    """Tensors of the last checkpoint, and the metrics without their times."""
    tensors, record = checkpoint.read(directory, "checkpoint")
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    metrics = [(line["step"], line["loss"]) for line in map(json.loads, lines)]
    return {name: tensor.numpy() for name, tensor in tensors.items()}, record["step"], metrics


def state_step(directory):
    return checkpoint.read(directory, "checkpoint")[1]["step"]


def assert_same(left, right):
    assert left[1:] == right[1:]
    assert left[0].keys() == right[0].keys()
    for name in left[0]:
        np.testing.assert_array_equal(left[0][name], right[0][name], err_msg=name)


@pytest.fixture
def data():
    return np.random.default_rng(0).standard_normal((30, 3))


@pytest.mark.parametrize(("optimizer", "stop", "kept"), [("adam", 150, 120), ("adam", 180, 180), ("radam", 150, 120)])
def test_resumed_equals_uninterrupted(tmp_path, data, optimizer, stop, kept):
    config = replace(CONFIG, optimizer=optimizer)
    whole = train(data, config, tmp_path / "whole", progress=False, checkpoint_every=60)
    with pytest.raises(Interrupted):
        train(data, config, tmp_path / "parts", progress=interrupt_at(stop), checkpoint_every=60)
    assert state_step(tmp_path / "parts") == kept
    parts = train(data, config, tmp_path / "parts", progress=False, checkpoint_every=60)
    assert_same(state(tmp_path / "parts"), state(tmp_path / "whole"))
    np.testing.assert_array_equal(parts.score(data, 0.3), whole.score(data, 0.3))
    np.testing.assert_array_equal(train(data, config, progress=False).score(data, 0.3), whole.score(data, 0.3))


def test_resumed_unet_equals_uninterrupted(tmp_path):
    data = np.random.default_rng(0).standard_normal((20, 32))
    unet = UNetConfig((4, 4, 2), width=8, attention=(2,))
    config = replace(CONFIG, steps=12, unet=unet, predicts="eps", batch_size=8)
    whole = train(data, config, tmp_path / "whole", progress=False, checkpoint_every=5)
    with pytest.raises(Interrupted):
        train(data, config, tmp_path / "parts", progress=interrupt_at(5), checkpoint_every=5)
    assert state_step(tmp_path / "parts") == 5
    parts = train(data, config, tmp_path / "parts", progress=False, checkpoint_every=5)
    assert_same(state(tmp_path / "parts"), state(tmp_path / "whole"))
    np.testing.assert_array_equal(parts.score(data, 0.3), whole.score(data, 0.3))
    with pytest.raises(ValueError, match=r"another configuration \(unet"):
        train(data, replace(config, unet=replace(unet, width=4)), tmp_path / "parts", progress=False)


@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_killed_from_outside_at_any_moment(tmp_path, data, kills):
    """Repeated kill -9 at moments that the process does not choose, until one attempt gets to the end."""
    config = replace(CONFIG, steps=100 * kills + 400)
    arguments = {**asdict(config), "unet": None}
    script = f"""
import sys
import numpy as np
from remanifold.models import TrainingConfig, train
data = np.random.default_rng(0).standard_normal((30, 3))
train(data, TrainingConfig(**{arguments}), sys.argv[1], progress=False, checkpoint_every=50)
"""
    directory = tmp_path / "killed"
    metrics = directory / "metrics.jsonl"
    for kill in range(1, kills + 1):
        process = subprocess.Popen([sys.executable, "-c", script, directory])
        reached = 100 * kill
        while process.poll() is None and last_step(metrics) < reached:
            time.sleep(0.003)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        # A line of metrics is written just before its checkpoint: the kill may fall between.
        assert last_step(metrics) - state_step(directory) <= 50
    with open(metrics, "a") as file:
        file.write('{"step": 490, "lo')  # killed within a line
    train(data, config, directory, progress=False, checkpoint_every=50)
    train(data, config, tmp_path / "whole", progress=False, checkpoint_every=50)
    assert_same(state(directory), state(tmp_path / "whole"))


def last_step(metrics):
    lines = metrics.read_text().splitlines(keepends=True) if metrics.exists() else []
    steps = [json.loads(line)["step"] for line in lines if line.endswith("\n")]
    return steps[-1] if steps else 0


def test_run_begun_before_a_parameter_existed_is_taken_up(tmp_path, data):
    with pytest.raises(Interrupted):
        train(data, CONFIG, tmp_path / "old", progress=interrupt_at(120), checkpoint_every=60)
    tensors, record = checkpoint.read(tmp_path / "old", "checkpoint")
    for name in ("unet", "predicts", "loss_on"):
        del record["identity"]["configuration"][name]
    checkpoint.write(tmp_path / "old", "checkpoint", tensors, record)
    train(data, CONFIG, tmp_path / "old", progress=False, checkpoint_every=60)
    train(data, CONFIG, tmp_path / "whole", progress=False, checkpoint_every=60)
    assert_same(state(tmp_path / "old"), state(tmp_path / "whole"))


def test_finished_run_is_loaded(tmp_path, data):
    first = train(data, CONFIG, tmp_path, progress=False)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = train(data, CONFIG, tmp_path, progress=never)
    np.testing.assert_array_equal(again.score(data, 0.3), first.score(data, 0.3))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert {path.suffix for path in before} == {".json", ".jsonl", ".safetensors"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"config": replace(CONFIG, learning_rate=1e-3)},
            "another configuration .learning_rate 0.003 there, 0.001",
        ),
        ({"config": replace(CONFIG, steps=500)}, "another configuration .steps 230 there, 500 here"),
        ({"points": np.random.default_rng(1).standard_normal((30, 3))}, "another data set"),
        ({"process": RectifiedFlow()}, "another process"),
        ({"process": None}, "another process"),
    ],
)
def test_other_runs_are_refused_and_left_as_they_were(tmp_path, data, changes, message):
    arguments = {"points": data, "config": CONFIG, "process": OrnsteinUhlenbeck(), "progress": False}
    train(directory=tmp_path, **arguments)
    before = state(tmp_path)
    with pytest.raises(ValueError, match=message):
        train(directory=tmp_path, **{**arguments, **changes})
    assert_same(state(tmp_path), before)


def test_damaged_checkpoint_is_refused(tmp_path, data):
    with pytest.raises(Interrupted):
        train(data, CONFIG, tmp_path, progress=interrupt_at(100), checkpoint_every=60)
    weights = next(tmp_path.glob("checkpoint-*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(ValueError, match="truncated or altered"):
        train(data, CONFIG, tmp_path, progress=False)
