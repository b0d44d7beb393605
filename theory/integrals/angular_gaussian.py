"""The angular Gaussian law, y = w/|w| with w ~ N(0, diag λ): its generating function as one real integral.

Expanding exp(b·y) in even moments, writing E (b·w)^{2k}/|w|^{2k} with ∫ t^{k-1} e^{-t|w|²} dt and summing the
series gives, for any variances λ_i > 0,

    E exp(b·y) = 1 + ∫_0^∞ (dt/t) √z I_1(2√z) Π_i (1 + 2tλ_i)^{-1/2},   z = ½ Σ_i b_i² tλ_i/(1 + 2tλ_i),

whose integrand is positive and analytic in ln t, so that the trapezoid rule in ln t is exact to rounding.
Derivatives in b stay under the integral: with a_i = tλ_i/(1 + 2tλ_i) and <·> the normalised integral,

    ∂_i ln E = b_i A_i, A_i = <I_0(2√z) a_i>;   ∂_i∂_j E/E = δ_ij A_i + b_i b_j <I_1(2√z) a_i a_j/√z>.

Everything is scaled by e^{-|b|}, so |b| from 0 to 1e15 is safe (derived; docs/theory.md §6).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import i0e, i1e, logsumexp

from ...conventions.arguments import Array

_NODES = 160
_DEPTH = 42.0  # nats below the peak at which the integrand is cut: e^-42 = 6e-19
_CHUNK = 256


class AngularGaussian(NamedTuple):
    """Posterior quantities of y at fields b, for groups g of equal variances."""

    log_mgf_excess: Array  # ln E exp(b·y) - |b|, shape (n,)
    overlap_excess: Array  # b·m - |b|, m = E[y e^{b·y}]/E e^{b·y}, shape (n,)
    response: Array  # A_g with m_i = b_i A_g, shape (n, g)
    coupling: Array  # <I_1 a_g a_h/√z>, shape (n, g, g)


def angular_gaussian(field_squares: Array, variances: Array, multiplicities: Array) -> AngularGaussian:
    """Evaluates the integrals above.

    `field_squares` (n, g): Σ b_i² over each group; `variances` (g,) > 0; `multiplicities` (g,).
    Relative error about 1e-13 in every output.
    """
    chunks = [
        _evaluate(field_squares[i : i + _CHUNK], variances, multiplicities)
        for i in range(0, len(field_squares), _CHUNK)
    ]
    return AngularGaussian(*(np.concatenate(parts) for parts in zip(*chunks, strict=True)))


def _evaluate(squares: Array, variances: Array, multiplicities: Array) -> AngularGaussian:
    size = np.sqrt(squares.sum(axis=1))  # |b|
    log_t, step = _nodes(squares, size, variances, multiplicities)
    doubled = 2 * np.exp(log_t)[..., None] * variances  # 2tλ, (n, t, g)
    occupied = 0.5 * doubled / (1 + doubled)  # a
    u = 2 * np.sqrt(0.5 * np.einsum("ng,ntg->nt", squares, occupied))
    log_weight = _log_weight(squares, size, u, doubled, multiplicities) + np.log(step)[:, None]
    # ∫ over ln t of I_0 Π and of (2/u) I_1 Π, both relative to e^{|b|}
    log_zero = log_weight + np.log(i0e(u))
    scaled_one = np.where(u > 1e-8, 2 * i1e(u) / np.maximum(u, 1e-300), np.exp(-u))
    log_one = log_weight + np.log(scaled_one)
    log_first = log_one + 2 * np.log(np.maximum(u, 1e-300) / 2)  # √z I_1 Π
    log_mgf = np.logaddexp(-size, logsumexp(log_first, axis=1))
    zero = np.exp(log_zero - log_mgf[:, None])
    first = np.exp(log_first - log_mgf[:, None])
    response = np.einsum("nt,ntg->ng", zero, occupied)
    coupling = np.einsum("nt,ntg,nth->ngh", np.exp(log_one - log_mgf[:, None]), occupied, occupied, optimize=True)
    shortfall = -np.einsum("ng,ntg->nt", squares, 1 / (1 + doubled)) / np.maximum(size[:, None] + u, 1e-300)
    excess = np.einsum("nt,nt->n", first, shortfall + _bessel_excess(u)) - size * np.exp(-size - log_mgf)
    direct = np.einsum("ng,ng->n", squares, response) - size
    return AngularGaussian(log_mgf, np.where(size > 1, excess, direct), response, coupling)


def _log_weight(squares: Array, size: Array, u: Array, doubled: Array, multiplicities: Array) -> Array:
    """u - |b| - ½ Σ ln(1 + 2tλ), the first difference without cancellation."""
    shortfall = np.einsum("ng,ntg->nt", squares, 1 / (1 + doubled)) / np.maximum(size[:, None] + u, 1e-300)
    return -shortfall - 0.5 * np.log1p(doubled) @ multiplicities


def _bessel_excess(u: Array) -> Array:
    """u (I_0(u)/I_1(u) - 1) → ½ at large u, 2 at u = 0."""
    large = np.maximum(u, 1e3)
    asymptotic = 1 / 2 + (3 / 8 + (3 / 8 + 63 / 128 / large) / large) / large
    small = np.clip(u, 1e-8, 1e3)
    return np.where(u > 1e3, asymptotic, small * (i0e(small) / i1e(small)) - small)


def _nodes(squares: Array, size: Array, variances: Array, multiplicities: Array) -> tuple[Array, Array]:
    """Trapezoid nodes in ln t (n, t) and steps (n,), covering the integrand down to e^-42 of its peak."""
    scale = np.log(variances.max())
    dims = multiplicities.sum()

    def log_integrand(log_t: Array) -> Array:
        doubled = 2 * np.exp(log_t)[..., None] * variances
        occupied = 0.5 * doubled / (1 + doubled)
        u = 2 * np.sqrt(0.5 * np.einsum("ng,ntg->nt", squares, occupied))
        peaked = np.log(i0e(u)) + np.log(occupied.max(axis=-1))
        return peaked + _log_weight(squares, size, u, doubled, multiplicities)

    low = -scale - _DEPTH - 2 * np.log1p(size)
    high = 2 * (_DEPTH + np.log1p(size) * dims) / dims - np.log(variances.min()) + np.log1p(size)
    for _ in range(3):  # narrow the window around what is above the cut
        grid = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, 33)
        values = log_integrand(grid)
        alive = values > values.max(axis=1, keepdims=True) - _DEPTH
        first, last = alive.argmax(axis=1), 32 - alive[:, ::-1].argmax(axis=1)
        rows = np.arange(len(size))
        new_low, new_high = grid[rows, np.maximum(first - 1, 0)], grid[rows, np.minimum(last + 1, 32)]
        if np.all(new_high - new_low > 0.9 * (high - low)):
            break
        low, high = new_low, new_high
    step = (high - low) / (_NODES - 1)
    return low[:, None] + step[:, None] * np.arange(_NODES), step
