"""Closed laws of the energies |x-y|²/2r, for theory.finite_size: Gaussian, on a sphere, and products of such laws."""

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..conventions.arguments import Array
from ..conventions.law import Complex, Energies
from ..theory.integrals.radial_nodes import squared_lengths
from ..theory.integrals.sphere import log_mean_exponential_cosine
from .value import Value


class LinearEnergies(Value):
    """Of a Gaussian law with the given `variances` (k,): only the radii within groups of equal variance matter."""

    variances: Array
    energy_dim: int  # k, the span
    radial_dim: int  # one radius for each group of equal variances

    def __init__(self, variances: Array):
        values, counts = np.unique(variances, return_counts=True)
        self._set(variances=variances, energy_dim=variances.size, radial_dim=values.size)
        self._set(_values=values, _counts=counts.astype(np.float64))

    _values: Array
    _counts: Array

    def noisy_radii(self, noise: float, scores: Array) -> Array:
        """|x_g|² over groups g of equal λ at x = y + √s ξ, (λ_g + s) χ², for normal scores (n, g)."""
        return (self._values + noise) * squared_lengths(self._counts, scores)

    def log_energy_moment(self, radii: Array, r: float, k: Complex) -> Complex:
        """ln E_y exp(-k|x-y|²/2r) at complex k, Re k > 0, for |x_g|² = `radii` (n, g) and k (m,) → (n, m)."""
        base = 1 + k[:, None] * (self._values / r)
        return -0.5 * np.log(base) @ self._counts - (radii / (2 * r)) @ (k[:, None] / base).T


class SphereEnergies(Value):
    """Of the uniform law on the sphere of `intrinsic_dim` d and `radius` R."""

    intrinsic_dim: int
    radius: float
    energy_dim: int  # n = d + 1
    radial_dim = 2  # the noise along y and the radius of the noise across

    def __init__(self, intrinsic_dim: int, radius: float):
        self._set(intrinsic_dim=intrinsic_dim, radius=radius, energy_dim=intrinsic_dim + 1)

    def noisy_radii(self, noise: float, scores: Array) -> Array:
        """|x| (n, 1) at x = y + √s ξ for normal scores (n, 2); one row if s = 0."""
        if noise == 0:
            return np.full((1, 1), self.radius)
        across = noise * squared_lengths(np.array([float(self.intrinsic_dim)]), scores[:, 1:])
        return np.sqrt((self.radius + math.sqrt(noise) * scores[:, :1]) ** 2 + across)

    def log_energy_moment(self, radii: Array, r: float, k: Complex) -> Complex:
        """ln E_y exp(-k|x-y|²/2r) at complex k, Re k > 0, for |x| = `radii` (n, 1) and k (m,) → (n, m)."""
        kappa = (self.radius / r) * radii * k
        return log_mean_exponential_cosine(self.energy_dim, kappa) - (radii - self.radius) ** 2 / (2 * r) * k


class ProductEnergies(Value):
    """Of independent `factors`: their energies add."""

    factors: tuple[Energies, ...]
    energy_dim: int
    radial_dim: int  # each factor has normal numbers of its own

    def __init__(self, factors: Sequence[Energies]):
        self._set(factors=tuple(factors), energy_dim=sum(factor.energy_dim for factor in factors))
        self._set(radial_dim=sum(factor.radial_dim for factor in factors))

    @cached_property
    def _radii_cuts(self) -> NDArray[np.int64]:
        nothing = [factor.noisy_radii(1.0, np.zeros((1, factor.radial_dim))) for factor in self.factors]
        return np.cumsum([radii.shape[1] for radii in nothing])[:-1]

    def noisy_radii(self, noise: float, scores: Array) -> Array:
        """The radii of the factors side by side at x = y + √s ξ; a factor with a single row repeats it."""
        cuts = np.cumsum([factor.radial_dim for factor in self.factors])[:-1]
        parts = [
            factor.noisy_radii(noise, part)
            for factor, part in zip(self.factors, np.split(scores, cuts, axis=1), strict=True)
        ]
        rows = max(map(len, parts))
        return np.hstack([np.broadcast_to(part, (rows, part.shape[1])) for part in parts])

    def log_energy_moment(self, radii: Array, r: float, k: Complex) -> Complex:
        """ln E_y exp(-k|x-y|²/2r), a sum over the factors, for `radii` (n, g) and complex k (m,) → (n, m)."""
        parts = zip(self.factors, np.split(radii, self._radii_cuts, axis=1), strict=True)
        return np.sum([factor.log_energy_moment(part, r, k) for factor, part in parts], axis=0)
