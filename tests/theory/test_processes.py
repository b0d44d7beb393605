"""The four clocks: the published table, inverses over many decades, and the explicit product of the DDPM chain."""

import math

import numpy as np
import pytest

from remanifold.theory import DDPM, OrnsteinUhlenbeck, Process, RectifiedFlow, VarianceExploding

TIMES = [0.0, 1e-9, 0.02, 0.3, 0.77, 0.999]
EVERY = [VarianceExploding(), OrnsteinUhlenbeck(), DDPM(), RectifiedFlow()]


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize(
    ("process", "signal", "power", "ratio"),
    [
        (VarianceExploding(), lambda t: 1.0, lambda t: t, lambda t: t),
        (
            OrnsteinUhlenbeck(),
            lambda t: math.exp(-t),
            lambda t: 1 - math.exp(-2 * t),
            lambda t: math.exp(2 * t) - 1,
        ),
        (RectifiedFlow(), lambda t: 1 - t, lambda t: t**2, lambda t: (t / (1 - t)) ** 2),
    ],
)
def test_table(process, signal, power, ratio, t):
    close = {"rel": 1e-12, "abs": 1e-13}
    assert process.signal(t) == pytest.approx(signal(t), **close)
    assert process.noise(t) ** 2 == pytest.approx(power(t), **close)
    assert process.noise_ratio(t) == pytest.approx(ratio(t), **close)


@pytest.mark.parametrize("process", EVERY)
def test_ratio_is_noise_over_signal_for_any_shape(process):
    t = np.array([[0.0, 0.1, 0.2], [0.4, 0.8, 0.9]])
    assert isinstance(process, Process)
    np.testing.assert_allclose(
        process.noise_ratio(t), (process.noise(t) / process.signal(t)) ** 2, rtol=1e-12, atol=1e-18
    )
    assert process.noise_ratio(t).shape == (2, 3)
    assert process.time(process.noise_ratio(t)[:, 1:]).shape == (2, 2)


@pytest.mark.parametrize(
    ("process", "low", "high"),
    [
        (VarianceExploding(), -280, 280),
        (OrnsteinUhlenbeck(), -280, 280),
        (DDPM(), -12, 4),
        (RectifiedFlow(), -280, 12),
    ],
)
def test_time_inverts_the_ratio(process, low, high):
    r = np.logspace(low, high, 201)
    tolerance = 1e-8 if isinstance(process, RectifiedFlow) else 1e-11  # 1 - t near 1 loses half of the digits
    np.testing.assert_allclose(process.noise_ratio(process.time(r)), r, rtol=tolerance)


def test_time_near_zero_keeps_all_digits():
    """½ ln(1 + r) = r/2 - r²/4 + …, and t/(1 - t) = √r."""
    assert OrnsteinUhlenbeck().time(1e-20) == pytest.approx(0.5e-20, rel=1e-13)
    assert RectifiedFlow().time(1e-20) == pytest.approx(1e-10, rel=2e-10)


@pytest.mark.parametrize("steps", [1, 10, 1000])
def test_ddpm_is_the_product_of_its_steps(steps):
    process = DDPM(steps, 1e-4, 2e-2)
    product = 1.0
    for k in range(1, steps + 1):
        beta = 1e-4 + (2e-2 - 1e-4) * (k - 1) / max(steps - 1, 1)
        product *= 1 - beta
        if k in (1, 2, steps // 2, steps):
            assert process.signal(k) ** 2 == pytest.approx(product, rel=1e-12)
            assert process.noise(k) ** 2 == pytest.approx(1 - product, rel=1e-11)
            assert process.noise_ratio(k) == pytest.approx(1 / product - 1, rel=1e-11)
            assert process.time(1 / product - 1) == pytest.approx(k, rel=1e-9)
    assert process.noise_ratio(0) == 0


def test_ddpm_in_ornstein_uhlenbeck_time():
    """t = -½ ln ᾱ_k."""
    process = DDPM()
    steps = np.array([1, 10, 500, 1000])
    time = OrnsteinUhlenbeck().time(process.noise_ratio(steps))
    np.testing.assert_allclose(time, -0.5 * np.log(process.signal(steps) ** 2), rtol=1e-10)
    assert process.signal(1000) ** 2 == pytest.approx(4.036e-5, rel=1e-3)  # the published end of the schedule


@pytest.mark.parametrize("process", EVERY)
@pytest.mark.parametrize("method", ["signal", "noise", "noise_ratio"])
@pytest.mark.parametrize("t", [-1e-12, math.nan, math.inf, [0.1, -1.0], "soon", None])
def test_bad_times(process, method, t):
    with pytest.raises(ValueError, match=r"^t = .*: must be"):
        getattr(process, method)(t)


@pytest.mark.parametrize("process", EVERY)
@pytest.mark.parametrize("r", [0.0, -1.0, math.nan, math.inf, [1.0, -1.0]])
def test_bad_ratios(process, r):
    with pytest.raises(ValueError, match=r"^r = .*: must be"):
        process.time(r)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DDPM().signal(1000.5), "t = 1000.5: must be ≥ 0 and ≤ 1000"),
        (lambda: DDPM().time(1e6), "r = .*must be ≤ 24777.*1000 steps"),
        (lambda: RectifiedFlow().signal(1.01), "t = 1.01: must be ≥ 0 and ≤ 1"),
        (lambda: RectifiedFlow().noise_ratio(1.0), "t = 1.0: must be < 1"),
        (lambda: OrnsteinUhlenbeck().noise_ratio(355.0), "t = 355.0: must be ≥ 0 and ≤ 354"),
        (lambda: DDPM(0), "n_steps = 0: must be an integer ≥ 1"),
        (lambda: DDPM(10.0), "n_steps = 10.0: must be an integer ≥ 1"),
        (lambda: DDPM(beta_first=0.0), "beta_first = 0.0: must be > 0"),
        (lambda: DDPM(beta_last=1.0), "beta_last = 1.0: must be > 0 and < 1"),
    ],
)
def test_beyond_the_schedule(call, message):
    with pytest.raises(ValueError, match=message):
        call()
