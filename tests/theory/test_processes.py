"""The clocks: against simulated chains and equations of motion, published schedules, and their own inverses."""

import math
import pickle

import numpy as np
import pytest

from remanifold.theory import DDPM, EDM, OrnsteinUhlenbeck, Process, RectifiedFlow, VarianceExploding

EVERY = [VarianceExploding(), OrnsteinUhlenbeck(), DDPM(), DDPM.cosine(), EDM(), RectifiedFlow()]
CLEAN = 1.7  # where every simulated path starts
PATHS = 40_000


def agrees(process, t, x):
    """Mean and variance of paths x at time t are a_t CLEAN and s_t², within four standard errors; r is their ratio."""
    signal, deviation = process.signal(t), process.noise_deviation(t)
    assert abs(x.mean() - signal * CLEAN) < 4 * x.std() / math.sqrt(x.size)
    assert abs(x.var() - deviation**2) < 4 * x.var() * math.sqrt(2 / x.size)
    assert process.noise_ratio(t) == pytest.approx((deviation / signal) ** 2, rel=1e-11)


@pytest.mark.parametrize(
    ("process", "drift", "rate"),
    [
        (VarianceExploding(), 0.0, lambda t: 1.0),
        (OrnsteinUhlenbeck(), -1.0, lambda t: 2.0),
        (EDM(), 0.0, lambda t: 2 * t),  # arXiv 2206.00364, equation 6 without Langevin terms: dσ²/dt at σ = t
    ],
)
def test_simulated_equations_of_motion(process, drift, rate):
    """dx = drift·x dt + √rate dW from x = CLEAN, by the midpoint in t and Heun's drift."""
    rng, x, step = np.random.default_rng(1), np.full(PATHS, CLEAN), 0.01
    for k in range(150):
        kick = math.sqrt(rate((k + 0.5) * step) * step) * rng.standard_normal(PATHS)
        x = x * (1 + drift * step + 0.5 * (drift * step) ** 2) + kick * (1 + 0.5 * drift * step)
        if k + 1 in (1, 20, 150):
            agrees(process, (k + 1) * step, x)


