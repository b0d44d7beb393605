"""A law on a chart: its density, sums over it, and the geometry that they measure."""

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy.stats import qmc

from ...conventions.arguments import Array
from .chart import Chart
from .panel_ladder import EXACT
from .panels import Panels, resolved_panels

_ORDER = EXACT.order
_MOST_ROUNDS = 100_000  # of rejection sampling, which accepts a few points in a hundred thousand then
Density = Callable[[Array], Array]


class ChartLaw:
    """The uniform law on the image of `chart`, or of `density` u → (n,) > 0 with respect to volume.

    `closed`: for each parameter whether the two ends of its interval are no boundary.
    """

    def __init__(self, chart: Chart, density: Density | None, closed: tuple[bool, ...]):
        self.chart, self.density, self.closed = chart, density, closed

    def mass(self, u: Array) -> Array:
        """Unnormalised density with respect to du, √g p, shape (n,)."""
        element = self.chart.volume_element(u)
        if self.density is None:
            return element
        values = np.asarray(self.density(u), dtype=np.float64)
        if values.shape != element.shape or not np.all(values > 0) or not np.all(np.isfinite(values)):
            raise ValueError(f"density: must turn u (n, {self.chart.dim}) into finite numbers (n,) > 0")
        return values * element

    # sums over the law

    def panels(self, order: int, tolerance: float) -> Panels:
        """Panels that resolve the density and the chart to `tolerance` by the rule of `order`."""

        def integrand(u: Array) -> Array:
            y = self.chart.points(u)
            return self.mass(u)[:, None, None] * np.stack([np.ones_like(y), y, y**2], axis=1)

        return resolved_panels(self.chart.box, integrand, order, tolerance)

    @cached_property
    def fine_panels(self) -> Panels:
        """Panels to rounding."""
        return self.panels(EXACT.order, EXACT.tolerance)

    @cached_property
    def rule(self) -> tuple[Array, Array]:
        """Parameters u (m, d) and weights (m,) of sums over the law, which add up to its unnormalised total."""
        if self.chart.dim > 2:
            u, weight = _sobol_rule(self.chart.box)
        else:
            u, weight = self.fine_panels.nodes(_ORDER)
            u, weight = u.reshape(-1, self.chart.dim), weight.ravel()
        return u, weight * self.mass(u)

    @property
    def total(self) -> float:
        """∫ √g p du, unnormalised."""
        return float(self.rule[1].sum())

    def integral(self, function: Callable[[Array], Array]) -> Array:
        """E f(u) over the law, for f from parameters u (n, d) to (n,) or (n, …)."""
        u, mass = self.rule
        return np.tensordot(mass / mass.sum(), np.asarray(function(u)), axes=1)

    @cached_property
    def moments(self) -> tuple[Array, Array]:
        """Mean (k,) and covariance (k, k) of y."""
        mean = self.integral(self.chart.points)

        def outer(u: Array) -> Array:
            centred = self.chart.points(u) - mean
            return centred[:, :, None] * centred[:, None, :]

        return mean, self.integral(outer)

    # geometry

    @cached_property
    def volume(self) -> float:
        """∫ √g du: length, area, …."""
        if self.density is None:
            return self.total
        density = self.density
        return self.total * float(self.integral(lambda u: 1 / np.asarray(density(u))))

    @cached_property
    def boundary_volume(self) -> float:
        """Number of end points (d = 1), length of the edge (d = 2), … where the manifold is not `closed`."""
        ends = [(i, float(end)) for i, closed in enumerate(self.closed) if not closed for end in self.chart.box[i]]
        if self.chart.dim == 1:
            return float(len(ends))
        return sum(ChartLaw(self.chart.face(i, end), None, ()).volume for i, end in ends)

    @cached_property
    def entropy(self) -> float:
        """h = -E ln p with respect to volume, ln V for the uniform law, in nats."""
        if self.density is None:
            return math.log(self.volume)
        density = self.density
        return math.log(self.total) - float(self.integral(lambda u: np.log(np.asarray(density(u)))))

    @cached_property
    def curvatures(self) -> Array:
        """E |H|² and E |II|² over the law, (2,)."""
        return self.integral(lambda u: np.stack(self.chart.curvatures(u), axis=1))

    @cached_property
    def density_gradient_squared(self) -> float:
        """E |∇ ln p|² over the law, the Fisher information of the density along the manifold; 0 if uniform."""
        if self.density is None:
            return 0.0
        density = self.density
        return float(self.integral(lambda u: self.chart.gradient_squared(lambda v: np.log(np.asarray(density(v))), u)))

    def nearest(self, z: Array) -> Array:
        """u (1, d) of the point of the manifold closest to z (k,): best node, then Gauss–Newton within the box."""
        u = self.rule[0]
        u = u[np.argmin(np.sum((self.chart.points(u) - z) ** 2, axis=1))][None]
        for _ in range(30):
            step = np.linalg.lstsq(self.chart.tangents(u)[0], (z - self.chart.points(u))[0], rcond=None)[0]
            u = np.clip(u + step, self.chart.box[:, 0], self.chart.box[:, 1])
        return u

    # sampling: rejection within panels, whose largest density is known

    def sample_parameters(self, n: int, rng: np.random.Generator) -> Array:
        """`n` parameters u (n, d) of independent points of the law."""
        panels, density = self._sampled_panels
        ceiling = 1.5 * density
        chance = ceiling * np.prod(panels.half, axis=1)
        accepted: list[Array] = []
        missing = n
        for _ in range(_MOST_ROUNDS):
            panel = rng.choice(len(chance), size=2 * missing + 16, p=chance / chance.sum())
            trial = panels.middle[panel] + panels.half[panel] * rng.uniform(-1, 1, (len(panel), self.chart.dim))
            mass = self.mass(trial)
            if np.any(mass > ceiling[panel]):
                raise ValueError("density: rises by half between the nodes of the cubature, too steeply to sample")
            kept = trial[rng.uniform(size=len(panel)) * ceiling[panel] < mass][:missing]
            accepted.append(kept)
            missing -= len(kept)
            if missing == 0:
                return np.concatenate(accepted)
        raise ValueError(f"density: too peaked to sample, {missing} of {n} points missing after {_MOST_ROUNDS} rounds")

    @cached_property
    def _sampled_panels(self) -> tuple[Panels, Array]:
        """Panels and the largest density on the nodes of each; between nodes it cannot rise by half."""
        if self.chart.dim > 2:
            box, width = self.chart.box, np.diff(self.chart.box)[:, 0]
            return Panels(box.mean(axis=1)[None], width[None] / 2), np.array([self.mass(self.rule[0]).max()])
        u, weight = self.fine_panels.nodes(_ORDER)
        return self.fine_panels, self.mass(u.reshape(-1, self.chart.dim)).reshape(weight.shape).max(axis=1)


def _sobol_rule(box: Array) -> tuple[Array, Array]:
    """2^15 scrambled Sobol nodes in a box and their equal weights."""
    width = np.diff(box)[:, 0]
    uniform = qmc.Sobol(len(box), scramble=True, rng=np.random.default_rng(0)).random_base2(15)
    return box[:, 0] + width * uniform, np.full(len(uniform), np.prod(width) / len(uniform))
