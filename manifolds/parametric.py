"""Parametric manifolds: the uniform law, or any density, on the image of a chart."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, fail, points, positive_integer
from ..conventions.law import Draws
from .charts import shapes
from .charts.chart import Chart, ChartFunction
from .charts.chart_law import ChartLaw, Density
from .charts.chart_posterior import ChartPosterior
from .charts.panel_posterior import Posterior
from .embedding import Embedding
from .manifold import Manifold, at_points, over_noise

_OPTIONS = ("density", "log2_nodes", "ambient_dim", "basis", "centre")  # of the constructor, for every shape


class Parametric(Manifold):
    """ν uniform with respect to volume on the image of a chart u → y(u), u in a box; or with a `density`.

    `chart`: u (n, d) → y (n, k), smooth and one-to-one but for glued or collapsed edges; `box` (d, 2).
    `density`: u (n, d) → (n,) > 0, unnormalised, with respect to volume; default uniform. `closed`: for each
    parameter whether the two ends of its interval are no boundary (glued, as an angle, or collapsed);
    default False. `tangents`: the derivative of the chart (n, k, d), if known. Embedding arguments as for
    `Linear`, for the k coordinates of the chart.

    d ≤ 2, by adaptive cubature: pointwise quantities to about 1e-11 relative (K absolutely where it is near 0), r
    over squared size from 1e-12 to 1e12, at focal points and far off as well. d ≥ 3, by quasi-Monte Carlo around
    the closest points: about 1e-2 in φ and K, `cubature_error` estimates it. Averages over x = y + √s ξ are
    randomised Sobol sums of 2^`log2_nodes` nodes in u and ξ (11 for curves, 10 for surfaces, 9 beyond), each
    antithetic in ξ and fixed, so that results are smooth in r: relative error up to 1e-3 where r is about the
    squared size, 1e-4 and less in I and d(r) elsewhere (3e-3 for d ≥ 3, where G at r far above the squared size
    and s ≠ r is not resolved). ValueError for bad arguments. docs/theory.md §2; docs/curvature.md.
    """

    def __init__(
        self,
        chart: ChartFunction,
        box: ArrayLike,
        *,
        density: Callable[[Array], Array] | None = None,
        tangents: ChartFunction | None = None,
        closed: Sequence[bool] | None = None,
        log2_nodes: int | None = None,
        ambient_dim: int | None = None,
        basis: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
        centre: ArrayLike | None = None,
        name: str | None = None,
    ):
        parts = Chart(chart, box, tangents)
        super().__init__(Embedding(parts.span_dim, ambient_dim, basis, rng, centre))
        self._set(chart=parts, intrinsic_dim=parts.dim, density=density, name=name, _given=(chart, tangents))
        default = 12 - min(parts.dim, 3)
        self._set(log2_nodes=default if log2_nodes is None else positive_integer(log2_nodes, "log2_nodes"))
        ends = tuple(closed) if closed is not None else (False,) * parts.dim
        if len(ends) != parts.dim:
            raise ValueError(f"closed = {closed}: must have one entry for each of {parts.dim} parameters")
        self._set(closed=ends, geometry=ChartLaw(parts, density, ends))

    chart: Chart
    density: Density | None
    log2_nodes: int
    closed: tuple[bool, ...]
    name: str | None
    geometry: ChartLaw
    _given: tuple[ChartFunction, ChartFunction | None]

    def _parameter(self, name: str) -> Any:
        if name == "log2_nodes" and self.log2_nodes == 12 - min(self.chart.dim, 3):
            return None  # the default, which is that of the dimension
        given = {"chart": self._given[0], "tangents": self._given[1], "box": self.chart.box}
        return given[name] if name in given else super()._parameter(name)

    @cached_property
    def _averages(self) -> ChartPosterior:
        return ChartPosterior(self.geometry, self.log2_nodes)

    @classmethod
    def ellipse(cls, a: float, b: float, **options: object) -> "Parametric":
        """Semi-axes `a`, `b` in the plane, uniform in arc length."""
        return cls._shape("ellipse", shapes.Ellipse(a, b), options)

    @classmethod
    def ellipsoid(cls, a: float, b: float, c: float, **options: object) -> "Parametric":
        """Semi-axes `a`, `b`, `c` in space, uniform in area."""
        return cls._shape("ellipsoid", shapes.Ellipsoid(a, b, c), options)

    @classmethod
    def helix(cls, radius: float = 1.0, pitch: float = 1.0, turns: float = 3.0, **options: object) -> "Parametric":
        """Circular helix that rises `pitch` in each of `turns`, uniform in arc length."""
        return cls._shape("helix", shapes.Helix(radius, pitch, turns), options)

    @classmethod
    def swiss_roll(cls, turns: float = 1.5, height: float = 10.0, **options: object) -> "Parametric":
        """Spiral strip (t cos t, h, t sin t), 3π/2 ≤ t ≤ 3π/2 + 2π·`turns`, 0 ≤ h ≤ `height`, uniform in area."""
        return cls._shape("swiss_roll", shapes.SwissRoll(turns, height), options)

    @classmethod
    def trefoil(cls, scale: float = 1.0, **options: object) -> "Parametric":
        """Trefoil knot, `scale`·(sin t + 2 sin 2t, cos t - 2 cos 2t, -sin 3t), uniform in arc length."""
        return cls._shape("trefoil", shapes.Trefoil(scale), options)

    @classmethod
    def moebius(cls, radius: float = 1.0, width: float = 0.6, **options: object) -> "Parametric":
        """Möbius strip of the given `width` around a circle of `radius`, uniform in area."""
        return cls._shape("moebius", shapes.Moebius(radius, width), options)

    @classmethod
    def _shape(cls, maker: str, shape: Any, options: dict[str, Any]) -> "Parametric":
        law = cls(shape, shape.box, tangents=shape.tangents, closed=shape.closed, **options)
        return law.made_by(maker, **asdict(shape), **{name: law._parameter(name) for name in _OPTIONS})

    def __repr__(self) -> str:
        return f"<{self.name}: {super().__repr__()}>" if self.name else super().__repr__()

    # geometry

    def integral(self, function: Callable[[Array], Array]) -> Array:
        """E f(u) over the law, for f from parameters u (n, d) to (n,) or (n, …)."""
        return self.geometry.integral(function)

    @property
    def volume(self) -> float:
        """∫ √g du: length, area, …."""
        return self.geometry.volume

    @property
    def boundary_volume(self) -> float:
        """Number of end points (d = 1), length of the edge (d = 2), … where the manifold is not `closed`."""
        return self.geometry.boundary_volume

    @property
    def entropy(self) -> float:
        """h = -E ln p with respect to volume, ln V for the uniform law, in nats."""
        return self.geometry.entropy

    @property
    def mean_curvature_squared(self) -> float:
        """E |H|² over the law, H the trace of the second fundamental form."""
        return float(self.geometry.curvatures[0])

    @property
    def second_fundamental_form_squared(self) -> float:
        """E |II|² over the law."""
        return float(self.geometry.curvatures[1])

    @property
    def density_gradient_squared(self) -> float:
        """E |∇ ln p|² over the law, the Fisher information of the density along the manifold; 0 if uniform."""
        return self.geometry.density_gradient_squared

    def tangent_basis(self, y: ArrayLike) -> Array:
        """Orthonormal basis (D, d) of the tangent space at one point y (D,) of the manifold."""
        z, outside = self.embedding.split(points(y, self.ambient_dim, "y"))
        if len(z) != 1:
            raise ValueError("y: must be one point of the manifold")
        u = self.geometry.nearest(z[0])
        distance = np.sum((self.chart.points(u) - z) ** 2) + outside[0]
        if np.sqrt(distance) > 1e-6 * np.sqrt(self.leading_variance()):
            raise ValueError(f"y: must be one point of the manifold {self!r}")
        return self.embedding.lift_vectors(np.linalg.qr(self.chart.tangents(u)[0])[0].T).T

    def _mean(self) -> Array:
        return self.geometry.moments[0]

    def leading_variance(self) -> float:
        """Largest eigenvalue of the covariance of the law."""
        return float(np.linalg.eigvalsh(self.geometry.moments[1])[-1])

    # draws

    def sample_parameters(self, n: int, rng: np.random.Generator) -> Array:
        """`n` parameters u (n, d) of independent points of the law."""
        return self.geometry.sample_parameters(n, rng)

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        return self.chart.points(self.geometry.sample_parameters(n, rng))

    def _posterior_draws(self, x: Array, r: Array, rng: np.random.Generator) -> Draws:
        """d ≤ 2: a panel of the cubature by its posterior mass, right to 1e-7, then a point of it by rejection."""
        if self.chart.dim > 2:
            reason = "three or more parameters are summed over quasi-random nodes, which have no exact mass"
            raise fail("law", self, f"has no exact draws from its posterior ({reason})")
        z, _ = self.embedding.split(x)
        drawn = np.empty(z.shape)
        for ratio in np.unique(r):
            at = r == ratio
            drawn[at] = self._averages.draw(z[at], float(ratio), rng)
        return Draws(self.embedding.lift(drawn))

    # pointwise

    def posterior(self, z: Array, r: float, *, fast: bool = False) -> Posterior:
        """The tilted law at coordinates z (n, k) of the span; `fast`: to 1e-7, for averages."""
        return self._averages.at(z, r, fast=fast)

    def cubature_error(self, x: ArrayLike, r: ArrayLike) -> Array:
        """Error of φ(x, r) and K(x, r), the larger, in nats, shape () or (n,): estimated.

        d ≥ 3: root-mean-square deviation over 4 other scrambles of the nodes. d ≤ 2: difference from the rule that
        the averages use, a bound of about 1e-7 far above the error.
        """
        return at_points(x, r, self._averages.cubature_error, self.embedding.split(x)[0])

    def _log_partition(self, z: Array, r: float) -> Array:
        return self.posterior(z, r).log_partition

    def _posterior_mean(self, z: Array, r: float) -> Array:
        return self.posterior(z, r).mean

    def _posterior_covariance(self, z: Array, r: float) -> Array:
        return self.posterior(z, r).covariance

    def _local_divergence(self, z: Array, r: float) -> Array:
        return self.posterior(z, r).divergence

    # averages

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = -E[s|ξ|²/2r + φ(x, r)] at x = y + √s ξ, ξ in the span."""

        def gap(ratio: float, s: float) -> float:
            if s == 0:
                return self._averages.gap_on_the_manifold(ratio)
            return self._averages.average(
                lambda at_x, squared: -s / (2 * ratio) * squared - at_x.log_partition, ratio, s
            )

        return over_noise(gap, r, noise)

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """E K(x, r) at x = y + √s ξ."""
        return over_noise(lambda a, s: self._averages.average(lambda at_x, _: at_x.divergence, a, s), r, noise)

    def information(self, r: ArrayLike) -> Array:
        """I(r) = E K(x, r), x ~ p_r."""
        return self.mean_local_divergence(r, r)

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = E tr C(x, r)/r, x ~ p_r."""

        def occupied(ratio: float, s: float) -> float:
            return self._averages.average(lambda at_x, _: np.einsum("nkk->n", at_x.covariance) / ratio, ratio, s)

        return over_noise(occupied, r, r)
