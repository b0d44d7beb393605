"""Integrals of exp(-|x-y|²/2r) over a law on a chart, however sharp: a ladder of ever finer panels.

A law on a chart is a sum over panels of the box of parameters, each with a tensor Gauss–Legendre rule. At a noisy
point x the Gaussian factor is sharper than the chart: panels are split until they are no wider than the peak, and
dropped where they provably do not count (a ball around each panel bounds the distance to x from below). The upper
rungs of the ladder are kept with their nodes; below them panels are split where x needs it.
"""

import math
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import Array
from .panels import Panels

Indices = NDArray[np.int64]
_MARGIN = 1.1  # ball around a panel, which is nearly flat: this times the distance to the farthest corner
_FLATTEST = 1.0  # nats: a panel over which the exponent changes by less is narrow enough, as around a focal point
_KEPT = 4096  # panels on the lowest rung that is kept
_MOST_NODES = 2**25  # at once, 4 GB; points that need more are refused


class Accuracy(NamedTuple):
    """What is traded against time."""

    order: int  # of the Gauss–Legendre rule
    tolerance: float  # relative, to which panels resolve the chart
    widest: float  # radius of a panel in standard deviations √r
    negligible: float  # nats below the leading panel at which others are dropped …
    total: bool  # … so that even the whole volume at that depth stays negligible


EXACT = Accuracy(16, 1e-13, 2.0, 38.0, True)
FAST = Accuracy(8, 1e-9, 3.0, 18.0, False)  # 1e-7, within averages over nodes that err by more


class Leaves(NamedTuple):
    """The nodes that count: p panels of m nodes, each for the point x in `row` (ascending)."""

    row: Indices  # (p,)
    y: Array  # (p, m, k)
    mass: Array  # (p, m)
    nearest: Array  # (n, k): for each point the closest panel centre
    panels: Panels | None = None  # the p panels, where there are any


class _Balls(NamedTuple):
    """Around the image of each of m panels."""

    centre: Array  # (m, k)
    reach: Array  # (m,), radius
    longest: Indices  # (m,), the parameter along which the panel is longest
    sides: Array  # (m, d, k), the vectors along the middle of the panel
    change: Array  # (m,), of |x-y|² over the panel


class _Rung(NamedTuple):
    """Panels of radius at most 2^scale, with their nodes."""

    scale: int
    panels: Panels
    balls: _Balls
    y: Array
    mass: Array


