"""Panels: a box in the space of parameters cut up until Gauss–Legendre rules resolve an integrand."""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import Array

_ROUNDING = 16 * np.finfo(np.float64).eps  # of the total: what the sum over one panel, a part of it, may be wrong by
_MOST_NODES, _AT_ONCE = 2**21, 2**18


class Panels(NamedTuple):
    """Boxes in the space of parameters: centres (m, d) and half-widths (m, d)."""

    middle: Array
    half: Array

    def split(self) -> "Panels":
        """Each in 2^d, one after the other."""
        signs = np.array(list(product((-0.5, 0.5), repeat=self.middle.shape[1])))
        middle = self.middle[:, None] + signs * self.half[:, None]
        half = np.repeat(self.half / 2, len(signs), axis=0)
        return Panels(middle.reshape(half.shape), half)

    def halve(self, axis: NDArray[np.int64]) -> "Panels":
        """Each in two along the given parameter (m,): all the lower halves, then all the upper ones."""
        part = np.arange(self.middle.shape[1]) == axis[:, None]
        half = np.where(part, self.half / 2, self.half)
        shift = np.where(part, half, 0.0)
        return Panels(np.vstack([self.middle - shift, self.middle + shift]), np.vstack([half, half]))

    def at(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Panels":
        """Those of the given rows."""
        return Panels(self.middle[rows], self.half[rows])

    def nodes(self, order: int) -> tuple[Array, Array]:
        """Gauss–Legendre nodes (m, order^d, d) and weights (m, order^d)."""
        abscissa, weight = np.polynomial.legendre.leggauss(order)
        dim = self.middle.shape[1]
        grid = np.stack(np.meshgrid(*[abscissa] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
        weights = np.prod(np.stack(np.meshgrid(*[weight] * dim, indexing="ij"), axis=-1).reshape(-1, dim), axis=1)
        return self.middle[:, None] + self.half[:, None] * grid, np.prod(self.half, axis=1)[:, None] * weights


def resolved_panels(box: Array, integrand: Callable[[Array], Array], order: int, tolerance: float) -> Panels:
    """Panels on which the rule of `order` integrates `integrand` (u (n, d) → (n, g, c)) to `tolerance` of its total.

    Splits where the rule on a panel and on its parts differ, by more than rounding of the largest of the c integrals
    in the same units. ValueError beyond 2^21 nodes: not smooth enough.
    """
    width = np.diff(box)[:, 0]
    pending = Panels(box.mean(axis=1)[None], width[None] / 2)
    for _ in range(2):
        pending = pending.split()
    done: list[Panels] = []
    coarse = _integrals(pending, integrand, order)
    scale = np.maximum(np.abs(coarse).sum(axis=0), 1e-300)
    allowed = tolerance * scale + _ROUNDING * scale.max(axis=1, keepdims=True)
    while len(pending.middle):
        parts = pending.split()
        fine = _integrals(parts, integrand, order)
        change = np.abs(fine.reshape(len(pending.middle), -1, *scale.shape).sum(axis=1) - coarse)
        good = np.all(change <= allowed, axis=(1, 2))
        done.append(pending.at(good))
        again = np.repeat(~good, 2 ** box.shape[0])
        pending, coarse = parts.at(again), fine[again]
        if (sum(len(p.middle) for p in done) + len(pending.middle)) * order ** box.shape[0] > _MOST_NODES:
            raise ValueError("chart, density: must be smooth (2^21 Gauss–Legendre nodes do not resolve them)")
    return Panels(np.concatenate([p.middle for p in done]), np.concatenate([p.half for p in done]))


def _integrals(panels: Panels, integrand: Callable[[Array], Array], order: int) -> Array:
    """Integrals over each panel (m, g, c), some panels at a time."""
    at_once = max(1, _AT_ONCE // order ** panels.middle.shape[1])
    found = []
    for start in range(0, len(panels.middle), at_once):
        u, weight = panels.at(np.arange(start, min(start + at_once, len(panels.middle)))).nodes(order)
        values = integrand(u.reshape(-1, u.shape[-1]))
        found.append(np.einsum("mn,mngc->mgc", weight, values.reshape(*weight.shape, *values.shape[1:])))
    return np.concatenate(found)
