"""Replicas of a hidden manifold seen at one noise while the points carry another: G(r, s) of the critical points."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import root

from ...conventions.arguments import Array, nonnegative_scalar, positive_scalar
from .activation import Activation
from .equilibrium import ReplicaTheory
from .output_channel import REACH, STANDARD, Outputs, field_nodes, noisy_outputs, panel_nodes, posterior_moments

_LARGEST_NOISE = 4.0  # s/r
_SHORT, _TRUE_REACH = 4.0, 7.0  # panels of the true u, in its standard deviations; how far they go
_MOST_STEPS = 60  # of plain state evolution before Newton's method takes over
_LOWEST, _HIGHEST = -45.0, np.array([2.0, 2.0, -1e-9])  # bounds of ln v, ln q, ln(1 - m²/q) on the way to the solution


@dataclass(frozen=True)
class MismatchedState:
    """The saddle point at assumed noise r and true noise s, per latent dimension.

    `alignment` m = z*·<z>/d with the true latent point, `overlap` q = |<z>|²/d, `width` v = <|z|²>/d - q of the
    posterior; `log_partition` E φ(x, r)/d, `gap` G(r, s)/d, `local_divergence` E K(x, r)/d; `stability` > 0 where
    replica symmetry is stable (de Almeida–Thouless).
    """

    alignment: float
    overlap: float
    width: float
    log_partition: float
    gap: float
    local_divergence: float
    stability: float


def mismatched_state(theory: ReplicaTheory, r: float, noise: float) -> MismatchedState:
    """E φ(x, r), G(r, s) and E K(x, r) at x = y + √s ξ for d → ∞, s = `noise` ≥ 0.

    E φ/d = extr ½[ln v + 1 - v - q + (q - m²)/v] + α E ln ∫Dw exp(-(x - f(√q V + √v w))²/2r) with
    x = f(u*) + √s ξ, u* and √q V normal of covariance m. At s = r: m = q = 1 - v, the Bayes-optimal state.
    ValueError where the equations do not converge or replica symmetry is unstable (s well above r). Relative
    accuracy about 1e-6 for smooth f; derived in docs/hidden_manifold.md §3.
    """
    return _mismatched_state(theory, positive_scalar(r, "r"), nonnegative_scalar(noise, "noise"))


@lru_cache(maxsize=4096)
def _mismatched_state(theory: ReplicaTheory, r: float, s: float) -> MismatchedState:
    if s > _LARGEST_NOISE * r:
        raise ValueError(f"noise = {s:g}: must be ≤ {_LARGEST_NOISE:g} r; further above, the averages are not resolved")
    start = theory.equilibrium(r)
    if start.overlap == 0:
        raise ValueError(f"r = {r:g}: the posterior knows nothing of an even f here; noise other than r is not treated")

    def change(unknown: Array) -> Array:
        point = _Saddle(*np.exp(np.clip(unknown, _LOWEST, _HIGHEST)))
        with np.errstate(all="ignore"):  # far from the solution anything may happen
            updated = _updated(theory.alpha, point, _averages(theory.activation, point, r, s))
            step = np.log([updated.width, updated.overlap, updated.misfit]) - unknown
        return np.nan_to_num(step, nan=1.0)

    guess = np.log([start.residual, start.overlap, start.residual])
    for _ in range(_MOST_STEPS):
        step = change(guess)
        guess = guess + step
        if np.max(np.abs(step)) < 0.1:
            break
    solution = root(change, guess, options={"xtol": 1e-10, "factor": 0.3})
    if not (np.max(np.abs(solution.fun)) < 1e-7 and np.all(solution.x < _HIGHEST)):
        raise ValueError(f"noise = {s:g}: the replica equations at r = {r:g} do not converge there")
    return _state(theory, _Saddle(*map(float, np.exp(solution.x))), r, s)


class _Saddle(NamedTuple):
    """v, q and 1 - m²/q, the part of the true u that the field does not follow."""

    width: float
    overlap: float
    misfit: float


class _Averages(NamedTuple):
    """Averages of ln Z; g², g = ∂ ln Z/∂h at h = √q V; -∂g/∂h and its square; ∂g/∂u*; (x-f)² over the posterior."""

    log_partition: float
    field_square: float
    curvature: float
    curvature_square: float
    response: float
    residual: float


def _updated(alpha: float, point: _Saddle, averages: _Averages) -> _Saddle:
    """v = 1/(1 + α E curvature), m = α v E response, q = m² + α v² E g²."""
    v = 1 / (1 + alpha * averages.curvature)
    m, scatter = alpha * v * averages.response, alpha * v**2 * averages.field_square
    return _Saddle(v, m**2 + scatter, scatter / (m**2 + scatter))


def _state(theory: ReplicaTheory, point: _Saddle, r: float, s: float) -> MismatchedState:
    v, q, misfit = point
    averages = _averages(theory.activation, point, r, s)
    stability = 1 - theory.alpha * v**2 * averages.curvature_square
    if stability <= 0:
        raise ValueError(f"noise = {s:g}: replica symmetry is broken at r = {r:g}, where no formula is offered")
    entropy = 0.5 * (math.log(v) + 1 - v - q + q * misfit / v)
    log_partition = entropy + theory.alpha * averages.log_partition
    return MismatchedState(
        alignment=math.sqrt(q * (1 - misfit)),
        overlap=q,
        width=v,
        log_partition=log_partition,
        gap=-theory.alpha * s / (2 * r) - log_partition,
        local_divergence=-theory.alpha * averages.residual / (2 * r) - log_partition,
        stability=stability,
    )


def _averages(activation: Activation, point: _Saddle, r: float, s: float) -> _Averages:
    """Averages over the field h, the true u* given it and the noise; the posterior of u is that of noise r."""
    v, q, misfit = point
    field, weight = field_nodes(activation, q, v, STANDARD.field)
    centre, spread = field * math.sqrt((1 - misfit) / q), math.sqrt(misfit)
    outputs = _noisy_outputs if s > 0 else _clean_outputs
    sigma, cut = math.sqrt(v), 12.0 * math.sqrt(max(1.0, s / r))
    low, high = activation.range_over(field - REACH * sigma, field + REACH * sigma)
    total = np.zeros(6)
    for index, x, w, probability in outputs(activation, centre, spread, s):
        out = Outputs(field[index], index, x, probability, low[index], high[index], -1, cut)
        posterior = posterior_moments(activation, out, sigma, r, STANDARD.inner)
        probability = probability * weight[index]
        g, curvature = posterior.mean / sigma, (1 - posterior.spread) / v
        log_partition = np.where(probability > 1e-13, posterior.log_partition, 0.0)  # an output out of reach has none
        rows = (log_partition, g**2, curvature, curvature**2, g * w / spread, posterior.residual)
        total += [probability @ row for row in rows]
    return _Averages(*map(float, total))


TrueOutputs = Iterator[tuple[np.ndarray, Array, Array, Array]]


def _noisy_outputs(activation: Activation, centre: Array, spread: float, s: float) -> TrueOutputs:
    """Nodes x of outputs of u* = centre + spread·w at noise s: which centre, x, E[w|x], probability."""
    for out in noisy_outputs(activation, centre, spread, math.sqrt(s), STANDARD):
        truth = posterior_moments(activation, out, spread, s, STANDARD.inner)
        yield out.index, out.x, truth.mean, out.weight * truth.density


def _clean_outputs(activation: Activation, centre: Array, spread: float, s: float) -> TrueOutputs:
    """The same without noise, on nodes of u*."""
    for low, high in np.concatenate([branch.panels for branch in activation.branches]):
        order = STANDARD.inner if high - low > _SHORT * spread else STANDARD.inner // 2
        first, last = (np.clip((edge - centre) / spread, -_TRUE_REACH, _TRUE_REACH) for edge in (low, high))
        some = np.flatnonzero(last > first)
        w, width = panel_nodes(first[some], last[some], order)
        index, w, width = np.repeat(some, order), w.ravel(), width.ravel()
        yield index, activation(centre[index] + spread * w), w, width * np.exp(-0.5 * w**2) / math.sqrt(2 * math.pi)
