"""Exact averages at finite N: the transition has a width, and here it is, without storing a data set.

For N - 1 other points drawn independently from ν, given the noisy point x with own energy ε_1 = |x-y^1|²/2r,
the ratio Z = Z_rest/Z_1 = Σ_μ z_μ is a sum of independent terms z = exp(ε_1 - ε), so that

    E e^{-sZ} = (1 - L(s))^{N-1},     L(s) = 1 - E e^{-sz} = -(1/2πi) ∫_{c-i∞}^{c+i∞} Γ(-k) s^k E z^k dk,  0 < c < 1

(Cahen–Mellin), and E z^k is the tilted partition function e^{kε_1} E exp(-k ε), known in closed form at
complex k. The contour runs through the saddle point of N s^c E z^c ≈ 1, which for a condensed x is the freezing
point c < 1 of the random-energy model; for c > 1 (no condensation) the residue s E z of the pole at k = 1 is
added. No digits are lost at any N, ln N = 1000 included. Then, with s = e^σ and any reference Z = e^{-σ_x},

    E 1/(1+Z)  = 1/(1+e^{-σ_x})     + ∫ dσ e^{σ-e^σ} [E e^{-sZ} - e^{-s e^{-σ_x}}]
    E ln(1+Z)  = ln(1+e^{-σ_x})     + ∫ dσ e^{-e^σ}  [e^{-s e^{-σ_x}} - E e^{-sZ}]
    E ln Z     = -σ_x               + ∫ dσ           [e^{-s e^{-σ_x}} - E e^{-sZ}],

and the average over x is a randomised Sobol sum of 2^11 nodes over the few radii on which E z^k depends. Its error
is the only one above 1e-9: about 2e-4 in E 1/(1+Z) and 1e-3 nats in E ln(1+Z) (spread over scrambles at d = 4 … 64),
up to a percent of E ln Z at d ≤ 3, with fixed nodes, so that results are smooth in r and N.
Derived; theory notes §5, docs/theory.md.
Works for every law that offers `EnergyLaw`; others raise ValueError.
"""

import math
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, loggamma

from theory.generalization import generalization as leading_order
from theory.roots import first_crossing
from theory.validation import Array, fail, nonnegative_scalar, positive_scalar

Complex = NDArray[np.complex128]
_LOG2_NODES = 11
_STEP = 0.125  # in σ, where the integrand is analytic for |Im σ| < π/2
_TOP = 15.0  # end of the window in σ, in units of 1/c: the others' survival is over, rounding e^15 is harmless
_PERIODS = 33.0  # window in σ times distance of the poles: aliasing errs by e^-33
_GRID = np.concatenate([np.geomspace(1e-12, 0.06, 160)[:-1], np.geomspace(0.06, 0.9, 60), np.linspace(0.91, 1.0, 10)])
_FROZEN = 159  # index of the tilt 0.06 in the grid of tilts c searched for the saddle


@runtime_checkable
class EnergyLaw(Protocol):
    """A law whose squared distances |x-y|², y ~ ν, have a known moment-generating function given x."""

    def planted_radii(self, noise: float, log2_nodes: int) -> tuple[Array, Array]:
        """Nodes of x = y + √s ξ: |x-y|² in the span (n,), and what the law at x depends on (n, g)."""
        ...

    def log_energy_moment(self, radii: Array, r: float, k: Complex) -> Complex:
        """ln E_y exp(-k|x-y|²/2r) for k (m,), shape (n, m)."""
        ...


class _Averages(NamedTuple):
    retrieval: float
    excess_entropy: float
    log_ratio: float


def retrieval(law: EnergyLaw, log_n: float, r: float) -> float:
    """E w_1 at x = y^1 + √r ξ: the mean posterior weight of the point that was noised; from 1/N to 1.

    `log_n` = ln N ≥ 0, `r` > 0 scalars. ValueError otherwise, or for a law without a closed energy law.
    """
    return _averages(law, log_n, r, r).retrieval


def participation(law: EnergyLaw, log_n: float, r: float) -> float:
    """E Σ_μ w_μ² over x ~ the noisy empirical law: equal to `retrieval` by the Nishimori identity E Y = E w_1."""
    return retrieval(law, log_n, r)


def excess_entropy(law: EnergyLaw, log_n: float, r: float) -> float:
    """E ln(1 + Z_rest/Z_1) in nats at x = y^1 + √r ξ = -E ln w_1; arXiv 2402.18491 gives max(0, ln N - I)."""
    return _averages(law, log_n, r, r).excess_entropy


def log_ratio(law: EnergyLaw, log_n: float, r: float, noise: float) -> float:
    """E ln(Z_rest/Z_1) in nats at x = y^1 + √s ξ, s = `noise` ≥ 0: the landscape around a training point."""
    return _averages(law, log_n, r, noise).log_ratio


