"""The batches: what they are made of, the law of their noise, and that step k always sees the same one."""

import numpy as np
import pytest
from scipy import stats

from remanifold.models.training.config import TrainingConfig
from remanifold.models.training.noised_batches import NoisedBatches
from remanifold.theory.processes import DDPM, OrnsteinUhlenbeck, RectifiedFlow

CONFIG = TrainingConfig(batch_size=256, sigma_min=0.02, sigma_max=5.0, seed=3)


@pytest.fixture
def data(rng):
    return rng.standard_normal((40, 3)) * [1.0, 0.2, 3.0] + [0.0, 100.0, -1.0]


def test_input_and_target_are_rotations_of_data_and_unit_noise(data):
    batches = NoisedBatches(data, CONFIG)
    clean, noise = [], []
    for step in range(20):
        shown, log_sigma, target, weight = (tensor.numpy().astype(float) for tensor in batches(step))
        assert set(weight.ravel()) == {1.0}
        # Undone in the units of the data, from c_in = 1/√(s²+σ²) and the clean point of c_skip and c_out.
        sigma, scale = np.exp(log_sigma)[:, None], batches.sigma_data
        total = np.sqrt(scale**2 + sigma**2)
        noised = shown * total
        point = scale**2 / total**2 * noised + sigma * scale / total * target
        clean.append(point + batches.centre)
        noise.append((noised - point) / sigma)
    clean, noise = np.concatenate(clean), np.concatenate(noise)
    distance = np.abs(clean[:, None] - data).max(-1)
    assert distance.min(1).max() < 1e-4
    counts = np.bincount(distance.argmin(1), minlength=40)
    assert stats.chisquare(counts).pvalue > 1e-3
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-3


def test_scale_is_the_rms_coordinate_about_the_mean(data):
    batches = NoisedBatches(data, CONFIG)
    np.testing.assert_allclose(batches.centre, data.sum(0) / 40)
    assert batches.sigma_data == pytest.approx(np.sqrt(data.var(0).sum() / 3))


def test_default_noise_is_log_uniform_with_one_level_per_cell(data):
    batches = NoisedBatches(data, CONFIG)
    edges = np.geomspace(0.02, 5.0, 257)
    for step in range(3):
        counts, _ = np.histogram(np.exp(batches.log_sigma(batches.generator(step))), edges)
        np.testing.assert_array_equal(counts, 1)


@pytest.mark.parametrize("process", [OrnsteinUhlenbeck(), RectifiedFlow(), DDPM()])
def test_process_noise_is_uniform_in_its_time(data, process):
    batches = NoisedBatches(data, CONFIG, process)
    ratios = [np.exp(2 * batches.log_sigma(batches.generator(step))) for step in range(10)]
    r = np.concatenate(ratios)
    assert r.min() >= 0.02**2
    assert r.max() <= 5.0**2
    first, last = process.time(0.02**2), process.time(5.0**2)
    uniform = stats.uniform(first, last - first)
    # Stratified levels are more even than independent ones, so the distance is far below the usual 1/√n.
    assert stats.kstest(process.time(r), uniform.cdf).statistic < 1 / 256
    log_uniform = stats.uniform(np.log(0.02), np.log(250)).cdf
    assert stats.kstest(0.5 * np.log(r), log_uniform).statistic > 0.1


def test_batch_depends_on_step_and_seed_only(data):
    forward, backward = NoisedBatches(data, CONFIG), NoisedBatches(data, CONFIG)
    first = [forward(step) for step in (0, 1, 2, 10**9)]
    second = [backward(step) for step in (10**9, 2, 1, 0)][::-1]
    for a, b in zip(first, second, strict=True):
        for left, right in zip(a, b, strict=True):
            assert left.equal(right)
    others = [first[1], NoisedBatches(data, TrainingConfig(batch_size=256, seed=4))(0)]
    assert not any(first[0].target.equal(other.target) for other in others)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.ones((5, 2)), "all the same point"),
        (np.zeros(4), "points has shape"),
        (np.zeros((0, 4)), "points has shape"),
        ([[1.0, np.inf]], "points = "),
    ],
)
def test_bad_data(points, message):
    with pytest.raises(ValueError, match=message):
        NoisedBatches(points, CONFIG)


def test_noise_beyond_the_process(data):
    with pytest.raises(ValueError, match="r = "):
        NoisedBatches(data, TrainingConfig(sigma_max=1e4), DDPM())
