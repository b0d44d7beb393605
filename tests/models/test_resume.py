"""An interrupted run, however it died, ends with the same bits as an uninterrupted one."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from models import checkpoint
from models.training import train
from models.training_config import TrainingConfig
from theory.processes import OrnsteinUhlenbeck, RectifiedFlow

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


def test_killed_process_is_taken_up(tmp_path, data):
    script = f"""
import os, signal, sys
import numpy as np
from models import TrainingConfig, train
data = np.random.default_rng(0).standard_normal((30, 3))
def report(step, steps, loss):
    if step >= 150:
        os.kill(os.getpid(), signal.SIGKILL)
train(data, TrainingConfig(**{CONFIG.__dict__}), sys.argv[1], progress=report, checkpoint_every=60)
"""
    dead = subprocess.run([sys.executable, "-c", script, tmp_path / "killed"], check=False)
    assert dead.returncode == -signal.SIGKILL
    with open(tmp_path / "killed" / "metrics.jsonl", "a") as file:
        file.write('{"step": 190, "lo')  # killed within a line
    assert state_step(tmp_path / "killed") == 120
    train(data, CONFIG, tmp_path / "killed", progress=False, checkpoint_every=60)
    train(data, CONFIG, tmp_path / "whole", progress=False, checkpoint_every=60)
    assert_same(state(tmp_path / "killed"), state(tmp_path / "whole"))


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
