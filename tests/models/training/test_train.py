"""Training finds the Bayes denoiser, gives the same weights for the same seed, and tells what it does."""

import io
import json
import sys

import numpy as np
import pytest
import torch

from remanifold.conventions.progress import training
from remanifold.models.training.config import TrainingConfig
from remanifold.models.training.train import train
from remanifold.theory.processes import OrnsteinUhlenbeck

SMALL = TrainingConfig(steps=60, batch_size=32, width=16, depth=1, warmup=10, sigma_min=0.1, sigma_max=5.0)


@pytest.fixture
def data(rng):
    return rng.standard_normal((30, 3)) * [1.0, 0.5, 0.1]


def test_gaussian_reaches_bayes_loss_and_dimension(rng, tmp_path):
    variances = np.array([1.0, 1.0, 0.09, 0.09, 0.0004])
    train_set, held_out = np.split(rng.standard_normal((20300, 5)) * np.sqrt(variances), [20000])
    config = TrainingConfig(steps=1500, batch_size=256, width=64, sigma_min=0.02, sigma_max=5.0)
    network = train(train_set, config, tmp_path, progress=False)

    r = np.array([0.003, 0.03, 0.3, 3.0])
    exact = np.sum(variances[:, None] / (variances[:, None] + r), axis=0)
    measured = network.dimension(r, rng, points=held_out)
    np.testing.assert_allclose(measured.mean, exact, rtol=0.04)

    # Bayes loss: the remaining variance λr/(λ+r) in units of c_out², averaged over coordinates and ln σ.
    noise = np.geomspace(0.02**2, 25.0, 4001)
    scale = variances.mean()
    remaining = np.mean(variances[:, None] * noise / (variances[:, None] + noise), axis=0)
    bayes = np.mean(remaining * (scale + noise) / (noise * scale))
    losses = [json.loads(line)["loss"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert losses[0] > 1.2 * bayes
    assert 0.98 * bayes < np.mean(losses[-5:]) < 1.03 * bayes


def test_seed_decides_and_the_callers_state_is_left_alone(data):
    torch.manual_seed(1)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    first = train(data, SMALL, progress=False)
    assert torch.get_rng_state().equal(before)
    assert torch.get_num_threads() == threads
    torch.manual_seed(2)
    x = data[:4]
    np.testing.assert_array_equal(train(data, SMALL, progress=False).score(x, 0.5), first.score(x, 0.5))
    changed = TrainingConfig(**{**SMALL.__dict__, "seed": 1})
    assert not np.allclose(train(data, changed, progress=False).score(x, 0.5), first.score(x, 0.5), rtol=1e-4)
    other_clock = train(data, SMALL, process=OrnsteinUhlenbeck(), progress=False)
    assert not np.allclose(other_clock.score(x, 0.5), first.score(x, 0.5), rtol=1e-4)


def test_shift_and_scale_of_the_data_are_followed(data):
    config = TrainingConfig(**{**SMALL.__dict__, "sigma_min": 0.4, "sigma_max": 20.0})
    plain, moved = train(data, SMALL, progress=False), train(4 * data + 100, config, progress=False)
    mean = plain.posterior_mean(data, 0.5)
    # The noise levels shown to the embedding differ, so equality is that of the laws, not of the weights.
    np.testing.assert_allclose(moved.posterior_mean(4 * data + 100, 8.0), 4 * mean + 100, atol=1.5)


def test_reports_early_and_to_the_end(data, capfd):
    seen = []
    train(data, SMALL, progress=lambda step, steps, loss: seen.append((step, steps, loss)))
    assert [(step, steps) for step, steps, _ in seen] == [(1, 60), (50, 60), (60, 60)]
    assert all(0 < loss < 2 for *_, loss in seen)
    train(data, SMALL)
    assert capfd.readouterr() == ("", "")


def test_bar_on_a_terminal(data, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    with training(True, "training", 100) as report:
        report(100, 100, 0.1234)
    shown = sys.stderr.getvalue()
    assert "100/100" in shown
    assert "loss 0.1234" in shown


def test_divergence_is_an_error(data):
    config = TrainingConfig(**{**SMALL.__dict__, "learning_rate": 1e20, "warmup": 0, "clip": None})
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        train(data, config, progress=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": np.ones((4, 2))}, "same point"),
        ({"points": [[np.nan, 1.0]]}, "points = "),
        ({"checkpoint_every": 0}, "checkpoint_every = 0"),
        ({"threads": 0}, "threads = 0"),
    ],
)
def test_bad_arguments(data, arguments, message):
    with pytest.raises(ValueError, match=message):
        train(**{"points": data, "config": SMALL, "progress": False, **arguments})
