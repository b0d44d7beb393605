"""The posterior of a law on a chart: at points, by cubature, and on average, by Sobol nodes."""

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from ...conventions.arguments import Array
from .chart_law import ChartLaw
from .panel_draw import panel_draw
from .panel_ladder import EXACT, FAST, Accuracy, PanelLadder
from .panel_posterior import Posterior, tilted
from .panels import Panels
from .quasi_random_nodes import QuasiRandomNodes


class ChartPosterior:
    """Of `law`, at coordinates z (n, k) of its span; averages by 2^`log2_nodes` nodes in u and ξ."""

    def __init__(self, law: ChartLaw, log2_nodes: int):
        self.law, self.chart, self.log2_nodes = law, law.chart, log2_nodes

    # nodes

    @cached_property
    def _exact_nodes(self) -> PanelLadder | QuasiRandomNodes:
        return self._ladder(self.law.fine_panels, EXACT) if self.chart.dim <= 2 else self._scrambled(0)

    @cached_property
    def _fast_nodes(self) -> PanelLadder | QuasiRandomNodes:
        if self.chart.dim > 2:
            return self._exact_nodes
        return self._ladder(self.law.panels(FAST.order, FAST.tolerance), FAST)

    def _mass(self, u: Array) -> Array:
        return self.law.mass(u) / self.law.total

    def _scrambled(self, seed: int) -> QuasiRandomNodes:
        size = math.sqrt(float(np.trace(self.law.moments[1])))
        return QuasiRandomNodes(self.chart, self._mass, size, self.law.closed, seed)

    def _ladder(self, panels: Panels, accuracy: Accuracy) -> PanelLadder:
        u = panels.nodes(EXACT.order)[0].reshape(-1, self.chart.dim)
        curvature = math.sqrt(float(self.chart.curvatures(u)[1].max()))
        return PanelLadder(panels, self.chart.points, self._mass, curvature, accuracy)

    # at points

    def at(self, z: Array, r: float, *, fast: bool = False) -> Posterior:
        """The tilted law; `fast`: to 1e-7, for averages."""
        return self._at(z, r, self._fast_nodes if fast else self._exact_nodes)

    def _at(self, z: Array, r: float, nodes: PanelLadder | QuasiRandomNodes) -> Posterior:
        at_once = nodes.points_at_once(r)
        parts = [tilted(nodes, z[i : i + at_once], r, self.law.entropy) for i in range(0, len(z), at_once)]
        return Posterior(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def cubature_error(self, z: Array, r: float) -> Array:
        """Error of φ and K, the larger, in nats, (n,): estimated.

        d ≥ 3: root-mean-square deviation over 4 other scrambles of the nodes. d ≤ 2: difference from the rule that
        the averages use, a bound of about 1e-7 far above the error.
        """
        given = self.at(z, r)
        others = [self._fast_nodes] if self.chart.dim <= 2 else [self._scrambled(seed) for seed in range(1, 5)]
        again = [self._at(z, r, nodes) for nodes in others]
        deviations = [
            [np.abs(other.log_partition - given.log_partition), np.abs(other.divergence - given.divergence)]
            for other in again
        ]
        return np.sqrt(np.mean(np.max(deviations, axis=1) ** 2, axis=0))

    def draw(self, z: Array, r: float, rng: np.random.Generator) -> Array:
        """Coordinates (n, k) of one draw of the tilted law at each z, to 1e-7 of it; d ≤ 2, where it has panels."""
        nodes, mass = self._fast_nodes, self._mass
        assert isinstance(nodes, PanelLadder)
        at_once = nodes.points_at_once(r)
        cuts = range(0, len(z), at_once)
        u = [panel_draw(nodes, mass, z[i : i + at_once], r, self.law.entropy, rng) for i in cuts]
        return self.chart.points(np.concatenate(u))

    # averages over x = y + √s ξ: Sobol nodes in u and ξ, each ξ beside -ξ

    @cached_property
    def _planted(self) -> tuple[Array, Array, Array, Array]:
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
        covariance = self.law.moments[1] / np.trace(self.law.moments[1])
        along = np.einsum("nk,kl,nl->n", noise, covariance, noise) - 1
        mass = self.law.mass(u)
        y, weight = self.chart.points(u), mass / mass.sum()
        squares = np.stack([tangential, along], axis=1)
        return np.vstack([y, y]), np.vstack([noise, -noise]), np.tile(squares, (2, 1)), np.tile(weight / 2, 2)

    def average(self, quantity: Callable[[Posterior, Array], Array], r: float, noise: float) -> float:
        """E quantity(posterior at x, |ξ|²), with the two squares of known mean as control variates."""
        y, xi, squares, weight = self._planted
        at_x = self.at(y + math.sqrt(noise) * xi, r, fast=True)
        values = quantity(at_x, np.sum(xi**2, axis=1))
        mean, bias = weight @ values, weight @ squares
        root = np.sqrt(weight)[:, None]
        slopes = np.linalg.lstsq(root * (squares - bias), root[:, 0] * (values - mean))[0]
        return float(mean - slopes @ bias)

    def gap_on_the_manifold(self, r: float) -> float:
        """-E φ(y, r)."""
        y, _, _, weight = self._planted
        half = len(y) // 2
        return -float(2 * weight[:half] @ self.at(y[:half], r, fast=True).log_partition)