def held_out_log_partition(law: EnergyLaw, log_n: float, r: float) -> float:
    """E ln Σ_μ exp(-|x-y^μ|²/2r) over a fresh clean point x ~ ν and N training points, in nats.

    -E ln p_emp,r(x) = ln N + (D/2) ln 2πr minus this (x in the span of the law).
    """
    log_n, r = _checked(law, log_n, r)
    _, radii = law.planted_radii(0.0, _LOG2_NODES)
    return _laplace(law, np.zeros(len(radii)), radii, r, log_n).log_ratio


def onset(law: EnergyLaw, *, log_n: float) -> float:
    """Largest r at which E ln Z_1 ≥ E ln Z_rest at the training point itself, exactly at finite N."""
    positive_scalar(_checked(law, log_n, 1.0)[0], "log_n")
    return first_crossing(
        lambda r: -log_ratio(law, log_n, r, 0.0),
        0.0,
        quantity="the mean of ln Z_1/Z_rest",
        given=("log_n", log_n),
        widest_step=0.5,
    )


def basin_radius(law: EnergyLaw, r: float, *, log_n: float) -> float:
    """ρ* with E ln Z_1 = E ln Z_rest at x = y^1 + √(ρ* r) ξ, exactly at finite N; 0 where there is no basin."""
    log_n, r = _checked(law, log_n, r)
    positive_scalar(log_n, "log_n")

    def excess(rho: float) -> float:
        return -log_ratio(law, log_n, r, rho * r)

    if excess(0.0) <= 0:
        return 0.0
    outside = 1.0
    while excess(outside) > 0:
        outside *= 2
    return float(brentq(excess, 0.0, outside, rtol=1e-8))


def generalization(law: EnergyLaw, *, log_n: float) -> float:
    """r_g, the minimum of KL(ν ‖ p_emp,r), exactly at finite N (arXiv 2502.09578 gives the leading order).

    `law` needs `ambient_dim`; where D exceeds the dimension of the data the minimum moves to smaller r.
    """
    _checked(law, log_n, 1.0)
    ambient_dim: int = law.ambient_dim  # type: ignore[attr-defined]

    def divergence(log_r: float) -> float:
        return 0.5 * ambient_dim * log_r - held_out_log_partition(law, log_n, float(np.exp(log_r)))

    guess = np.log(leading_order(law, log_n=log_n))  # type: ignore[arg-type]
    found = minimize_scalar(divergence, bounds=(guess - 3, guess + 3), method="bounded", options={"xatol": 1e-6})
    if abs(found.x - guess) > 2.99:
        raise fail("log_n", log_n, f"no minimum of KL(ν ‖ p_emp) within a factor 20 of r = {np.exp(guess):g}")
    return float(np.exp(found.x))


def _checked(law: object, log_n: float, r: float) -> tuple[float, float]:
    if not isinstance(law, EnergyLaw):
        raise fail("law", law, "finite_size needs a law whose energies have a closed law (so far: Linear and Sphere)")
    return nonnegative_scalar(log_n, "log_n"), positive_scalar(r, "r")


def _averages(law: EnergyLaw, log_n: float, r: float, noise: float) -> _Averages:
    log_n, r = _checked(law, log_n, r)
    own, radii = law.planted_radii(nonnegative_scalar(noise, "noise"), _LOG2_NODES)
    if log_n < 1e-12:
        return _Averages(1.0, 0.0, -np.inf)  # N = 1: nothing to confuse it with
    return _laplace(law, own / (2 * r), radii, r, log_n + np.log1p(-np.exp(-log_n)))


def _laplace(law: EnergyLaw, own_energy: Array, radii: Array, r: float, log_count: float) -> _Averages:
    """Averages over nodes x of the three integrals above, for e^log_count other points."""
    log_moment = law.log_energy_moment(radii, r, _GRID.astype(np.complex128)).real + own_energy[:, None] * _GRID
    # σ at which N s^c E z^c = 1; with fewer than e others the lowest energy is a typical one, not a saddle
    centres = -(max(log_count, 1.0) + log_moment) / _GRID
    rows = np.arange(len(centres))
    h = _GRID[-1] - _GRID[-3]  # V, the variance of the others' energies at c = 1
    spread = float(np.median(log_moment[:, -1] - 2 * log_moment[:, -3] + log_moment[:, -5]) / h**2)
    saddle = centres.argmax(axis=1)
    integrals = np.empty((len(radii), 3))
    # deep in the frozen phase (c < 0.06) the weights sit at σ = 0, far from the saddle, and see nothing below
    # c = 0.06; only E ln Z = -E min ε + … needs the saddle itself, on its own coarse scale 1/c
    for columns, index in ((slice(0, 2), np.maximum(saddle, _FROZEN)), (slice(2, 3), saddle)):
        sigma = centres[rows, index]
        contours = _contours(_GRID[index], spread)
        for c in np.unique(contours):
            at = contours == c
            scale = max(1.0, 0.06 / c) if columns.start == 2 else 1.0
            # in few dimensions the others' survival ends far above the saddle: a lower contour reaches further
            line = min(c, 1.0) / 4 if columns.start == 2 and spread < 3 else c
            values = _group_integrals(law, own_energy[at], radii[at], r, log_count, sigma[at], float(line), scale)
            reference = [expit(sigma[at]), np.logaddexp(0, -sigma[at]), (scale - 1) * np.euler_gamma - sigma[at]]
            integrals[at, columns] = (values + np.stack(reference, axis=1))[:, columns]
    return _Averages(*(float(mean) for mean in integrals.mean(axis=0)))


