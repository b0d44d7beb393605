"""Averages over the noisy point x: nodes of the few radii that its energies depend on, and control variates."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from ...conventions.arguments import Array
from ...conventions.law import Energies
from .planted_posterior import Tilt, posterior_energy

_LOG2_NODES, _LOG2_CHEAP = 11, 14
_LINE = np.linspace(-8.4, 8.4, 337)
_PLANE = np.linspace(-6.8, 6.8, 35)
_KNOTS = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])


class NoisyPoints(NamedTuple):
    """Nodes x = y + √s ξ through their radii."""

    radii: Array  # (n, g)
    weights: Array  # (n,)


def noisy_points(energies: Energies, noise: float) -> NoisyPoints:
    """Trapezoid rule for x that take one or two normal numbers, where it converges exponentially; else Sobol."""
    scores, weights = (
        _grid(energies.radial_dim) if energies.radial_dim < 3 else _sobol(energies.radial_dim, _LOG2_NODES)
    )
    radii = energies.noisy_radii(noise, scores)
    return NoisyPoints(radii, weights if len(radii) == len(weights) else np.ones(1))


def controlled_mean(values: Array, at: NoisyPoints, control: Array, exact: float) -> float:
    """Weighted mean of `values` at the nodes, corrected by regression on a `control` whose `exact` mean is known."""
    centred = control - at.weights @ control
    variance = at.weights @ centred**2
    slope = at.weights @ (centred * values) / variance if variance > 0 else 0.0
    return float(at.weights @ values + slope * (exact - at.weights @ control))


def posterior_means(
    energies: Energies, information: float, r: float, values: Array, at: NoisyPoints, tilt: Tilt
) -> Array:
    """Means over x ~ p_r of `values` (m, n), which depend on x mostly through K(x, r); E K = I(r) is `information`.

    Where the nodes are a Sobol set, `values` are regressed on K and on softened steps of its slope (their tails are
    linear in K), which are cheap and averaged over eight times as many nodes.
    """
    if energies.radial_dim < 3 or len(at.weights) == 1:
        return np.array([controlled_mean(v, at, tilt.divergence, information) for v in values])
    knots = np.quantile(tilt.divergence, _KNOTS)
    width = max(0.5 * float(knots[4] - knots[2]), 1e-9 * (1 + float(knots[3])))
    features = _features(tilt.divergence, knots, width)
    scores, _ = _sobol(energies.radial_dim, _LOG2_CHEAP)
    cheap = posterior_energy(energies, energies.noisy_radii(r, scores), r)
    means = _features(cheap.divergence, knots, width).mean(axis=0)
    means[1] = information - knots[3]
    slopes, *_ = np.linalg.lstsq(features, values.T, rcond=1e-12)
    return np.asarray(means @ slopes, dtype=np.float64)


def _features(divergence: Array, knots: Array, width: float) -> Array:
    """1, K and softened ramps above each knot, shape (n, m)."""
    ramps = np.logaddexp(0.0, (divergence[:, None] - knots) / width)
    return np.column_stack([np.ones(len(divergence)), divergence - knots[3], ramps])


@lru_cache(maxsize=8)
def _grid(dim: int) -> tuple[Array, Array]:
    line = _LINE if dim == 1 else _PLANE
    scores = np.stack(np.meshgrid(*[line] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    weights = np.exp(-0.5 * np.sum(scores**2, axis=1))
    return scores, weights / weights.sum()


@lru_cache(maxsize=8)
def _sobol(dim: int, log2_nodes: int) -> tuple[Array, Array]:
    """Normal scores of a Sobol set with a fixed scramble, so that results are smooth in all parameters."""
    uniform = qmc.Sobol(dim, scramble=True, rng=np.random.default_rng(0)).random_base2(log2_nodes)
    return ndtri(np.clip(uniform, 1e-15, 1 - 1e-15)), np.full(len(uniform), 1 / len(uniform))
