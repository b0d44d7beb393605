"""Replica potential, states and transitions: Marchenko–Pastur, brute force, coexistence; mismatched noise."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, ndtr

from remanifold.theory.replica.activation import Activation
from remanifold.theory.replica.equilibrium import ReplicaTheory
from remanifold.theory.replica.mismatched import mismatched_state
from remanifold.theory.replica.transitions import transition

LINEAR = ReplicaTheory(Activation("linear"), 2.0)
TANH = ReplicaTheory(Activation("tanh"), 2.0)
PHASE_RETRIEVAL = ReplicaTheory(Activation(np.abs), 1.05)


def marchenko_pastur(alpha, of):
    """(1/d) Σ of(λ) over the positive eigenvalues of W Wᵀ/d, Chebyshev nodes of the second kind."""
    angle = (np.arange(1, 4000)) * math.pi / 4000
    half = 2 * math.sqrt(alpha)
    value = 1 + alpha - half * np.cos(angle)
    return float(np.sum((half * np.sin(angle)) ** 2 / (2 * math.pi * value) * of(value)) * math.pi / 4000)


@pytest.mark.parametrize("alpha", [0.5, 2.0, 20.0])
@pytest.mark.parametrize("r", [1e-9, 1e-3, 0.1, 3.0, 1e9])
def test_linear_is_marchenko_pastur(alpha, r):
    state = ReplicaTheory(Activation("linear"), alpha).equilibrium(r)
    assert state.potential == pytest.approx(marchenko_pastur(alpha, lambda v: 0.5 * np.log1p(v / r)), rel=2e-8)
    assert state.dimension == pytest.approx(marchenko_pastur(alpha, lambda v: v / (v + r)), rel=1e-7)


def test_quoted_linear_value():
    """At α = 2, r = 0.1 the information is 1.39023 per latent dimension: formula, replicas, log-determinant."""
    formula = marchenko_pastur(2.0, lambda v: 0.5 * np.log1p(v / 0.1))
    w = np.random.default_rng(0).standard_normal((1600, 800)) / math.sqrt(800)
    sampled = 0.5 * np.linalg.slogdet(np.eye(800) + w.T @ w / 0.1)[1] / 800
    assert formula == pytest.approx(1.390231, abs=1e-6)
    assert sampled == pytest.approx(formula, abs=3 / 800)  # ln det has fluctuations of order one
    assert LINEAR.equilibrium(0.1).potential == pytest.approx(formula, rel=1e-9)


def gauss_legendre(low, high, panels, order=40):
    t, w = np.polynomial.legendre.leggauss(order)
    edges = np.linspace(low, high, panels + 1)
    middle, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    return (middle[:, None] + half[:, None] * t).ravel(), (half[:, None] * w).ravel()


def gaussian(x, variance):
    return np.exp(-0.5 * x**2 / variance) / np.sqrt(2 * math.pi * variance)


def sign_output(x, m, v, r):
    """p(x|V) of sign(u) + √r ξ, u ~ N(m, v)."""
    up = ndtr(m / math.sqrt(v))
    return up * gaussian(x - 1, r) + (1 - up) * gaussian(x + 1, r)


def relu_output(x, m, v, r):
    """p(x|V) of max(u, 0) + √r ξ: an atom and a truncated Gaussian."""
    inside = (m * r + x * v) / (v + r) / math.sqrt(v * r / (v + r))
    return ndtr(-m / math.sqrt(v)) * gaussian(x, r) + gaussian(x - m, v + r) * ndtr(inside)


@pytest.mark.parametrize(("name", "density"), [("sign", sign_output), ("relu", relu_output)])
@pytest.mark.parametrize(("alpha", "r"), [(2.0, 0.3), (1.2, 0.05)])
def test_sign_and_relu_from_their_output_densities(name, density, alpha, r):
    """min_q of α[h(x|V) - ½ ln 2πer] - ½[q + ln(1-q)] with p(x|V) in closed form and a plain double quadrature."""
    field, weight = gauss_legendre(-8, 8, 16)
    x, dx = gauss_legendre(-7, 14, 100)

    def potential(q):
        p = np.maximum(density(x, math.sqrt(q) * field[:, None], 1 - q, r), 1e-300)
        entropy = (weight * gaussian(field, 1.0)) @ (-(p * np.log(p)) @ dx)
        return alpha * (entropy - 0.5 * math.log(2 * math.pi * math.e * r)) - 0.5 * (q + math.log(1 - q))

    lowest = minimize_scalar(potential, bounds=(0.01, 0.99), method="bounded", options={"xatol": 1e-8})
    state = ReplicaTheory(Activation(name), alpha).equilibrium(r)
    assert state.potential == pytest.approx(lowest.fun, rel=1e-9)
    assert state.overlap == pytest.approx(lowest.x, rel=1e-6)


def brute_force(d, alpha, r, s, f, n_weights, rng, n_points=60, n_latent=8000):
    """G(r, s)/d at finite d: φ by plain sampling of the prior, averaged over W. Mean and standard error."""
    values = []
    for _ in range(n_weights):
        w = rng.standard_normal((int(alpha * d), d)) / math.sqrt(d)
        noise = math.sqrt(s) * rng.standard_normal((n_points, len(w)))
        x = f(rng.standard_normal((n_points, d)) @ w.T) + noise
        y = f(rng.standard_normal((n_latent, d)) @ w.T)
        energy = 0.5 * np.sum(x**2, axis=1)[:, None] + 0.5 * np.sum(y**2, axis=1) - x @ y.T
        phi = logsumexp(-energy / r, axis=1) - math.log(n_latent)
        values.append(np.mean(-np.sum(noise**2, axis=1) / (2 * r) - phi) / d)
    return np.mean(values), np.std(values, ddof=1) / math.sqrt(n_weights)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "r", "s"),
    [
        ("tanh", 0.3, 0.3),
        ("sign", 1.0, 0.5),
        pytest.param("relu", 1.0, 1.0, marks=SLOW),
        pytest.param("tanh", 1.0, 0.0, marks=SLOW),
    ],
)
def test_brute_force_extrapolates_to_the_replica_value(name, r, s):
    """Finite-size corrections are of order 1/d: 2 G(6) - G(3) against d → ∞, z-score (error about 2 %)."""
    rng, f = np.random.default_rng(5), Activation(name)
    (small, error_small), (large, error_large) = (brute_force(d, 2.0, r, s, f, 100, rng) for d in (3, 6))
    theory = ReplicaTheory(f, 2.0)
    value = theory.equilibrium(r).potential if s == r else mismatched_state(theory, r, s).gap
    error = math.hypot(2 * error_large, error_small)
    assert error < 0.04 * value + 0.01
    assert abs(2 * large - small - value) < 3.5 * error


def test_even_activation_may_learn_nothing():
    """|u| at large noise: the uninformed q = 0 is the only state, and below some r it is unstable."""
    (alone,) = PHASE_RETRIEVAL.states(100.0)
    assert alone.overlap == 0
    assert alone.stable
    uninformed, informed = PHASE_RETRIEVAL.states(0.1)
    assert (uninformed.overlap, uninformed.stable, informed.stable) == (0.0, False, True)
    assert informed.potential < uninformed.potential


def test_coexistence_in_phase_retrieval():
    """|u| at α = 1.05, r = 1e-5: two stable states, state evolution finds either, equilibrium takes the lower one."""
    r = 1e-5
    uninformed, poor, between, good = PHASE_RETRIEVAL.states(r)
    assert [s.stable for s in (uninformed, poor, between, good)] == [False, True, False, True]
    assert between.potential > max(poor.potential, good.potential)
    assert PHASE_RETRIEVAL.equilibrium(r).potential == min(poor.potential, good.potential)
    assert PHASE_RETRIEVAL.iterate(r, 0.5, 8)[-1] == pytest.approx(poor.overlap, abs=0.05)
    assert PHASE_RETRIEVAL.iterate(r, 1 - 1e-6, 12)[-1] == pytest.approx(good.overlap, abs=0.001)


@pytest.mark.slow
def test_spinodals_of_phase_retrieval():
    """The states change in number exactly across the upper spinodal, and their order across the transition."""
    found = transition(PHASE_RETRIEVAL)
    assert found is not None
    low, high = found.spinodals
    assert low == pytest.approx(1e-6)  # the poor state survives to the smallest noise
    assert len(PHASE_RETRIEVAL.states(0.8 * high)) == 4
    assert len(PHASE_RETRIEVAL.states(1.25 * high)) == 2
    poor, good = (s for s in PHASE_RETRIEVAL.states(1.3 * found.exchange) if s.stable)
    assert poor.potential < good.potential
    poor, good = (s for s in PHASE_RETRIEVAL.states(0.8 * found.exchange) if s.stable)
    assert poor.potential > good.potential


@pytest.mark.parametrize("name", ["tanh", "sign"])
def test_no_transition(name):
    assert transition(ReplicaTheory(Activation(name), 2.0)) is None


def gap(r, s):
    return lambda v: 0.5 * (np.log1p(v / r) + v / (v + r) * (1 - s / r))


def divergence(r, s):
    return lambda v: 0.5 * (np.log1p(v / r) - v / (v + r) + v * (v + s) / (v + r) ** 2)


@pytest.mark.parametrize(("r", "s"), [(0.1, 0.0), (0.1, 0.05), (0.1, 0.15), (1e-4, 0.0), (100.0, 0.0), (3.0, 3.0)])
def test_mismatched_noise_of_the_linear_manifold(r, s):
    state = mismatched_state(LINEAR, r, s)
    assert state.gap == pytest.approx(marchenko_pastur(2.0, gap(r, s)), rel=1e-8)
    assert state.local_divergence == pytest.approx(marchenko_pastur(2.0, divergence(r, s)), rel=5e-8)


@pytest.mark.parametrize("name", ["tanh", "relu", "sign"])
def test_matched_noise_is_the_equilibrium(name):
    """m = q = 1 - v without being told, and G = EK = I."""
    theory = ReplicaTheory(Activation(name), 2.0)
    state, equilibrium = mismatched_state(theory, 0.3, 0.3), theory.equilibrium(0.3)
    assert state.alignment == pytest.approx(equilibrium.overlap, rel=1e-6)
    assert state.overlap == pytest.approx(equilibrium.overlap, rel=1e-6)
    assert state.width == pytest.approx(equilibrium.residual, rel=1e-6)
    assert state.gap == pytest.approx(equilibrium.potential, rel=1e-7)
    assert state.local_divergence == pytest.approx(equilibrium.potential, rel=1e-7)


def test_gap_and_local_divergence_are_tied():
    """E K = G + ∂G/∂ln r at fixed s, by differences."""
    r, s, h = 0.3, 0.1, 0.01
    up, down = (mismatched_state(TANH, r * math.exp(e), s).gap for e in (h, -h))
    state = mismatched_state(TANH, r, s)
    assert state.gap + (up - down) / (2 * h) == pytest.approx(state.local_divergence, rel=1e-4)


@pytest.mark.parametrize(("r", "s", "message"), [(0.1, 10.0, "noise = 10: must be ≤ 4 r"), (-1.0, 0.0, "r = -1")])
def test_bad_noise(r, s, message):
    with pytest.raises(ValueError, match=message):
        mismatched_state(TANH, r, s)


def test_uninformed_posterior_is_not_treated():
    with pytest.raises(ValueError, match="knows nothing of an even f"):
        mismatched_state(PHASE_RETRIEVAL, 100.0, 0.0)


def test_alpha_must_be_positive():
    with pytest.raises(ValueError, match="alpha = 0"):
        ReplicaTheory(Activation("tanh"), 0.0)