def _contours(tilt: Array, spread: float) -> Array:
    """Real part of the contour near each saddle: shared by nodes with close saddles, and off the pole at 1.

    ln N s^c E z^c is a parabola of curvature V around the saddle, so a contour further than 1/√V from it would
    cancel digits; V = `spread` is the variance of the other points' energies at c = 1.
    """
    width = 1.5 / np.sqrt(max(spread, 1.0))
    gap = min(max(width, 0.005), 0.15)
    spacing = np.log1p(min(max(2 * width, 0.01), 0.2))
    below = np.minimum(tilt, 1 - gap) / (1 - gap)
    return np.where(tilt > 1 - gap / 2, 1 + gap, (1 - gap) * np.exp(spacing * np.round(np.log(below) / spacing)))


def _group_integrals(
    law: EnergyLaw, own_energy: Array, radii: Array, r: float, log_count: float, sigma: Array, c: float, scale: float
) -> Array:
    """The three correction integrals for nodes that share the contour Re k = c, shape (n, 3).

    `scale` ≥ 1 stretches the grid and the reference, e^{-e^{τ/scale}}; beyond 1 only the third is meaningful.
    """
    step = _STEP * scale
    poles = min(c, abs(1 - c), abs(2 - c))  # distance of the contour from the poles of Γ(-k)
    n = next_fast_len(math.ceil((_PERIODS + _TOP) / poles / step), real=True)
    tau = np.asarray(_TOP / c + 5 * scale - step * np.arange(n - 1, -1, -1), dtype=np.float64)
    y = 2 * np.pi / (n * step) * np.arange(n // 2)  # up to π/step: 25, where Γ has decayed, or 420 c
    k = np.asarray(c + 1j * y, dtype=np.complex128)
    kernel = np.asarray(loggamma(-k) + log_count + 1j * y * tau[0], dtype=np.complex128)
    rows = max(1, 2**21 // n)
    return np.concatenate(
        [
            _corrections(
                sigma[at],
                tau,
                _expected(law, own_energy[at] + sigma[at], radii[at], r, k, kernel, tau),
                log_count,
                scale,
            )
            for at in (slice(i, i + rows) for i in range(0, len(sigma), rows))
        ]
    )


def _expected(law: EnergyLaw, shift: Array, radii: Array, r: float, k: Complex, kernel: Complex, tau: Array) -> Array:
    """(N-1) L(e^{σ_x + τ}), shape (n, len(tau)): the contour integral, a Fourier sum in Im k."""
    c, n = float(k[0].real), len(tau)
    terms = np.exp(law.log_energy_moment(radii, r, k) + shift[:, None] * k + kernel)
    line = irfft(terms, n, axis=1) * (-np.exp(c * tau) / (tau[1] - tau[0]))
    if c > 1:
        one = law.log_energy_moment(radii, r, np.ones(1, dtype=np.complex128)).real + shift[:, None] + kernel[0].real
        line += np.exp(np.minimum(one - loggamma(-k[0]).real + tau, 700.0))
    return np.maximum(line, 0.0)


def _corrections(sigma: Array, tau: Array, expected: Array, log_count: float, scale: float) -> Array:
    """∫ of reference minus exact, with the three weights, shape (n, 3)."""
    fraction = np.minimum(expected * np.exp(-log_count), 1.0)  # L
    with np.errstate(divide="ignore"):
        log_survival = np.where(fraction > 1e-9, np.log1p(-fraction) * np.exp(min(log_count, 700.0)), -expected)
    difference = np.exp(-np.exp(np.minimum(tau / scale, 50.0))) - np.exp(log_survival)
    s = np.exp(np.minimum(sigma[:, None] + tau, 50.0))
    damped = np.exp(-s) * difference
    step = tau[1] - tau[0]
    return step * np.stack([-(s * damped).sum(axis=1), damped.sum(axis=1), difference.sum(axis=1)], axis=1)