class PanelLadder:
    """`points` u (n, d) → y (n, k) and `mass` u → (n,), the normalised density with respect to du, on `panels`.

    `curvature` bounds the norm of the second fundamental form.
    """

    def __init__(
        self,
        panels: Panels,
        points: Callable[[Array], Array],
        mass: Callable[[Array], Array],
        curvature: float,
        accuracy: Accuracy,
    ):
        self.points, self.mass, self.curvature, self.accuracy = points, mass, curvature, accuracy
        self.dim = panels.middle.shape[1]
        self._rungs = [self._first(panels)]

    def leaves(self, x: Array, r: float, log_volume: float) -> Leaves:
        """The nodes that carry exp(-|x-y|²/2r) at points x (n, k); `log_volume` of the whole manifold.

        ValueError for points that see more than 2^25 nodes, as very near a focal point at tiny r.
        """
        nats = self.accuracy.negligible
        if self.accuracy.total:  # a Gaussian peak against the whole volume
            nats += max(log_volume - 0.5 * self.dim * math.log(2 * math.pi * r), 0.0)
        widest = self.accuracy.widest * math.sqrt(r)
        rung = self._suitable(widest)
        distance = _distances(x, rung.balls.centre)
        best = distance.argmin(axis=1)
        closest = distance[np.arange(len(x)), best]
        nearest = rung.balls.centre[best]
        lower = np.maximum(np.subtract(distance, rung.balls.reach, out=distance), 0.0, out=distance)
        # (lower - closest)(lower + closest) ≤ 2 r nats, first by one comparison of what may be
        row, panel = np.nonzero(lower <= 1.0001 * np.sqrt(closest**2 + 2 * r * nats)[:, None])
        kept = (lower[row, panel] - closest[row]) * (lower[row, panel] + closest[row]) <= 2 * r * nats
        row, panel = row[kept], panel[kept]
        if rung.balls.reach.max() <= widest:
            return Leaves(row, rung.y[panel], rung.mass[panel], nearest, rung.panels.at(panel))
        return self._descend(x, r, nats, row, rung.panels.at(panel), closest, nearest)

    def points_at_once(self, r: float) -> int:
        """How many points x to hand over together."""
        rung = self._suitable(self.accuracy.widest * math.sqrt(r))
        return max(1, _MOST_NODES // rung.mass.size)

    def _suitable(self, widest: float) -> _Rung:
        """The first rung whose panels are all narrow enough, or the lowest that is kept."""
        while self._rungs[-1].balls.reach.max() > widest and len(self._rungs[-1].mass) < _KEPT:
            self._rungs.append(self._next(self._rungs[-1]))
        return next((rung for rung in self._rungs if rung.balls.reach.max() <= widest), self._rungs[-1])

    def _first(self, panels: Panels) -> _Rung:
        y, mass = self._nodes(panels)
        balls = self._balls(panels, np.zeros(y.shape[2]))
        farthest = np.linalg.norm(y - balls.centre[:, None], axis=2).max(axis=1)
        balls = balls._replace(reach=np.maximum(balls.reach, _MARGIN * farthest))  # these are not flat yet
        return _Rung(math.ceil(math.log2(balls.reach.max())), panels, balls, y, mass)

    def _next(self, rung: _Rung) -> _Rung:
        """Halves along their longest side the panels of radius above 2^(scale - 1), until there are none."""
        scale, panels, balls = rung.scale - 1, rung.panels, rung.balls
        while np.any(wide := balls.reach > 2.0**scale):
            narrow, halves = panels.at(~wide), panels.at(wide).halve(balls.longest[wide])
            fresh = self._balls(halves, np.zeros(balls.centre.shape[1]))
            panels = Panels(*(np.concatenate(pair) for pair in zip(narrow, halves, strict=True)))
            balls = _Balls(*(np.concatenate([old[~wide], new]) for old, new in zip(balls, fresh, strict=True)))
            if len(panels.middle) * self.accuracy.order**self.dim > _MOST_NODES:
                raise ValueError("chart: must be smooth (panels do not become smaller by cutting them up)")
        return _Rung(scale, panels, balls, *self._nodes(panels))

    def _nodes(self, panels: Panels) -> tuple[Array, Array]:
        u, weight = panels.nodes(self.accuracy.order)
        flat = u.reshape(-1, self.dim)
        return self.points(flat).reshape(*weight.shape, -1), weight * self.mass(flat).reshape(weight.shape)

    def _descend(
        self, x: Array, r: float, nats: float, row: Indices, active: Panels, closest: Array, nearest: Array
    ) -> Leaves:
        finished: list[tuple[Indices, Panels]] = []
        while len(row):
            if (sum(len(part) for part, _ in finished) + len(row)) * self.accuracy.order**self.dim > _MOST_NODES:
                raise ValueError(f"r = {r:g}: too small for a point that is equally far from much of the manifold")
            balls = self._balls(active, x[row])
            distance = np.linalg.norm(x[row] - balls.centre, axis=1)
            _update_nearest(row, distance, balls.centre, closest, nearest)
            keep = self._advantage(x[row], balls, distance, closest[row]) <= 2 * r * nats
            fine = (balls.reach <= self.accuracy.widest * math.sqrt(r)) | (balls.change <= 2 * r * _FLATTEST)
            finished.append((row[keep & fine], active.at(keep & fine)))
            rest = keep & ~fine
            row, active = np.tile(row[rest], 2), active.at(rest).halve(balls.longest[rest])
        rows = np.concatenate([part for part, _ in finished])
        order = np.argsort(rows, kind="stable")
        middle = np.concatenate([panels.middle for _, panels in finished])[order]
        half = np.concatenate([panels.half for _, panels in finished])[order]
        panels = Panels(middle, half)
        return Leaves(rows[order], *self._nodes(panels), nearest, panels)

    def _advantage(self, x: Array, balls: _Balls, distance: Array, closest: Array) -> Array:
        """Lower bound of |x-y|² over each panel, less the square of `closest`, (m,).

        Of two bounds the better one: the ball, and for points far off, which see the ball too wide, the tangent
        plane: |x-y|² ≥ |x-c|² - 2ρ|P(x-c)| - κρ²|x-c| with P the projection on it.
        """
        near = np.maximum(distance - balls.reach, 0.0)
        ball = (near - closest) * (near + closest)
        frame = np.linalg.qr(np.swapaxes(balls.sides, 1, 2))[0]
        along = np.linalg.norm(np.einsum("mk,mkd->md", x - balls.centre, frame), axis=1)
        plane = (distance - closest) * (distance + closest)
        plane -= 2 * balls.reach * along + _MARGIN * self.curvature * balls.reach**2 * distance
        return np.where(self.curvature * balls.reach < 0.5, np.maximum(ball, plane), ball)

    def _balls(self, panels: Panels, x: Array) -> _Balls:
        """Balls around panels, and how much |x-y|² changes over each for x (k,) or (m, k)."""
        centre = self.points(panels.middle)
        signs = np.array(list(product((-1.0, 1.0), repeat=self.dim)))
        corners = self.points((panels.middle[:, None] + signs * panels.half[:, None]).reshape(-1, self.dim))
        offset = corners.reshape(len(centre), len(signs), -1) - centre[:, None]
        radius = np.linalg.norm(offset, axis=2).max(axis=1)
        towards = np.broadcast_to(2 * (x - centre), centre.shape)[:, None]
        change = np.abs(np.einsum("mck,mck->mc", offset, towards - offset)).max(axis=1)
        sides = np.einsum("mck,cd->mdk", offset, signs)
        return _Balls(centre, _MARGIN * radius, np.argmax(np.linalg.norm(sides, axis=2), axis=1), sides, change)


def _update_nearest(row: Indices, distance: Array, centre: Array, closest: Array, nearest: Array) -> None:
    order = np.lexsort((distance, row))
    first = order[np.r_[True, np.diff(row[order]) > 0]]
    better = first[distance[first] < closest[row[first]]]
    closest[row[better]] = distance[better]
    nearest[row[better]] = centre[better]


def _distances(x: Array, centres: Array) -> Array:
    """|x - centre|, (n, panels), one coordinate after another: there are two or three, and many panels."""
    square = np.zeros((len(x), len(centres)))
    for own, others in zip(x.T, centres.T, strict=True):
        difference = own[:, None] - others
        difference *= difference
        square += difference
    return np.sqrt(square, out=square)
