"""The tilted law at a point from the nodes of a ladder of panels: what the posterior knows."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import Array
from .panel_ladder import Indices, PanelLadder
from .quasi_random_nodes import QuasiRandomNodes


class Posterior(NamedTuple):
    """The tilted law at n points: φ, its mean, covariance and divergence K from the law."""

    log_partition: Array  # (n,)
    mean: Array  # (n, k)
    covariance: Array  # (n, k, k)
    divergence: Array  # (n,)


def tilted(ladder: PanelLadder | QuasiRandomNodes, x: Array, r: float, log_volume: float) -> Posterior:
    """The tilted law at points x (n, k); ladder and `log_volume` as in `PanelLadder.leaves`."""
    row, at, mass, nearest, _ = ladder.leaves(x, r, log_volume)
    origin = nearest[row]
    y = at - origin[:, None]
    # the exponent -|x-y|²/2r relative to the origin, by differences: no digits lost however small r
    exponent = np.einsum("pmk,pmk->pm", y, 2 * (x[row] - origin)[:, None] - y) / (2 * r)
    starts = np.searchsorted(row, np.arange(len(x)))
    top = np.maximum.reduceat(exponent.max(axis=1), starts)
    factor = mass * np.exp(exponent - top[row][:, None])

    def sums(values: Array) -> Array:
        return np.add.reduceat(values, starts, axis=0)

    total = sums(factor.sum(axis=1))
    mean = sums(np.einsum("pm,pmk->pk", factor, y)) / total[:, None]
    centred = y - mean[row][:, None]
    covariance = sums(np.einsum("pm,pmk,pml->pkl", factor, centred, centred, optimize=True)) / total[:, None, None]
    log_mean = top + np.log(total)  # ln E e^{exponent}
    average = sums(np.einsum("pm,pm->p", factor, exponent)) / total
    divergence = np.where(_covers(starts, exponent), _small_divergence(exponent, mass, row, sums), average - log_mean)
    offset = np.einsum("nk,nk->n", x - nearest, x - nearest) / (2 * r)
    return Posterior(log_mean - offset, mean + nearest, covariance, np.maximum(divergence, 0.0))


def _covers(starts: Indices, exponent: Array) -> NDArray[np.bool_]:
    """Where the exponent varies so little over the whole law that K is a small difference, (n,)."""
    spread = np.maximum.reduceat(np.abs(exponent).max(axis=1), starts)
    return spread < 0.3


def _small_divergence(exponent: Array, mass: Array, row: Indices, sums: Callable[[Array], Array]) -> Array:
    """K = E h(e^h - 1)/E e^h - ln(1 + E(e^h - 1 - h)), h the exponent less its mean: every term of order h²."""
    mass = mass / sums(mass.sum(axis=1))[row][:, None]  # one but for the error of quasi-random nodes
    h = exponent - sums(np.einsum("pm,pm->p", mass, exponent))[row][:, None]
    h = np.clip(h, -1.0, 1.0)  # elsewhere the value is not used
    growth = np.expm1(h)
    series = h**2 * (0.5 + h * (1 / 6 + h / 24))
    excess = np.where(np.abs(h) < 1e-3, series, growth - h)
    second = sums(np.einsum("pm,pm->p", mass, excess))
    return sums(np.einsum("pm,pm->p", mass, h * growth)) / (1 + second) - np.log1p(second)
