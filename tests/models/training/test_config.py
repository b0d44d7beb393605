import pytest

from remanifold.models.training.config import TrainingConfig
from remanifold.theory.processes import DDPM


def test_schedule_rises_stays_and_falls():
    config = TrainingConfig(steps=1000, warmup=100, decay=0.3, learning_rate=2.0)
    rates = [config.rate(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[49] == pytest.approx(1.0)
    assert set(rates[99:701]) == {2.0}
    assert rates[850] == pytest.approx(1.0)
    assert rates[999] == pytest.approx(2 / 300)


def test_published_run_has_no_schedule():
    config = TrainingConfig.paper()
    assert {config.rate(step) for step in (0, 1000, 1_999_999)} == {1e-4}
    assert config.averaging(1_000_000) == 0.9999
    assert config.sigma_max / config.sigma_min == pytest.approx(5000)
    assert (config.optimizer, config.batch_size, config.width, config.depth) == ("radam", 128, 128, 2)


def test_published_images():
    config = TrainingConfig.paper_images((32, 32))
    assert (config.unet.width, config.unet.multipliers, config.unet.attention) == (128, (1, 2, 2, 2), (16,))
    assert config.predicts == "eps"
    ends = DDPM().noise_ratio([1, 1000])  # the noise levels lie within its 1000 steps, and span nearly all
    assert ends[0] < config.sigma_min**2 < config.sigma_max**2 < ends[1]
    assert DDPM().time(config.sigma_max**2) - DDPM().time(config.sigma_min**2) > 990
    with pytest.raises(ValueError, match="multiples of 8"):
        TrainingConfig.paper_images((28, 28))


def test_short_average_forgets_the_start():
    config = TrainingConfig(ema=0.999)
    start = 1.0  # the weight of the initial parameters
    for step in range(100):
        start *= config.averaging(step)
    assert start < 1e-8


def test_presets_take_changes():
    assert TrainingConfig.quick(steps=12000).steps == 12000
    assert TrainingConfig.long(seed=4).seed == 4
    with pytest.raises(ValueError, match="parameter = 'learning_rat'"):
        TrainingConfig.long(learning_rat=1.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("batch_size", 2.5),
        ("width", True),
        ("depth", -1),
        ("learning_rate", 0.0),
        ("optimizer", "sgd"),
        ("warmup", -1),
        ("decay", 1.1),
        ("decay", "a"),
        ("ema", 1.0),
        ("clip", 0.0),
        ("clip", float("nan")),
        ("sigma_min", float("nan")),
        ("sigma_min", 20.0),
        ("sigma_max", float("inf")),
        ("seed", -1),
    ],
)
def test_bad_values_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name} = "):
        TrainingConfig(**{name: value})
