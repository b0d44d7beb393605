"""The law of the energies in a mixture of Gaussians of one spread: the span of the centres and radii off it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ...conventions.arguments import Array
from ...theory.integrals.radial_nodes import squared_lengths
from ..value import Value

Complex = NDArray[np.complex128]


class _Group(NamedTuple):
    """Directions of one variance."""

    variance: float
    centres: Array  # (K, q), in the q directions in which they differ
    across: float  # number of the others, if data vary there


class ClassEnergies(Value):
    """The energies of Σ_k w_k N(c_k, Σ): `weights` (K,), `variances` (k,) of the directions with data, centres
    `inside` (K, k) in these directions and `outside` (K, D) off them.

    In each group of equal variance a point is given by its coordinates in the span of the centres and by its radius
    across, in which all classes are alike.
    """

    energy_dim: int  # the span of one class and the directions off it in which centres differ
    radial_dim: int  # the class, coordinates in the span of the centres, radii across

    def __init__(self, weights: Array, variances: Array, inside: Array, outside: Array):
        self._set(weights=weights, variances=variances, inside=inside, outside=outside)
        groups = [_group(value, inside[:, variances == value], True) for value in np.unique(variances)]
        everywhere = [*groups, _group(0.0, outside, False)]
        along = np.concatenate([np.full(g.centres.shape[1], g.variance) for g in everywhere])
        across = np.array([[g.variance, g.across] for g in everywhere if g.across]).reshape(-1, 2)
        log_volume = np.array([[g.variance, g.across + g.centres.shape[1]] for g in groups])
        self._set(_along=along, _across=across, _log_volume=log_volume)
        self._set(_centres=np.hstack([g.centres for g in everywhere]))
        label = int(len(weights) > 1)  # a normal number decides on the class
        numbers = label + along.size + len(across)
        self._set(_label=label, energy_dim=variances.size + everywhere[-1].centres.shape[1])
        self._set(radial_dim=max(numbers, 3 * label))  # labels jump: not for the grids of one or two numbers

    weights: Array
    _label: int
    _along: Array
    _across: Array
    _log_volume: Array
    _centres: Array

    def noisy_radii(self, noise: float, scores: Array) -> Array:
        """Coordinates in the span of the centres and squared radii across them (n, g) of x = y + √s ξ."""
        labels = np.searchsorted(np.cumsum(self.weights)[:-1], ndtr(scores[:, 0]), side="right")
        middle, end = self._label + self._along.size, self._label + self._along.size + len(self._across)
        along = self._centres[labels] + np.sqrt(self._along + noise) * scores[:, self._label : middle]
        variances, counts = self._across.T
        return np.hstack([along, (variances + noise) * squared_lengths(counts, scores[:, middle:end])])

    def log_energy_moment(self, radii: Array, r: float, k: Complex) -> Complex:
        """ln Σ_c w_c E_{y in c} exp(-k|x-y|²/2r), shape (n, m): the sum over classes relative to the largest."""
        variances, counts = self._log_volume.T
        across = radii[:, self._along.size :] @ _factor(self._across[:, 0], r, k)
        classes = []
        for weight, centre in zip(self.weights, self._centres, strict=True):
            squares = (radii[:, : self._along.size] - centre) ** 2
            classes.append(np.log(weight) - squares @ _factor(self._along, r, k))
        top = np.maximum.reduce([c.real for c in classes])
        total = np.zeros_like(classes[0])
        for c in classes:
            total += np.exp(c - top)
        with np.errstate(divide="ignore"):  # complex factors may cancel to nothing
            return np.log(total) + top - across - 0.5 * (counts @ np.log(1 + k * (variances[:, None] / r)))


def _factor(variances: Array, r: float, k: Complex) -> Complex:
    """k/(2r (1 + kλ/r)), shape (g, m): what multiplies a squared coordinate."""
    return (k / (2 * r)) / (1 + k * (variances[:, None] / r))


def _group(variance: float, centres: Array, with_data: bool) -> _Group:
    offsets = centres - centres[0]
    _, singular, basis = np.linalg.svd(offsets, full_matrices=False)
    rank = int(np.sum(singular > 1e-13 * max(float(singular.max(initial=0.0)), 1e-300)))
    across = float(centres.shape[1] - rank) if with_data else 0.0
    return _Group(variance, offsets @ basis[:rank].T, across)
