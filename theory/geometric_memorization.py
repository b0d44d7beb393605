"""Geometric memorization as published: the Gaussian-energy formula of arXiv 2410.08727."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, nonnegative, positive, positive_scalar


class GeometricMemorization(NamedTuple):
    """The published picture at noise variances t; direction i is lost where `order_parameters` are > 0."""

    critical_times: Array  # t_c^(i)(t), shape (..., D)
    order_parameters: Array  # ϕ_i = max(0, 1/t - 1/t_c^(i)), shape (..., D)
    singular_values: Array  # of the Jacobian of the score, shape (..., D), in the order of the directions


def geometric_memorization(
    variances: ArrayLike, t: ArrayLike, *, log_n: float, normalized: bool = True
) -> GeometricMemorization:
    """Singular values of the score's Jacobian at the origin and the times at which directions are lost.

    Variance-exploding time t = noise variance (= r), directions of variance s_i², g = 0 for data on the unit
    sphere (`normalized`) and 1 otherwise:

        t_c^(i)(t) = √[(g Σ_k s_k⁴/2 + t s_i²)/(2 ln N)],   ϕ_i = max(0, 1/t - 1/t_c^(i)),
        ϕ_0 the same without t s_i² (0 for normalized data),
        V_i = [Σ_k s_k²/(t²(t + s_k²))] (ϕ_0 + ϕ_i),   singular values √[1/(t + s_i²)² + V_i²].

    For normalized data direction i is lost below t = s_i²/(2 ln N): high variance first. This is the
    random-energy model with Gaussian energies at the probe √t e_i. It is an approximation, and its ordering
    can be reversed: compare `local_condensation`, which uses the exact law of the energies (docs/theory.md §4.7).

    `variances` (D,) ≥ 0, `t` > 0 of any shape, `log_n` = ln N > 0; ValueError otherwise.
    """
    s2 = nonnegative(variances, "variances")
    if s2.ndim != 1 or s2.size == 0:
        raise ValueError(f"variances has shape {s2.shape}: must have shape (D,) with D ≥ 1")
    time = positive(t, "t")[..., None]
    log_n = positive_scalar(log_n, "log_n")
    common = 0.0 if normalized else float(np.sum(s2**2)) / 2
    critical = np.sqrt((common + time * s2) / (2 * log_n))
    order = _frozen_excess(time, critical)
    order_all = 0.0 if normalized else _frozen_excess(time, np.sqrt(common / (2 * log_n)))
    scale = np.sum(s2 / (time**2 * (time + s2)), axis=-1, keepdims=True)
    singular = np.hypot(1 / (time + s2), scale * (order_all + order))
    return GeometricMemorization(critical, order, singular)


def _frozen_excess(t: Array, critical: ArrayLike) -> Array:
    """max(0, 1/t - 1/t_c); zero where t_c = 0, since a direction without variance is never condensed."""
    critical = np.broadcast_to(np.asarray(critical, dtype=np.float64), np.broadcast_shapes(t.shape, np.shape(critical)))
    inverse = np.divide(1.0, critical, out=np.full(critical.shape, np.inf), where=critical > 0)
    return np.maximum(0.0, 1 / t - inverse)
