"""Laplace transforms of Boltzmann factors on the Cahen–Mellin contour: no digits are lost at any N.

For z = exp(-|x-y|²/2r), y ~ ν, and Λ(k) = ln E z^k (`Energies.log_energy_moment`),

    L(s) = 1 - E e^{-sz} = -(1/2πi) ∫_{c-i∞}^{c+i∞} Γ(-k) s^k E z^k dk,   0 < c < 1,

and for c beyond 1 (and 2) the residues s E z (and -s² E z²/2) of the poles at k = 1 (and 2) are added. On a grid of
σ = ln s the contour is a Fourier sum. Derived; docs/theory.md §5.2, §5.3.
"""

import math

import numpy as np
from scipy.fft import irfft, next_fast_len
from scipy.special import loggamma

from ...conventions.arguments import Array
from ...conventions.law import Complex, Energies

_FAR = 2.5  # the last contour: beyond it the digits of a gap of order 1/N are safe at any N
_MOST_NODES = 2**22
_PERIODS = 48.0  # window in σ times distance of the poles: aliasing errs by e^-33 fifteen units below its top


class Contour:
    """The line Re k = c and the grid τ = σ - σ_x that it transforms to; σ_x is one origin for each node x.

    `step` and `top` are those of τ; the window extends below `top` by 48/(distance of c to the poles), at least
    by `reach`.
    """

    def __init__(self, c: float, step: float, top: float, reach: float = 0.0):
        self.c, self.step = c, step
        self.poles = math.floor(c)  # residues to be added
        distance = min(abs(c - pole) for pole in range(4))
        nodes = max(_PERIODS / distance, reach) / step
        if nodes > _MOST_NODES:
            raise ValueError(f"law: energies too widely spread for an exact average ({nodes:.1e} nodes of the contour)")
        self.size = next_fast_len(math.ceil(nodes), real=True)
        self.tau = np.asarray(top - step * np.arange(self.size - 1, -1, -1), dtype=np.float64)
        frequency = 2 * np.pi / (self.size * step) * np.arange(self.size // 2)  # up to π/step, where Γ has decayed
        self.k = np.asarray(c + 1j * frequency, dtype=np.complex128)
        self._kernel = np.asarray(loggamma(-self.k) + 1j * frequency * self.tau[0], dtype=np.complex128)

    def spectrum(self, energies: Energies, radii: Array, r: float, scale: Complex) -> Complex:
        """Γ(-k) E z^k e^{kσ_x} e^{scale} on the contour, the phase of τ_0 included; `scale` (n, m) or (n, 1)."""
        return np.exp(energies.log_energy_moment(radii, r, self.k) + scale + self._kernel)

    def line(self, spectrum: Complex, power: int = 0) -> Array:
        """-(1/2πi) ∫ spectrum e^{(k-power)τ} dk on the grid, shape (n, size)."""
        return irfft(spectrum, self.size, axis=1) * (-np.exp((self.c - power) * self.tau) / self.step)


def contours_beyond_the_mean(
    energies: Energies, radii: Array, r: float, log_n: float, log_partition: Array, width: float
) -> tuple[Array, Array]:
    """The line Re k = c > 1 on which N |s^k E z^k| is smallest at s = 1/(N E z), and its logarithm there, (n,) each.

    `width` is the distance to be kept from the pole at 1.
    """
    choices = 1 + width * 2.0 ** np.arange(10)
    choices = np.append(choices[choices < 1.85], _FAR)
    moments = energies.log_energy_moment(radii, r, choices.astype(np.complex128)).real
    height = log_n * (1 - choices) + moments - log_partition[:, None] * choices
    return choices[height.argmin(axis=1)], height.min(axis=1)


def beyond_the_mean(
    energies: Energies,
    radii: Array,
    r: float,
    log_n: float,
    log_partition: Array,
    contour: Contour,
    others: float = 1.0,
) -> tuple[Array, Array, Array]:
    """For s in units of 1/(N E z) and c > 1, shape (n, size) each: ln of E e^{-sZ} = (1-L)^{N·others} plus s·others;
    1 - B(s), B = E z e^{-sz}/E z; and -B'(σ), σ = ln s. All keep their digits where they are small.
    """
    origin, k, s = -log_n - log_partition, contour.k, np.exp(contour.tau)
    spectrum = contour.spectrum(energies, radii, r, log_n + k * origin[:, None])
    rest, slope, decay = contour.line(spectrum), contour.line(spectrum * k, 1), contour.line(spectrum * k * (k - 1), 1)
    if contour.poles == 2:
        two = energies.log_energy_moment(radii, r, np.array([2.0 + 0j])).real + log_n + 2 * origin[:, None]
        square = np.exp(two) * s
        rest, slope, decay = rest - square * s / 2, slope - square, decay - square
    rest = np.clip(rest, -s, 0.0)  # N L = s + rest
    exponent = survival_exponent((s + rest) * others, log_n + np.log(others)) - rest * others
    return exponent, np.clip(-slope, 0.0, 1.0), -decay


def survival_exponent(expected: Array, log_count: float) -> Array:
    """N [ln(1-L) + L] for `expected` = N L ≥ 0: what ln(1-L)^N adds to -N L; small where L is."""
    fraction = np.minimum(expected * np.exp(-log_count), 1.0)
    series = -expected * fraction * (1 / 2 + fraction * (1 / 3 + fraction / 4))
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = (np.log1p(-fraction) + fraction) * np.exp(min(log_count, 700.0))
    return np.where(fraction > 1e-4, exact, series)
