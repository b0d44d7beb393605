"""Parametric manifolds: the uniform law, or any density, on the image of a chart."""

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import qmc

from ..conventions.arguments import Array, points, positive_integer, positive_scalar
from .charts import shapes
from .charts.chart import Chart, ChartFunction
from .charts.panel_ladder import EXACT, FAST, Accuracy, PanelLadder
from .charts.panel_posterior import Posterior, tilted
from .charts.panels import Panels, resolved_panels
from .charts.quasi_random_nodes import QuasiRandomNodes
from .embedding import Embedding
from .manifold import Manifold, like_points, over_noise

_ORDER = EXACT.order
_MOST_ROUNDS = 100_000  # of rejection sampling, which accepts a few points in a hundred thousand then


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
        self.chart = Chart(chart, box, tangents)
        self.intrinsic_dim = self.chart.dim
        self.density = density
        default = 12 - min(self.intrinsic_dim, 3)
        self.log2_nodes = default if log2_nodes is None else positive_integer(log2_nodes, "log2_nodes")
        self.closed = tuple(closed) if closed is not None else (False,) * self.chart.dim
        if len(self.closed) != self.chart.dim:
            raise ValueError(f"closed = {closed}: must have one entry for each of {self.chart.dim} parameters")
        super().__init__(Embedding(self.chart.span_dim, ambient_dim, basis, rng, centre))
        self._name = name or f"Parametric({getattr(chart, '__name__', 'chart')})"

    @classmethod
    def ellipse(cls, a: float, b: float, **options: object) -> "Parametric":
        """Semi-axes `a`, `b` in the plane, uniform in arc length."""
        return cls._shape(shapes.ellipse(a, b), options)

    @classmethod
    def ellipsoid(cls, a: float, b: float, c: float, **options: object) -> "Parametric":
        """Semi-axes `a`, `b`, `c` in space, uniform in area."""
        return cls._shape(shapes.ellipsoid(a, b, c), options)

    @classmethod
    def helix(cls, radius: float = 1.0, pitch: float = 1.0, turns: float = 3.0, **options: object) -> "Parametric":
        """Circular helix that rises `pitch` in each of `turns`, uniform in arc length."""
        return cls._shape(shapes.helix(radius, pitch, turns), options)

    @classmethod
    def swiss_roll(cls, turns: float = 1.5, height: float = 10.0, **options: object) -> "Parametric":
        """Spiral strip (t cos t, h, t sin t), 3π/2 ≤ t ≤ 3π/2 + 2π·`turns`, 0 ≤ h ≤ `height`, uniform in area."""
        return cls._shape(shapes.swiss_roll(turns, height), options)

    @classmethod
    def trefoil(cls, scale: float = 1.0, **options: object) -> "Parametric":
        """Trefoil knot, `scale`·(sin t + 2 sin 2t, cos t - 2 cos 2t, -sin 3t), uniform in arc length."""
        return cls._shape(shapes.trefoil(scale), options)

    @classmethod
    def moebius(cls, radius: float = 1.0, width: float = 0.6, **options: object) -> "Parametric":
        """Möbius strip of the given `width` around a circle of `radius`, uniform in area."""
        return cls._shape(shapes.moebius(radius, width), options)

    @classmethod
    def _shape(cls, shape: shapes.Shape, options: dict[str, object]) -> "Parametric":
        given = {"tangents": shape.tangents, "closed": shape.closed, "name": shape.name}
        return cls(shape.chart, shape.box, **given, **options)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"{self._name}[ambient_dim={self.ambient_dim}]"

    # the law as panels

    def _mass(self, u: Array) -> Array:
        """Unnormalised density with respect to du, √g p, shape (n,)."""
        element = self.chart.volume_element(u)
        if self.density is None:
            return element
        values = np.asarray(self.density(u), dtype=np.float64)
        if values.shape != element.shape or not np.all(values > 0) or not np.all(np.isfinite(values)):
            raise ValueError(f"density: must turn u (n, {self.chart.dim}) into finite numbers (n,) > 0")
        return values * element

    def _panels(self, order: int, tolerance: float) -> Panels:
        def integrand(u: Array) -> Array:
            y = self.chart.points(u)
            return self._mass(u)[:, None, None] * np.stack([np.ones_like(y), y, y**2], axis=1)

        return resolved_panels(self.chart.box, integrand, order, tolerance)

    @cached_property
    def _fine(self) -> Panels:
        return self._panels(EXACT.order, EXACT.tolerance)

    @cached_property
    def _exact_nodes(self) -> PanelLadder | QuasiRandomNodes:
        return self._ladder(self._fine, EXACT) if self.chart.dim <= 2 else self._scrambled(0)

    @cached_property
    def _fast_nodes(self) -> PanelLadder | QuasiRandomNodes:
        if self.chart.dim > 2:
            return self._exact_nodes
        return self._ladder(self._panels(FAST.order, FAST.tolerance), FAST)

    def _scrambled(self, seed: int) -> QuasiRandomNodes:
        size = math.sqrt(float(np.trace(self._moments[1])))
        return QuasiRandomNodes(self.chart, lambda u: self._mass(u) / self._total, size, self.closed, seed)

    def _ladder(self, panels: Panels, accuracy: Accuracy) -> PanelLadder:
        u = panels.nodes(_ORDER)[0].reshape(-1, self.chart.dim)
        curvature = math.sqrt(float(self.chart.curvatures(u)[1].max()))
        return PanelLadder(panels, self.chart.points, lambda u: self._mass(u) / self._total, curvature, accuracy)

    @cached_property
    def _rule(self) -> tuple[Array, Array]:
        """Parameters u (m, d) and weights (m,) of sums over the law, which add up to its unnormalised total."""
        if self.chart.dim > 2:
            u, weight = _sobol_rule(self.chart.box)
        else:
            u, weight = self._fine.nodes(_ORDER)
            u, weight = u.reshape(-1, self.chart.dim), weight.ravel()
        return u, weight * self._mass(u)

    def integral(self, function: Callable[[Array], Array]) -> Array:
        """E f(u) over the law, for f from parameters u (n, d) to (n,) or (n, …)."""
        u, mass = self._rule
        return np.tensordot(mass / mass.sum(), np.asarray(function(u)), axes=1)

    @property
    def _total(self) -> float:
        return float(self._rule[1].sum())

    # geometry

    @cached_property
    def volume(self) -> float:
        """∫ √g du: length, area, …."""
        if self.density is None:
            return self._total
        density = self.density
        return self._total * float(self.integral(lambda u: 1 / np.asarray(density(u))))

    @cached_property
    def boundary_volume(self) -> float:
        """Number of end points (d = 1), length of the edge (d = 2), … where the manifold is not `closed`."""
        ends = [(i, float(end)) for i, closed in enumerate(self.closed) if not closed for end in self.chart.box[i]]
        if self.chart.dim == 1:
            return float(len(ends))
        faces = (self.chart.face(i, end) for i, end in ends)
        return sum(Parametric(face.function, face.box, tangents=face.tangents).volume for face in faces)

    @cached_property
    def entropy(self) -> float:
        """h = -E ln p with respect to volume, ln V for the uniform law, in nats."""
        if self.density is None:
            return math.log(self.volume)
        density = self.density
        return math.log(self._total) - float(self.integral(lambda u: np.log(np.asarray(density(u)))))

    @cached_property
    def _curvatures(self) -> Array:
        return self.integral(lambda u: np.stack(self.chart.curvatures(u), axis=1))

    @property
    def mean_curvature_squared(self) -> float:
        """E |H|² over the law, H the trace of the second fundamental form."""
        return float(self._curvatures[0])

    @property
    def second_fundamental_form_squared(self) -> float:
        """E |II|² over the law."""
        return float(self._curvatures[1])

    @cached_property
    def density_gradient_squared(self) -> float:
        """E |∇ ln p|² over the law, the Fisher information of the density along the manifold; 0 if uniform."""
        if self.density is None:
            return 0.0
        density = self.density
        return float(self.integral(lambda u: self.chart.gradient_squared(lambda v: np.log(np.asarray(density(v))), u)))

    def tangent_basis(self, y: ArrayLike) -> Array:
        """Orthonormal basis (D, d) of the tangent space at one point y (D,) of the manifold."""
        z, outside = self.embedding.split(points(y, self.ambient_dim, "y"))
        if len(z) != 1:
            raise ValueError("y: must be one point of the manifold")
        u = self._parameters(z[0])
        size = math.sqrt(self.leading_variance())
        if math.sqrt(float(np.sum((self.chart.points(u) - z) ** 2)) + float(outside[0])) > 1e-6 * size:
            raise ValueError(f"y: must be one point of the manifold {self!r}")
        return self.embedding.lift_vectors(np.linalg.qr(self.chart.tangents(u)[0])[0].T).T

    def _parameters(self, z: Array) -> Array:
        """u (1, d) of the point of the manifold closest to z (k,): best node, then Gauss–Newton within the box."""
        u = self._rule[0]
        u = u[np.argmin(np.sum((self.chart.points(u) - z) ** 2, axis=1))][None]
        for _ in range(30):
            step = np.linalg.lstsq(self.chart.tangents(u)[0], (z - self.chart.points(u))[0], rcond=None)[0]
            u = np.clip(u + step, self.chart.box[:, 0], self.chart.box[:, 1])
        return u

    # pointwise

    def posterior(self, z: Array, r: float, *, fast: bool = False) -> Posterior:
        """The tilted law at coordinates z (n, k) of the span; `fast`: to 1e-7, for averages."""
        return self._posterior(z, r, self._fast_nodes if fast else self._exact_nodes)

    def _posterior(self, z: Array, r: float, nodes: PanelLadder | QuasiRandomNodes) -> Posterior:
        at_once = nodes.points_at_once(r)
        parts = [tilted(nodes, z[i : i + at_once], r, self.entropy) for i in range(0, len(z), at_once)]
        return Posterior(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def cubature_error(self, x: ArrayLike, r: float) -> Array:
        """Error of φ(x, r) and K(x, r), the larger, in nats, shape () or (n,): estimated.

        d ≥ 3: root-mean-square deviation over 4 other scrambles of the nodes. d ≤ 2: difference from the rule that
        the averages use, a bound of about 1e-7 far above the error.
        """
        z, _ = self.embedding.split(x)
        r = positive_scalar(r, "r")
        given = self._posterior(z, r, self._exact_nodes)
        others = [self._fast_nodes] if self.chart.dim <= 2 else [self._scrambled(seed) for seed in range(1, 5)]
        again = [self._posterior(z, r, nodes) for nodes in others]
        deviations = [
            [np.abs(other.log_partition - given.log_partition), np.abs(other.divergence - given.divergence)]
            for other in again
        ]
        return like_points(x, np.sqrt(np.mean(np.max(deviations, axis=1) ** 2, axis=0)))

    def _log_partition(self, z: Array, r: float) -> Array:
        return self.posterior(z, r).log_partition

    def _posterior_mean(self, z: Array, r: float) -> Array:
        return self.posterior(z, r).mean

    def _posterior_covariance(self, z: Array, r: float) -> Array:
        return self.posterior(z, r).covariance

    def _local_divergence(self, z: Array, r: float) -> Array:
        return self.posterior(z, r).divergence

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        """Mean (k,) and covariance (k, k) of the law in its span."""
        mean = self.integral(self.chart.points)

        def outer(u: Array) -> Array:
            centred = self.chart.points(u) - mean
            return centred[:, :, None] * centred[:, None, :]

        return mean, self.integral(outer)

    def _mean(self) -> Array:
        return self._moments[0]

    def leading_variance(self) -> float:
        """Largest eigenvalue of the covariance of the law."""
        return float(np.linalg.eigvalsh(self._moments[1])[-1])

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
            mass = self._mass(trial)
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
            return Panels(box.mean(axis=1)[None], width[None] / 2), np.array([self._mass(self._rule[0]).max()])
        u, weight = self._fine.nodes(_ORDER)
        return self._fine, self._mass(u.reshape(-1, self.chart.dim)).reshape(weight.shape).max(axis=1)

    def _sample(self, n: int, rng: np.random.Generator) -> Array:
        return self.chart.points(self.sample_parameters(n, rng))

    # averages over x = y + √s ξ: Sobol nodes in u and ξ, each ξ beside -ξ

    @cached_property
    def _nodes(self) -> tuple[Array, Array, Array, Array]:
        """Points y (n, k), noise ξ (n, k), two squares of ξ less their means (n, 2), and weights (n,).

        The squares, tangential |ξ_t|² of mean d and ξᵀΣξ of mean tr Σ, rule I and G at small and at large noise.
        """
        dim, span = self.chart.dim, self.chart.span_dim
        uniform = qmc.Sobol(dim + span, scramble=True, rng=np.random.default_rng(0)).random_base2(self.log2_nodes)
        width = np.diff(self.chart.box)[:, 0]
        u = self.chart.box[:, 0] + width * np.clip(uniform[:, :dim], 1e-12, 1 - 1e-12)
        noise = ndtri(np.clip(uniform[:, dim:], 1e-16, 1 - 1e-16))
        frame = np.linalg.qr(self.chart.tangents(u))[0]
        tangential = np.sum(np.einsum("nka,nk->na", frame, noise) ** 2, axis=1) - dim
        covariance = self._moments[1] / np.trace(self._moments[1])
        along = np.einsum("nk,kl,nl->n", noise, covariance, noise) - 1
        mass = self._mass(u)
        y, weight = self.chart.points(u), mass / mass.sum()
        squares = np.stack([tangential, along], axis=1)
        return np.vstack([y, y]), np.vstack([noise, -noise]), np.tile(squares, (2, 1)), np.tile(weight / 2, 2)

    def _average(self, quantity: Callable[[Posterior, Array], Array], r: float, noise: float) -> float:
        """E quantity(posterior at x, |ξ|²), with the two squares of known mean as control variates."""
        y, xi, squares, weight = self._nodes
        at_x = self.posterior(y + math.sqrt(noise) * xi, r, fast=True)
        values = quantity(at_x, np.sum(xi**2, axis=1))
        mean, bias = weight @ values, weight @ squares
        root = np.sqrt(weight)[:, None]
        slopes = np.linalg.lstsq(root * (squares - bias), root[:, 0] * (values - mean))[0]
        return float(mean - slopes @ bias)

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = -E[s|ξ|²/2r + φ(x, r)] at x = y + √s ξ, ξ in the span."""

        def gap(ratio: float, s: float) -> float:
            if s == 0:
                return self._gap_on_the_manifold(ratio)
            return self._average(lambda at_x, squared: -s / (2 * ratio) * squared - at_x.log_partition, ratio, s)

        return over_noise(gap, r, noise)

    def _gap_on_the_manifold(self, r: float) -> float:
        y, _, _, weight = self._nodes
        half = len(y) // 2
        return -float(2 * weight[:half] @ self.posterior(y[:half], r, fast=True).log_partition)

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """E K(x, r) at x = y + √s ξ."""
        return over_noise(lambda a, s: self._average(lambda at_x, _: at_x.divergence, a, s), r, noise)

    def information(self, r: ArrayLike) -> Array:
        """I(r) = E K(x, r), x ~ p_r."""
        return self.mean_local_divergence(r, r)

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = E tr C(x, r)/r, x ~ p_r."""

        def occupied(ratio: float, s: float) -> float:
            return self._average(lambda at_x, _: np.einsum("nkk->n", at_x.covariance) / ratio, ratio, s)

        return over_noise(occupied, r, r)


def _sobol_rule(box: Array) -> tuple[Array, Array]:
    """2^15 scrambled Sobol nodes in a box and their equal weights."""
    width = np.diff(box)[:, 0]
    uniform = qmc.Sobol(len(box), scramble=True, rng=np.random.default_rng(0)).random_base2(15)
    return box[:, 0] + width * uniform, np.full(len(uniform), np.prod(width) / len(uniform))
