"""Integrals of exp(-|x-y|²/2r) over a law on a chart of three or more parameters, by quasi-random nodes.

Half of the nodes cover the box; the others are drawn around the points of the manifold closest to x, with the
width of the Gaussian factor there. All are weighted by the density of the mixture they come from (the balance
heuristic), so that neither a sharp peak nor a distant part of the manifold is missed.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp, ndtri
from scipy.stats import qmc

from ...conventions.arguments import Array
from .chart import Chart
from .panel_ladder import Leaves

_LOG2_GLOBAL, _LOG2_LOCAL = 11, 9  # nodes over the box, and around each of the starts
_STARTS = 3
_WIDER = 1.4  # local nodes spread this much more than the Gaussian factor
_STEPS = 24
_CELLS = 64  # blocks of global nodes, which a Sobol sequence spreads over the box
_MOST_NODES = 2**22


class QuasiRandomNodes:
    """The interface of `PanelLadder`, one panel for each point; `mass` u → (n,) normalised with respect to du.

    `seed` scrambles the nodes: the spread over seeds is the error.
    """

    def __init__(
        self,
        chart: Chart,
        mass: Callable[[Array], Array],
        size: float,
        closed: tuple[bool, ...],
        seed: int = 0,
    ):
        self.chart, self.mass, self.size, self.closed = chart, mass, size, np.array(closed)
        rng = np.random.default_rng(seed)
        box = chart.box
        self._width = np.diff(box)[:, 0]
        uniform = qmc.Sobol(chart.dim, scramble=True, rng=rng).random_base2(_LOG2_GLOBAL)
        self._u = box[:, 0] + self._width * uniform
        self._y, self._mass = chart.points(self._u), mass(self._u)
        normal = qmc.Sobol(chart.dim, scramble=True, rng=rng).random_base2(_LOG2_LOCAL)
        self._normal = ndtri(np.clip(normal, 1e-15, 1 - 1e-15))
        self._log_box = float(np.sum(np.log(self._width)))

    def points_at_once(self, r: float) -> int:
        """How many points x to hand over together."""
        return max(1, _MOST_NODES // (len(self._u) + (_STARTS + 1) * len(self._normal)))

    def leaves(self, x: Array, r: float, log_volume: float) -> Leaves:
        """Nodes for the points x (n, k), all in one panel each."""
        rows = np.arange(len(x))
        square = np.sum((x[:, None] - self._y) ** 2, axis=2)
        nearest = self._y[square.argmin(axis=1)]
        if math.sqrt(r) > 0.5 * self.size:  # no peak: the box alone, and its total mass is one exactly
            mass = np.broadcast_to(self._mass / self._mass.sum(), square.shape)
            return Leaves(rows, np.broadcast_to(self._y, (*square.shape, x.shape[1])), mass, nearest)
        starts = self._refined(x, self._starts(square))  # (n, s, d)
        starts = self._refined(x, np.concatenate([starts, self._across(starts[:, :1])], axis=1))
        factors = self._spreads(starts, r)  # (n, s, d, d)
        local = starts[:, :, None] + np.einsum("nsij,lj->nsli", factors, self._normal)
        u = np.concatenate(
            [np.broadcast_to(self._u, (len(x), *self._u.shape)), local.reshape(len(x), -1, self.chart.dim)], axis=1
        )
        inside = np.all((u >= self.chart.box[:, 0]) & (u <= self.chart.box[:, 1]), axis=2)
        clipped = np.clip(u, self.chart.box[:, 0], self.chart.box[:, 1]).reshape(-1, self.chart.dim)
        mass = np.where(inside, self.mass(clipped).reshape(inside.shape), 0.0)
        y = self.chart.points(clipped).reshape(*inside.shape, -1)
        best = starts[:, 0]
        return Leaves(rows, y, mass * np.exp(-self._log_proposal(u, starts, factors)), self.chart.points(best))

    def _starts(self, square: Array) -> Array:
        """Parameters (n, s, d) of the closest global nodes, of different cells."""
        cells = square.reshape(len(square), _CELLS, -1, order="F")  # consecutive nodes spread, so strided ones cluster
        inner = cells.argmin(axis=2)
        lowest = np.take_along_axis(cells, inner[:, :, None], axis=2)[:, :, 0]
        chosen = np.argsort(lowest, axis=1)[:, :_STARTS]
        index = chosen + _CELLS * np.take_along_axis(inner, chosen, axis=1)
        return self._u[index]

    def _across(self, u: Array) -> Array:
        """The same points seen from the other end of the closed parameters, for searches that ended at a seam."""
        low, high = self.chart.box.T
        near = self.closed & (np.abs(u - low) < 1e-3 * self._width)
        far = self.closed & (np.abs(u - high) < 1e-3 * self._width)
        return np.where(near, high, np.where(far, low, u))

    def _refined(self, x: Array, u: Array) -> Array:
        """Levenberg–Marquardt steps towards the closest point, kept in the box, the best start first.

        Damped, because coordinates may be singular (at a pole the plain step flies off along the circle of latitude).
        """
        n, s, d = u.shape
        flat, target = u.reshape(-1, d), np.repeat(x, s, axis=0)
        distance = np.sum((target - self.chart.points(flat)) ** 2, axis=1)
        damping = np.full(len(flat), 1e-6)
        for _ in range(_STEPS):
            jacobian, residual = self.chart.tangents(flat), target - self.chart.points(flat)
            metric = np.einsum("nki,nkj->nij", jacobian, jacobian)
            scale = damping * (np.trace(metric, axis1=1, axis2=2) + 1e-300)
            step = np.linalg.solve(
                metric + scale[:, None, None] * np.eye(d), np.einsum("nki,nk->ni", jacobian, residual)[..., None]
            )[..., 0]
            trial = np.clip(flat + step, self.chart.box[:, 0], self.chart.box[:, 1])
            square = np.sum((target - self.chart.points(trial)) ** 2, axis=1)
            better = square < distance
            damping = np.clip(np.where(better, damping / 10, damping * 10), 1e-14, 1e3)
            flat, distance = np.where(better[:, None], trial, flat), np.where(better, square, distance)
        order = np.argsort(distance.reshape(n, s), axis=1)
        return np.take_along_axis(flat.reshape(n, s, d), order[:, :, None], axis=1)

    def _spreads(self, starts: Array, r: float) -> Array:
        """Triangular factors of the local covariances r (JᵀJ)^{-1}, no wider than the box."""
        jacobian = self.chart.tangents(starts.reshape(-1, self.chart.dim))
        metric = np.einsum("nki,nkj->nij", jacobian, jacobian) / (r * _WIDER**2) + np.diag(1 / self._width**2)
        factors = np.linalg.cholesky(np.linalg.inv(metric))
        return factors.reshape(*starts.shape, self.chart.dim)

    def _log_proposal(self, u: Array, starts: Array, factors: Array) -> Array:
        """ln of the density of nodes at u (n, m, d), times their number."""
        d = self.chart.dim
        terms = [np.full(u.shape[:2], math.log(len(self._u)) - self._log_box)]
        for i in range(starts.shape[1]):
            offset = u - starts[:, None, i]
            inverse = np.linalg.inv(factors[:, i])
            square = np.sum(np.einsum("nij,nmj->nmi", inverse, offset) ** 2, axis=2)
            volume = np.log(np.abs(np.linalg.det(factors[:, i])))[:, None] + 0.5 * d * math.log(2 * math.pi)
            terms.append(math.log(len(self._normal)) - 0.5 * square - volume)
        return logsumexp(np.stack(terms), axis=0)
