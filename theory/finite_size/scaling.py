"""Scaling forms of the transition: one curve for all N and D, once ln N - I(r) is measured in widths √V.

The information density i(y;x) = -|x-y|²/2r - φ(x, r) has mean I(r) and variance V(r) = V_x + V_y: the variance of its
mean K(x, r) given x, and the mean of its variance in the posterior given x. With Gaussian energies and
D = ln N - I, z and z' standard normal,

    leading:       E w_1 ≈ Φ(-D/√V),                    E ln(1+Z) ≈ √V [φ(D/√V) + (D/√V) Φ(D/√V)]
    annealed:      E w_1 ≈ E expit(-D - √V z),          E ln(1+Z) ≈ E softplus(D + √V z)
    random energy: E w_1 ≈ E R(D + √V_x z, V_y),        E ln(1+Z) ≈ E H(D + √V_x z, V_y).

The annealed form replaces the others' partition function at x by its mean; but at its freezing point it is typically
half of that. R and H are the exact averages of the random-energy model (`planted_posterior` with Gaussian
energies): B(σ) = E exp(-e^{σ+√V_y z'}), S(σ) = exp(-∫_{-∞}^σ e^{D+τ} B(τ) dτ),

    R = -∫ B' S dσ,     H = ∫ B (1 - S) dσ.

Errors against the exact averages: docs/finite_size.md §4. Derived there; docs/theory.md §5.1.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import cumulative_simpson
from scipy.interpolate import CubicSpline
from scipy.special import ndtr

from ...conventions.arguments import Array, nonnegative, nonnegative_scalar, numbers, positive_scalar
from ...conventions.law import Law
from .node_average import noisy_points
from .planted_posterior import posterior_energy

_Z = np.linspace(-8.0, 8.0, 641)
_NORMAL = np.exp(-0.5 * _Z**2) / np.exp(-0.5 * _Z**2).sum()
_STEP = 0.1  # in σ: integrands are analytic for |Im σ| < π/2


class InformationVariance(NamedTuple):
    """Variance of the information density i(y;x), nats²."""

    between: float  # V_x, of its mean K(x, r) over x ~ p_r
    within: float  # V_y, in the posterior at x, averaged over x

    @property
    def total(self) -> float:
        """V(r) = V_x + V_y; d(r) for a linear manifold."""
        return self.between + self.within


class Scaling(NamedTuple):
    """Arrays of the shape of the distance ln N - I."""

    retrieval: Array
    excess_entropy: Array


def information_variance(law: Law, r: float) -> InformationVariance:
    """V(r) of a law with `energies`, from their cumulants; linear manifold: V = Σ λ/(λ+r) = d(r).

    V_x = ½ Σ λ²/(λ+r)² there. A sum over the factors of a product. Relative error 1e-6 where x takes one or two
    numbers, otherwise about 1e-3. `r` > 0, one number; ValueError otherwise, and for a law without closed energies.
    """
    energies, r = law.energies(), positive_scalar(r, "r")
    at = noisy_points(energies, r)
    tilt = posterior_energy(energies, at.radii, r)
    mean = at.weights @ tilt.divergence
    return InformationVariance(float(at.weights @ (tilt.divergence - mean) ** 2), float(at.weights @ tilt.variance))


def leading_form(distance: ArrayLike, variance: float) -> Scaling:
    """Leading order in √V = `variance`^½ at D = `distance` = ln N - I(r), shape of `distance`."""
    d, width = numbers(distance, "distance"), np.sqrt(positive_scalar(variance, "variance"))
    u = d / width
    return Scaling(ndtr(-u), width * np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi) + d * ndtr(u))


def annealed_form(distance: ArrayLike, variance: ArrayLike) -> Scaling:
    """E expit(-D - √V z) and E softplus(D + √V z), z ~ N(0, 1); D and `variance` V ≥ 0 broadcast.

    Trapezoid rule in z, as fine as 1/√V asks for.
    """
    d, width = numbers(distance, "distance"), np.sqrt(nonnegative(variance, "variance"))
    z = np.arange(-8.0, 8.1, min(0.2, 1 / max(float(width.max()), 1e-300)))
    weight = np.exp(-0.5 * z**2)
    retrieval, entropy = np.zeros((2, *np.broadcast_shapes(d.shape, width.shape)))
    for node, share in zip(z, weight / weight.sum(), strict=True):  # node by node: planes of (ln N, r) are large
        softplus = np.logaddexp(0.0, d + width * node)
        retrieval += share * np.exp(-softplus)
        entropy += share * softplus
    return Scaling(retrieval[()], entropy[()])


def random_energy_form(distance: ArrayLike, variance: InformationVariance) -> Scaling:
    """E R(D + √V_x z, V_y) and E H(D + √V_x z, V_y), z ~ N(0, 1), shape of `distance`.

    The finite-size scaling of the random-energy model. Its remaining error comes from the skewness of the energies.
    """
    d = numbers(distance, "distance")
    within = positive_scalar(variance.within, "variance.within")
    width = np.sqrt(nonnegative_scalar(variance.between, "variance.between"))
    # R and H are smooth on the scale of one nat: a table in u, and beyond it their limits
    reach = 30 + 8 * np.sqrt(within)
    u = np.arange(-reach, reach + 0.25, 0.25)
    table = _random_energy(u, within)
    shifted = d[..., None] + width * _Z
    inside = np.clip(shifted, u[0], u[-1])
    retrieval, entropy = (CubicSpline(u, values)(inside) for values in table)
    return Scaling(retrieval @ _NORMAL, (entropy + np.maximum(shifted - u[-1], 0.0)) @ _NORMAL)


def _random_energy(u: Array, within: float) -> tuple[Array, Array]:
    """R(u, V_y) and H(u, V_y), shape of `u` (m,)."""
    reach = 8 * np.sqrt(within) + 35
    sigma = np.arange(-reach - max(u[-1], 0.0), reach + 25, _STEP)
    scaled = np.minimum(sigma[:, None] + np.sqrt(within) * _Z, 50.0)
    decay = np.exp(-np.exp(scaled))
    posterior, slope = decay @ _NORMAL, -(decay * np.exp(scaled)) @ _NORMAL  # B and B'
    shift = sigma[-1]  # so that e^σ does not overflow
    others = np.log(np.maximum(cumulative_simpson(np.exp(sigma - shift) * posterior, dx=_STEP, initial=0.0), 1e-300))
    failure = -np.expm1(-np.exp(np.minimum(u[:, None] + shift + others, 50.0)))  # 1 - S
    return 1 + (failure @ slope) * _STEP, (failure @ posterior) * _STEP
