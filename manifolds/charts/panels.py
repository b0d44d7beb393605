"""Panels: a box in the space of parameters cut up until Gauss–Legendre rules resolve an integrand."""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import Array


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
    """Panels on which the rule of `order` integrates `integrand` (u (n, d) → (n, c)) to `tolerance` of its total.

    Splits where the rule on a panel and on its parts differ. ValueError after 2^17 panels: not smooth enough.
    """
    width = np.diff(box)[:, 0]
    pending = Panels(box.mean(axis=1)[None], width[None] / 2)
    for _ in range(2):
        pending = pending.split()
    done: list[Panels] = []
    coarse = _integrals(pending, integrand, order)
    scale = np.maximum(np.abs(coarse).sum(axis=0), 1e-300)
    while len(pending.middle):
        parts = pending.split()
        fine = _integrals(parts, integrand, order)
        change = np.abs(fine.reshape(len(pending.middle), -1, fine.shape[1]).sum(axis=1) - coarse)
        good = np.all(change <= tolerance * scale, axis=1)
        done.append(pending.at(good))
        again = np.repeat(~good, 2 ** box.shape[0])
        pending, coarse = parts.at(again), fine[again]
        if sum(len(p.middle) for p in done) + len(pending.middle) > 2**17:
            raise ValueError("chart, density: must be smooth (2^17 Gauss–Legendre panels do not resolve them)")
    return Panels(np.concatenate([p.middle for p in done]), np.concatenate([p.half for p in done]))


def _integrals(panels: Panels, integrand: Callable[[Array], Array], order: int) -> Array:
    u, weight = panels.nodes(order)
    values = integrand(u.reshape(-1, u.shape[-1])).reshape(*u.shape[:2], -1)
    return np.einsum("mn,mnc->mc", weight, values)
