"""The output channel against closed forms, direct sampling, its own derivatives, and refined nodes."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf, ndtr

from remanifold.theory.replica.activation import NAMED, Activation, _smooth_panels
from remanifold.theory.replica.output_channel import Orders, channel_averages


@pytest.mark.parametrize("v", [1.0, 0.5, 1e-3, 1e-8])
@pytest.mark.parametrize("r", [1e-12, 1e-4, 0.1, 1.0, 1e3, 1e9])
def test_linear_channel_is_gaussian(v, r):
    j, drive, error = channel_averages(Activation("linear"), 1 - v, v, r)
    assert j == pytest.approx(0.5 * math.log1p(v / r), rel=3e-8 if v > 1e-6 else 1e-5)
    assert drive == pytest.approx(1 / (v + r), rel=1e-8 if v > 1e-6 else 1e-6)
    assert error == pytest.approx(v * r / (v + r), rel=3e-8)


@pytest.mark.parametrize("q", [0.2, 0.9])
def test_sign_at_no_noise_is_a_biased_coin(q):
    """J is the mean entropy of the coin P(u > 0 | V), S follows from its derivative."""
    slope = math.sqrt(q / (1 - q))

    def average(of):
        return quad(lambda t: of(slope * t) * math.exp(-(t**2) / 2) / math.sqrt(2 * math.pi), -8, 8, epsabs=1e-11)[0]

    def entropy(t):
        return -sum(p * math.log(p) for p in (ndtr(t), ndtr(-t)) if p > 0)

    def fisher(t):
        return math.exp(-(t**2)) / (2 * math.pi) / (ndtr(t) * ndtr(-t))

    j, drive, error = channel_averages(Activation("sign"), q, 1 - q, 1e-8)
    assert j == pytest.approx(average(entropy), rel=1e-8)
    assert drive == pytest.approx(average(fisher) / (1 - q), rel=1e-8)
    assert error < 1e-12


@pytest.mark.parametrize("name", ["tanh", "relu", "sign", "sin"])
def test_information_against_sampling(name):
    """J = E ln p(x|u)/p(x|V) over sampled V, u, x, the inner average on 4001 even nodes; z-score."""
    activation, q, r, rng = Activation(name), 0.4, 0.05, np.random.default_rng(3)
    t = np.linspace(-8, 8, 4001)
    weight = np.exp(-(t**2) / 2) / np.exp(-(t**2) / 2).sum()
    m = math.sqrt(q) * rng.standard_normal(4000)
    clean = activation(m + math.sqrt(1 - q) * rng.standard_normal(4000))
    noise = math.sqrt(r) * rng.standard_normal(4000)
    x = clean + noise
    like = np.exp(-((x[:, None] - activation(m[:, None] + math.sqrt(1 - q) * t)) ** 2) / (2 * r))
    samples = -(noise**2) / (2 * r) - np.log(like @ weight)
    z = (channel_averages(activation, q, 1 - q, r).information - samples.mean()) / (samples.std() / math.sqrt(4000))
    assert abs(z) < 4


@pytest.mark.parametrize("name", ["tanh", "erf", "relu", "sign", "sin"])
@pytest.mark.parametrize("r", [0.02, 0.7])
def test_drive_and_error_are_derivatives_of_the_information(name, r):
    """∂J/∂q = -S/2 and ∂J/∂ln r = -error/2r, by differences."""
    activation, q, h = Activation(name), 0.55, 1e-3
    _, drive, error = channel_averages(activation, q, 1 - q, r)
    up, down = (channel_averages(activation, q + e, 1 - q - e, r).information for e in (h, -h))
    assert (up - down) / (2 * h) == pytest.approx(-drive / 2, rel=2e-5)
    up, down = (channel_averages(activation, q, 1 - q, r * math.exp(e)).information for e in (h, -h))
    assert (up - down) / (2 * h) == pytest.approx(-error / (2 * r), rel=5e-6, abs=1e-9)


def cliff(u):
    return np.where(u > 0.3, 1.0, 0.0) + u / 3


@pytest.mark.parametrize(
    "f", ["tanh", "erf", "relu", "sign", "sin", np.abs, cliff], ids=lambda f: getattr(f, "__name__", f)
)
@pytest.mark.parametrize(("v", "r"), [(0.6, 0.3), (0.6, 1e-3), (1e-8, 1e-8), (0.3, 1e-9)])
def test_refined_nodes_change_nothing(f, v, r):
    activation = Activation(f)
    standard = channel_averages(activation, 1 - v, v, r)
    refined = channel_averages(activation, 1 - v, v, r, Orders(field=14, output=20, inner=54, step=0.3))
    assert standard.information == pytest.approx(refined.information, rel=5e-7)
    assert standard.drive == pytest.approx(refined.drive, rel=5e-6)
    assert standard.error == pytest.approx(refined.error, rel=5e-6, abs=1e-12 * r)


def test_features_of_a_callable_are_found():
    np.testing.assert_allclose(Activation(lambda u: np.clip(u, -1, 1)).features, [-1, 1], atol=1e-9)
    np.testing.assert_allclose(Activation(cliff).features, [0.3], atol=1e-9)
    np.testing.assert_allclose(Activation(np.sin).features, math.pi * (np.arange(6) - 2.5), atol=1e-6)
    assert Activation(cliff).jumps
    assert not Activation(np.abs).jumps


@pytest.mark.parametrize(
    ("f", "message"),
    [
        ("softmax", "activation = 'softmax': must be one of linear"),
        (3, "activation = 3: must be one of linear"),
        (lambda u: 1 / (u * 0), "must be vectorised and finite"),
        (lambda u: 1.0, "must be vectorised and finite"),
        (lambda u: 0 * u, "must not be constant"),
        (lambda u: np.sin(300 * u), "more than 400 kinks"),
    ],
)
def test_bad_activations(f, message):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        Activation(f)


@pytest.mark.parametrize("name", list(NAMED))
def test_panels_do_not_depend_on_the_last_digits(name):
    """Values that differ by a hundred roundings, as those of two processors may, are cut into the same panels."""
    panels = [branch.panels for branch in Activation(name).branches]
    rng = np.random.default_rng(0)

    def another_processor(u):
        return NAMED[name](u) * (1 + 1e-14 * rng.uniform(-1, 1, u.shape))

    for branch, expected in zip(Activation(name).branches, panels, strict=True):
        found = _smooth_panels(another_processor, branch.start, branch.end)
        assert len(found) <= 2 * len(expected)


def test_rounding_is_neither_followed_nor_taken_for_turning_points():
    """Two large terms cancel in the tail of u Φ(u), and a plateau differs from 2 in its last digits."""
    gelu = Activation(lambda u: 0.5 * u * (1 + erf(u / np.sqrt(2))))
    assert gelu.features == pytest.approx([-0.7517915246935645], abs=1e-8)  # zero of Φ(u) + u φ(u), by mpmath
    assert sum(len(branch.panels) for branch in gelu.branches) < 20
    table = Activation(lambda u: erf(5 * (u + 2)) - erf(5 * (u - 2)))
    assert table.features.size == 1
    assert abs(table.features[0]) < 1.2


def test_noise_is_refused_not_followed():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="512 polynomials do not follow"):
        _smooth_panels(lambda u: u + 1e-6 * rng.uniform(-1, 1, u.shape), -8.5, 8.5)
