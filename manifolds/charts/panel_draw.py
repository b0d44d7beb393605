"""Draws of the tilted law at a point: a panel of the ladder by its mass, then a point of it by rejection."""

from collections.abc import Callable

import numpy as np

from ...conventions.arguments import Array
from .panel_ladder import Indices, PanelLadder

_CEILING = 3.0  # over the largest density on the nodes of a panel: in the tails it doubles beyond the last node


def panel_draw(
    ladder: PanelLadder,
    mass: Callable[[Array], Array],
    x: Array,
    r: float,
    log_volume: float,
    rng: np.random.Generator,
) -> Array:
    """Parameters u (n, d) of one draw at each point x (n, k); ladder and its `mass` u → (n,) as in `PanelLadder`.

    Exact but for the masses of the panels, by Gauss–Legendre nodes: 1e-7 of the law with the ladder of the averages.
    ValueError where the density triples beyond the nodes of a panel (never where they resolve it).
    """
    row, y, nodes, nearest, panels = ladder.leaves(x, r, log_volume)
    assert panels is not None
    origin = nearest[row]

    def exponent(y: Array, panel: slice | Indices) -> Array:
        """-|x-y|²/2r relative to the origin, for y (p, m, k) or (p, k) of the given panels: no digits lost."""
        moved, field = y - _like(origin[panel], y), 2 * _like(x[row[panel]] - origin[panel], y)
        return np.einsum("...k,...k->...", moved, field - moved) / (2 * r)

    log_factor = exponent(y, slice(None))
    starts = np.searchsorted(row, np.arange(len(x)))
    top = np.maximum.reduceat(log_factor.max(axis=1), starts)[row]
    factor = np.exp(log_factor - top[:, None])
    _, weight = panels.nodes(ladder.accuracy.order)
    ceiling = _CEILING * (factor * (nodes / weight)).max(axis=1)
    chosen = _choice((factor * nodes).sum(axis=1), starts, rng)
    u, left = np.empty((len(x), panels.middle.shape[1])), np.arange(len(x))
    while len(left):
        panel = chosen[left]
        trial = panels.middle[panel] + panels.half[panel] * rng.uniform(-1, 1, (len(left), u.shape[1]))
        density = mass(trial) * np.exp(exponent(ladder.points(trial), panel) - top[panel])
        if np.any(density > ceiling[panel]):
            raise ValueError("chart, density: triple between the nodes of the cubature, too steeply to sample")
        good = rng.uniform(size=len(left)) * ceiling[panel] < density
        u[left[good]] = trial[good]
        left = left[~good]
    return u


def _like(vectors: Array, y: Array) -> Array:
    return vectors[:, None] if y.ndim == 3 else vectors


def _choice(weight: Array, starts: Indices, rng: np.random.Generator) -> Indices:
    """One of the panels starts[i] … starts[i+1] - 1 for each i, with probability ∝ `weight` (p,)."""
    before = np.concatenate([[0.0], np.cumsum(weight)])
    ends = np.append(starts[1:], len(weight))
    target = before[starts] + rng.uniform(size=len(starts)) * (before[ends] - before[starts])
    return np.clip(np.searchsorted(before, target, side="right") - 1, starts, ends - 1)