@pytest.mark.parametrize(
    "process",
    [DDPM(), DDPM(20, 0.01, 0.3), DDPM(betas=[0.5, 0.01, 0.2]), DDPM.cosine(50)],
    ids=["linear", "short", "any", "cosine"],
)
def test_simulated_chain(process):
    """x → √(1-β) x + √β ξ."""
    rng, x = np.random.default_rng(2), np.full(PATHS, CLEAN)
    shown = {1, 2, process.n_steps // 2, process.n_steps - 1}
    for k, beta in enumerate(process.betas, start=1):
        x = math.sqrt(1 - beta) * x + math.sqrt(beta) * rng.standard_normal(PATHS)
        if k in shown:
            agrees(process, k, x)


def test_simulated_rectified_flow():
    """Straight lines from clean points at t = 0 to noise at t = 1."""
    noise = np.random.default_rng(3).standard_normal(PATHS)
    for t in (0.01, 0.3, 0.99):
        agrees(RectifiedFlow(), t, CLEAN + t * (noise - CLEAN))


@pytest.mark.parametrize("process", EVERY, ids=repr)
def test_any_shape(process):
    t = np.array([[0.0, 0.1, 0.2], [0.4, 0.8, 0.9]])
    assert isinstance(process, Process)
    for method in (process.signal, process.noise_deviation, process.noise_ratio):
        assert method(t).shape == (2, 3)
        assert method(t)[1, 2] == method(0.9)
    assert process.time(process.noise_ratio(t)[:, 1:]).shape == (2, 2)


@pytest.mark.parametrize("process", EVERY, ids=repr)
def test_processes_are_values(process):
    copy = pickle.loads(pickle.dumps(process))
    assert copy == process
    assert hash(copy) == hash(process)
    assert len({*EVERY, copy}) == len(EVERY)


def test_processes_can_be_typed_back():
    assert repr(DDPM(10)) == "DDPM(n_steps=10, beta_first=0.0001, beta_last=0.02)"
    assert repr(DDPM(betas=[0.1, 0.2, 0.4])) == "DDPM(betas=(0.1, 0.2, 0.4))"
    assert repr(EDM()) == "EDM(sigma_min=0.002, sigma_max=80.0, rho=7.0)"


@pytest.mark.parametrize(
    ("process", "low", "high"),
    [
        (VarianceExploding(), -280, 280),
        (OrnsteinUhlenbeck(), -280, 280),
        (DDPM(), -12, 4),
        (DDPM.cosine(), -12, 4),
        (EDM(), -280, 280),
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
            assert process.noise_deviation(k) ** 2 == pytest.approx(1 - product, rel=1e-11)
            assert process.noise_ratio(k) == pytest.approx(1 / product - 1, rel=1e-11)
            assert process.time(1 / product - 1) == pytest.approx(k, rel=1e-9)
    assert process.noise_ratio(0) == 0


def test_given_betas_are_the_linear_ones():
    assert DDPM(betas=np.linspace(1e-4, 2e-2, 1000)) == DDPM()
    assert hash(DDPM(betas=np.linspace(1e-4, 2e-2, 1000).tolist())) == hash(DDPM())
    assert DDPM(betas=[0.1, 0.2, 0.4]) != DDPM(3, 0.1, 0.4)
    assert DDPM(10).n_steps == 10


def test_published_cosine_schedule():
    """The first and last betas of the published code (1000 steps), and ᾱ at half time: cos² of 45° and a little."""
    process = DDPM.cosine()
    assert process.betas[:2] == pytest.approx((4.1284e-5, 4.6142e-5), rel=1e-4)
    assert process.betas[-1] == 0.999
    angle = [math.pi / 2 * (x + 0.008) / 1.008 for x in (0.0, 0.5)]
    assert process.signal(500) == pytest.approx(math.cos(angle[1]) / math.cos(angle[0]), rel=1e-12)
    assert DDPM.cosine(offset=0.0).signal(500) ** 2 == pytest.approx(0.5, rel=1e-12)
    assert max(DDPM.cosine(largest_beta=0.02).betas) == 0.02


def test_published_edm_steps():
    """18 steps from 80 to 0.002, evenly spaced in σ^{1/7} (arXiv 2206.00364, table 1)."""
    process, steps = EDM(), np.arange(18)
    sigma = process.sigma(steps)
    assert sigma[[0, -1]] == pytest.approx([80.0, 0.002], rel=1e-12)
    assert sigma[[1, 9]] == pytest.approx([57.586, 1.9233], rel=1e-4)
    gaps = np.diff(sigma ** (1 / 7))
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-10)
    np.testing.assert_allclose(process.step(sigma), steps, atol=1e-11)
    np.testing.assert_allclose(process.step(process.sigma(0.25, 40), 40), 0.25, atol=1e-11)
    assert process.time(process.noise_ratio(sigma)) == pytest.approx(sigma, rel=1e-15)
    straight = EDM(0.1, 1.0, rho=1.0)
    np.testing.assert_allclose(straight.sigma([0, 1, 2], 3), [1.0, 0.55, 0.1], rtol=1e-13)


def test_ddpm_in_ornstein_uhlenbeck_time():
    """t = -½ ln ᾱ_k."""
    process = DDPM()
    steps = np.array([1, 10, 500, 1000])
    time = OrnsteinUhlenbeck().time(process.noise_ratio(steps))
    np.testing.assert_allclose(time, -0.5 * np.log(process.signal(steps) ** 2), rtol=1e-10)
    assert process.signal(1000) ** 2 == pytest.approx(4.036e-5, rel=1e-3)  # the published end of the schedule


@pytest.mark.parametrize("process", EVERY)
@pytest.mark.parametrize("method", ["signal", "noise_deviation", "noise_ratio"])
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
        (lambda: DDPM(betas=[0.1, 1.0]), "betas = .*must be a list of numbers > 0 and < 1"),
        (lambda: DDPM(betas=[]), "betas = .*must be a list"),
        (lambda: DDPM(betas=0.1), "betas = .*must be a list"),
        (lambda: DDPM(betas=[0.1, math.nan]), "betas = .*must be finite"),
        (lambda: DDPM(10, betas=[0.1]), "betas and n_steps"),
        (lambda: DDPM.cosine(0), "n_steps = 0: must be an integer ≥ 1"),
        (lambda: DDPM.cosine(offset=-1.0), "offset = -1.0: must be ≥ 0"),
        (lambda: DDPM.cosine(largest_beta=1.0), "largest_beta = 1.0: must be > 0 and < 1"),
        (lambda: EDM(sigma_min=100.0), "sigma_min = 100.0: must be < sigma_max = 80"),
        (lambda: EDM(rho=0.0), "rho = 0.0: must be > 0"),
        (lambda: EDM().noise_ratio(1e160), "t = 1e\\+160: must be ≥ 0 and ≤ 1e\\+150"),
        (lambda: EDM().sigma(18), "step = 18: must be ≥ 0 and ≤ 17"),
        (lambda: EDM().sigma(0, 1), "n_steps = 1: must be an integer ≥ 2"),
        (lambda: EDM().step(81.0), "sigma = 81.0: must be ≥ 0.002 and ≤ 80"),
    ],
)
def test_beyond_the_schedule(call, message):
    with pytest.raises(ValueError, match=message):
        call()
