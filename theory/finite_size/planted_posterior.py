"""The posterior of N points at a noisy x that one of them sent, averaged over all of them at fixed x.

Given x ~ p_r, the point y that was noised is distributed as the posterior ν_{x,r} and the N - 1 others as ν. With
z = exp(-|x-y|²/2r), L(s) = 1 - E e^{-sz} and σ = ln s,

    B(σ) = E_posterior e^{-sz} = L'(s)/E z,     S(σ) = (1 - L(s))^{N-1},

    E[w_1 | x]          = -∫ B'(σ) S(σ) dσ,
    E[-ln w_1 | x]      =  ∫ B(σ) (1 - S(σ)) dσ,
    E[ln Z/(N E z) | x] =  ∫ [e^{-s N E z} - B(σ) S(σ)] dσ,      Z = Σ_μ z_μ.

The last is ln p_emp,r(x) - ln p_r(x); it equals E[-ln w_1 | x] - ln N + K(x, r), K = KL(posterior ‖ ν), and is used
where K < ln N: there it is small and keeps its digits. Derived; docs/finite_size.md §1.
"""

import math
from typing import NamedTuple

import numpy as np

from ...conventions.arguments import Array
from ...conventions.law import Energies
from .laplace_contour import Contour, beyond_the_mean, contours_beyond_the_mean, survival_exponent

_STEP = 0.2  # integrands are analytic for |Im σ| < π/2 and |Γ(-k)| falls as e^{-π|Im k|/2}: error e^-25
_ROWS = 2**20


class Planted(NamedTuple):
    """One number for each node x."""

    retrieval: Array  # E[w_1 | x]
    excess_entropy: Array  # E[-ln w_1 | x]
    log_density_gap: Array  # E[ln p_emp,r(x) - ln p_r(x) | x]


class Tilt(NamedTuple):
    """Λ_x, Λ_x' and Λ_x'' at k = 1: log-partition, minus the mean and the variance of the energy in the posterior."""

    log_partition: Array
    slope: Array
    variance: Array

    @property
    def divergence(self) -> Array:
        """K(x, r) = Λ' - Λ."""
        return np.maximum(self.slope - self.log_partition, 0.0)


def posterior_energy(energies: Energies, radii: Array, r: float) -> Tilt:
    """Mean and variance of the energies in the posterior, by five-point rules: absolute error about 1e-11 and 1e-8."""
    h = 4e-3
    ks = 1 + h * np.arange(-2, 3)
    far_below, below, at, above, far_above = energies.log_energy_moment(radii, r, ks.astype(np.complex128)).real.T
    slope = (8 * (above - below) - (far_above - far_below)) / (12 * h)
    variance = (16 * (above + below) - (far_above + far_below) - 30 * at) / (12 * h**2)
    return Tilt(at, slope, np.maximum(variance, 0.0))


def planted_posterior(energies: Energies, radii: Array, r: float, log_n: float, tilt: Tilt) -> Planted:
    """The averages above at nodes x of the given `radii` (n, g), for N = e^log_n > 1 points."""
    divergence = tilt.divergence
    width = 1.5 / math.sqrt(max(float(np.median(tilt.variance)), 9.0))  # so near the saddle no digits are lost
    above, height = contours_beyond_the_mean(energies, radii, r, log_n, tilt.log_partition, width)
    contours = np.where(divergence > log_n, 1 - width, above)
    spread = math.sqrt(float(tilt.variance.max()))
    gap, entropy, retrieval = (np.empty(len(radii)) for _ in range(3))
    for c in np.unique(contours):
        group = contours == c
        top = 25 + 7 * spread
        if c > 1:  # the others outweigh the point itself: they survive little beyond their mean
            top = min(top, max(6.0, (27 + max(0.0, -float(height[group].max()))) / c))
        contour = Contour(float(c), _STEP, top, reach=60 + 14 * spread)
        rows = max(1, _ROWS // contour.size)
        index = np.flatnonzero(group)
        for at in (index[i : i + rows] for i in range(0, len(index), rows)):
            part = Tilt(*(column[at] for column in tilt))
            if c < 1:
                entropy[at], retrieval[at] = _condensed(energies, radii[at], r, log_n, contour, part)
                gap[at] = entropy[at] - log_n + divergence[at]
            else:
                gap[at], retrieval[at] = _spread(energies, radii[at], r, log_n, contour, part)
                entropy[at] = gap[at] + log_n - divergence[at]
    return Planted(retrieval, entropy, gap)


def _condensed(
    energies: Energies, radii: Array, r: float, log_n: float, contour: Contour, tilt: Tilt
) -> tuple[Array, Array]:
    """E[-ln w_1 | x] and E[w_1 | x] around the energy σ_x = -Λ' of the point itself."""
    log_count = log_n + np.log1p(-np.exp(-log_n))
    origin, k = -tilt.slope, contour.k
    spectrum = contour.spectrum(
        energies, radii, r, (k - 1) * origin[:, None] - tilt.log_partition[:, None]
    )  # of L/(s E z)
    expected = contour.line(spectrum) * np.exp(log_count + origin + tilt.log_partition)[:, None]
    posterior = contour.line(spectrum * k, 1)
    decay = -contour.line(spectrum * (k * (k - 1)), 1)
    expected = np.clip(expected, 0.0, np.exp(min(log_count, 700.0)))
    failure = -np.expm1(survival_exponent(expected, log_count) - expected)  # 1 - S
    entropy = contour.step * np.sum(posterior * failure, axis=1)
    return entropy, 1 - contour.step * np.sum(decay * failure, axis=1)


def _spread(
    energies: Energies, radii: Array, r: float, log_n: float, contour: Contour, tilt: Tilt
) -> tuple[Array, Array]:
    """E[ln Z/(N E z) | x] and E[w_1 | x] around 1/s = N E z, from what is left beyond the pole at k = 1."""
    one_in_n, s = np.exp(-log_n), np.exp(contour.tau)
    exponent, missing, decay = beyond_the_mean(energies, radii, r, log_n, tilt.log_partition, contour, 1 - one_in_n)
    exponent = exponent + s * one_in_n  # ln S + s
    survival = np.exp(exponent - s)
    difference = np.where(exponent < 1, -np.exp(-s) * np.expm1(np.minimum(exponent, 1.0)), np.exp(-s) - survival)
    gap = contour.step * np.sum(difference + missing * survival, axis=1)
    return gap, contour.step * np.sum(decay * survival, axis=1)
