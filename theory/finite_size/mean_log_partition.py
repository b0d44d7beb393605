"""E ln Z of N independent points seen from a fixed x: the random-energy model, exactly at finite N.

With z = exp(-|x-y|²/2r), L(s) = 1 - E e^{-sz}, σ = ln s and any reference Z = e^{-σ_x},

    E ln Σ_μ z_μ = -σ_x + ∫ dσ [e^{-s e^{-σ_x}} - (1 - L(s))^N].

The contour of L runs through the saddle point N s^c E z^c = 1, which for a condensed x is the freezing point c < 1 of
the random-energy model. Where condensation is far, the contour lies beyond c = 1 and what differs from
ln (N E z) is computed by itself. Derived; docs/theory.md §5.2, §5.3.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import Array
from ...conventions.law import Energies
from .laplace_contour import Contour, beyond_the_mean, contours_beyond_the_mean, survival_exponent
from .planted_posterior import Tilt

_STEP = 0.125  # in σ, where the integrand is analytic for |Im σ| < π/2
_TOP = 15.0  # end of the window in σ, in units of 1/c: the others' survival is over, rounding e^15 is harmless
_CLEAR = 4.0  # nats between ln N and K(x, r), and at least e^4 points, from which nothing is frozen
_GRID = np.concatenate([np.geomspace(1e-12, 0.06, 160)[:-1], np.geomspace(0.06, 0.9, 60), np.linspace(0.91, 1.0, 10)])
_ROWS = 2**20


def log_partition_excess(energies: Energies, radii: Array, r: float, log_count: float, tilt: Tilt) -> Array:
    """E ln Σ_μ z_μ - ln(N E z) ≤ 0 at nodes x of the given `radii` (n, g), for N = e^log_count points, shape (n,)."""
    annealed = tilt.log_partition
    clear = (tilt.divergence < log_count - _CLEAR) & (log_count > _CLEAR)
    result = np.empty(len(radii))
    if clear.any():
        variance = float(np.median(tilt.variance[clear]))
        result[clear] = _beyond(energies, radii[clear], r, log_count, annealed[clear], variance)
    if not clear.all():
        result[~clear] = _through_saddle(energies, radii[~clear], r, log_count) - annealed[~clear] - log_count
    return result


def _chunks(group: NDArray[np.bool_], size: int) -> list[NDArray[np.intp]]:
    index, rows = np.flatnonzero(group), max(1, _ROWS // size)
    return [index[i : i + rows] for i in range(0, len(index), rows)]


def _beyond(energies: Energies, radii: Array, r: float, log_count: float, annealed: Array, variance: float) -> Array:
    """∫ dσ e^{-s} (1 - e^{ln S + s}), s in units of 1/(N E z): small, and all its digits kept."""
    width = 1.5 / math.sqrt(max(variance, 9.0))
    contours, height = contours_beyond_the_mean(energies, radii, r, log_count, annealed, width)
    result = np.empty(len(radii))
    for c in np.unique(contours):
        at_c = contours == c
        top = min(max(6.0, (27 + max(0.0, -float(height[at_c].max()))) / c), 30.0)
        contour = Contour(float(c), _STEP, top)
        s = np.exp(contour.tau)
        for at in _chunks(at_c, contour.size):
            exponent, _, _ = beyond_the_mean(energies, radii[at], r, log_count, annealed[at], contour)
            near = -np.exp(-s) * np.expm1(np.minimum(exponent, 1.0))
            difference = np.where(exponent < 1, near, np.exp(-s) - np.exp(exponent - s))
            result[at] = contour.step * difference.sum(axis=1)
    return result


def _through_saddle(energies: Energies, radii: Array, r: float, log_count: float) -> Array:
    """E ln Σ_μ z_μ on contours near the saddle of each node."""
    log_moment = energies.log_energy_moment(radii, r, _GRID.astype(np.complex128)).real
    # σ at which N s^c E z^c = 1; with fewer than e points the lowest energy is a typical one, not a saddle
    centres = -(max(log_count, 1.0) + log_moment) / _GRID
    saddle = centres.argmax(axis=1)
    sigma = centres[np.arange(len(centres)), saddle]
    h = _GRID[-1] - _GRID[-3]  # V, the variance of the energies at c = 1
    spread = float(np.median(log_moment[:, -1] - 2 * log_moment[:, -3] + log_moment[:, -5]) / h**2)
    contours = _contours(_GRID[saddle], spread)
    result = np.empty(len(radii))
    for c in np.unique(contours):
        # deep in the frozen phase all varies on the scale 1/c; in few dimensions the survival of the points ends
        # far above the saddle, and a lower contour reaches further
        scale = max(1.0, 0.06 / c)
        line = min(float(c), 1.0) / 4 if spread < 3 else float(c)
        contour = Contour(line, _STEP * scale, _TOP / line + 5 * scale)
        for at in _chunks(contours == c, contour.size):
            result[at] = (scale - 1) * np.euler_gamma - sigma[at]
            result[at] += _correction(energies, radii[at], r, log_count, sigma[at], contour, scale)
    return result


def _contours(tilt: Array, spread: float) -> Array:
    """Real part of the contour near each saddle: shared by nodes with close saddles, and off the pole at 1.

    ln N s^c E z^c is a parabola of curvature V around the saddle, so a contour further than 1/√V from it would
    cancel digits; V = `spread` is the variance of the energies at c = 1.
    """
    width = 1.5 / np.sqrt(max(spread, 1.0))
    gap = min(max(width, 0.005), 0.15)
    spacing = np.log1p(min(max(2 * width, 0.01), 0.2))
    below = np.minimum(tilt, 1 - gap) / (1 - gap)
    return np.where(tilt > 1 - gap / 2, 1 + gap, (1 - gap) * np.exp(spacing * np.round(np.log(below) / spacing)))


def _correction(
    energies: Energies, radii: Array, r: float, log_count: float, sigma: Array, contour: Contour, scale: float
) -> Array:
    """∫ dσ [e^{-e^{τ/scale}} - S], τ = σ - σ_x; `scale` ≥ 1 stretches grid and reference."""
    expected = contour.line(contour.spectrum(energies, radii, r, log_count + contour.k * sigma[:, None]))
    if contour.poles == 1:
        one = energies.log_energy_moment(radii, r, np.ones(1, dtype=np.complex128)).real + sigma[:, None] + log_count
        expected += np.exp(np.minimum(one + contour.tau, 700.0))
    expected = np.clip(expected, 0.0, np.exp(min(log_count, 700.0)))
    survival = np.exp(survival_exponent(expected, log_count) - expected)
    reference = np.exp(-np.exp(np.minimum(contour.tau / scale, 50.0)))
    return contour.step * np.sum(reference - survival, axis=1)
