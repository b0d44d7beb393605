"""The posterior sums by the way that is fastest at a noise ratio, and why: the plan.

Brute force, plain or by explicit vectors, or certified pruning; and the survivors themselves, for second moments.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...conventions import arguments
from ...conventions.arguments import Array
from . import kernel
from .pruning import BOXES, Tree, Walk, prices, pruned_sums, survivors_of
from .sums import Sums, concatenated
from .survivors import Survivors, survivors
from .vectors import brute
from .vectors.lanes import LANES

Flags = NDArray[np.bool_]

ENGINES = ("auto", "plain", "vectors", "pruned")
SKIPPED = 1e-12  # share of the weight that pruned sums may leave out
SKIPPED_MOMENTS = float(np.exp(-kernel.SKIP_BELOW))  # and second moments, to which far points contribute more
TOLERANCE = 3e-5  # estimated error of ln w in float32, of which results show a third at most (docs/benchmarks.md)

_FEWEST = 2048  # points from which a search tree may pay
_DOUBLE, _DIFFERENCES = 4.0, 1.2  # time of plain float64, and of float32 differences, in units of float32 products
_PILOT, _CELLS = 8, 10  # queries that try a noise ratio; plans per factor of ten in r
_MANY, _LISTED = 128, 32  # queries of whose survivors a plan is worth the making; listed at a time


class Plan(NamedTuple):
    """How a query at one noise ratio is summed over the points.

    `engine`: "plain" (every point, direct differences), "vectors" (every point, float32, explicit vector
    instructions) or "pruned" (the points that carry the posterior, in float64, all but 1e-12 of the weight).
    `survivors`: mean number of points that carry it at planted queries, where a pilot counted them.
    `reason`: one sentence for a person.  A query for which the engine would not be accurate, or pruning not
    pay, is summed by the next slower one.
    """

    engine: str
    survivors: float | None
    reason: str


class PlannedSums:
    """The `Sums` over centred points (N, D), by the kernel that `plan` names, and `Survivors`; results in float64."""

    def __init__(self, points: Array, dtype: str, engine: str, block: int | None):
        arguments.one_of(engine, ENGINES, "engine")
        if engine == "vectors" and dtype != "float32":
            raise arguments.fail("engine", engine, 'needs dtype="float32": its arithmetic is single precision')
        if engine == "vectors" and not LANES:
            raise arguments.fail("engine", engine, "needs a processor with AVX2 or AVX-512: use plain")
        self.points, self.dtype, self.engine, self.block = points, dtype, engine, block
        kernel.block_size(len(points), points.shape[1], dtype, block)  # raises
        self._plans: dict[int, tuple[Plan, Walk]] = {}

    def plan(self, r: float) -> Plan:
        """The plan at noise ratio r: the same for all r within a tenth of a decade."""
        return self._planned(r)[0]

    def sums(self, x: Array, r: Array) -> Sums:
        """Sums of the queries x (Q, D) at noise ratios r (Q,), by their plans."""
        alike = _alike(r)
        if len(alike) == 1:
            return self._carried_out(x, r)
        results = [self._carried_out(x[these], r[these]) for these in alike]
        back = np.argsort(np.concatenate(alike))
        return Sums._make(field[back] for field in concatenated(results))

    def survivors(self, x: Array, r: Array) -> Iterator[Survivors]:
        """All but e^-60 of the weight at each of the queries x (Q, D), noise ratios r (Q,), in their order.

        Through the tree where the plan says pruned, if there is a plan or queries are so many that it pays to make one;
        else from all distances.  Which of these it was shows only in the time.
        """
        for start in range(0, len(x), _LISTED):
            some, ratios = x[start : start + _LISTED], r[start : start + _LISTED]
            listed = self._listed(some, ratios, plan=len(x) >= _MANY)
            for q, (query, ratio) in enumerate(zip(some, ratios, strict=True)):
                yield listed.get(q) or survivors(self.points, query, float(ratio), SKIPPED_MOMENTS)

    def _listed(self, x: Array, r: Array, plan: bool) -> dict[int, Survivors]:
        """What the tree finds for some queries, by their place."""
        found: dict[int, Survivors] = {}
        for these in _alike(r):
            ratio = float(r[these[0]])
            if (plan or int(_cell(np.float64(ratio))) in self._plans) and self.plan(ratio).engine == "pruned":
                kept = survivors_of(self._tree, x[these], r[these], SKIPPED_MOMENTS, self._planned(ratio)[1])
                found |= {int(q): one for q, one in zip(these, kept, strict=True) if one.index.size}
        return found

    # ---- the plan -------------------------------------------------------------------------------

    def _carried_out(self, x: Array, r: Array) -> Sums:
        """The sums at noise ratios r (Q,) that share a plan."""
        plan, walk = self._planned(float(r[0]))
        if plan.engine == "pruned":
            return self._pruned(x, r, walk)
        if plan.engine == "vectors":
            return self._vectors(x, r)
        return self._plain(x, r) if self.engine == "plain" else self._plain_double(x, r)

    def _planned(self, r: float) -> tuple[Plan, Walk]:
        """The plan, and the walk of the tree if it is pruned."""
        cell = int(_cell(np.float64(r)))
        if cell not in self._plans:
            self._plans[cell] = self._choose(10.0 ** (cell / _CELLS))
        return self._plans[cell]

    def _choose(self, r: float) -> tuple[Plan, Walk]:
        n_points = len(self.points)
        if self.engine in ("plain", "vectors"):
            return Plan(self.engine, None, "as asked"), BOXES
        x, ratios = self._pilot(r)
        brute_force, price, why = self._brute_force(x, ratios)
        if self.engine == "auto" and n_points < _FEWEST:
            return Plan(brute_force, None, f"{n_points} points are few; {why}"), BOXES
        found = prices(self._tree, x, ratios, SKIPPED)
        walk = BOXES if found.cheapest is None else found.cheapest
        if walk == BOXES:
            self._tree.release()
        if self.engine == "pruned":
            return Plan("pruned", found.survivors, "as asked"), walk
        if found.cheapest is None:
            return Plan(brute_force, None, f"too many points carry the posterior at r = {r:.2g}; {why}"), walk
        carried = f"{found.survivors:.0f} of {n_points} points carry the posterior at r = {r:.2g}"
        gain = price * found.brute_force / found.walks[walk]
        if gain <= 1:
            return Plan(brute_force, found.survivors, f"{carried}, to find them costs more than all; {why}"), walk
        return Plan("pruned", found.survivors, f"{carried}; about {gain:.2g} times faster than all"), walk

    def _brute_force(self, x: Array, r: Array) -> tuple[str, float, str]:
        """Engine for all points, its price in units of explicit vectors from products, and why it is the one."""
        if self.dtype == "float64":
            return "plain", _DOUBLE, "float64 asked for"
        if not LANES:
            return "plain", _DOUBLE, "no vector instructions known for this processor"
        if self._products_suffice(x, r).all():
            return "vectors", 1.0, "single precision suffices"
        if self._rounding(x, r, self.points.shape[1] * r).max() <= TOLERANCE:
            return "vectors", _DIFFERENCES, "single precision suffices"
        return "plain", _DOUBLE, "single precision would not suffice"

    def _pilot(self, r: float) -> tuple[Array, Array]:
        """Planted queries that try a noise ratio; always the same, whatever the caller asks."""
        rng = np.random.default_rng(0)
        planted = self.points[rng.integers(len(self.points), size=_PILOT)]
        return planted + np.sqrt(r) * rng.standard_normal(planted.shape), np.full(_PILOT, r)

    # ---- the engines, and what stands in for them -----------------------------------------------

    def _pruned(self, x: Array, r: Array, walk: Walk) -> Sums:
        pruned = pruned_sums(self._tree, x, r, SKIPPED, walk)
        brute_force = self._vectors if self.dtype == "float32" and LANES else self._plain_double
        return _completed(pruned.sums, ~pruned.finished, x, r, brute_force)

    def _vectors(self, x: Array, r: Array) -> Sums:
        """By explicit vectors where single precision suffices: from products, else from differences, else float64."""
        if self._products_suffice(x, r).all():
            return brute.brute_sums(self._packed, x, r)
        sums = brute.brute_sums(self._packed, x, r, direct=True)
        return _completed(sums, self._rounding(x, r, sums.mean_square_distance) > TOLERANCE, x, r, self._plain_double)

    def _plain(self, x: Array, r: Array) -> Sums:
        if self.dtype == "float64":
            return self._plain_double(x, r)
        sums = kernel.posterior_sums(self.points, self._single_panels, x, r)
        return _completed(sums, self._rounding(x, r, sums.mean_square_distance) > TOLERANCE, x, r, self._plain_double)

    def _plain_double(self, x: Array, r: Array) -> Sums:
        return kernel.posterior_sums(self.points, self._double_panels, x, r)

    def _products_suffice(self, x: Array, r: Array) -> Flags:
        if self.points.shape[1] <= brute.SMALL_DIM:  # always from differences
            return np.zeros(len(x), bool)
        return brute.gram_error(self._radius, x, r) <= TOLERANCE

    def _rounding(self, x: Array, r: Array, square_distances: Array) -> Array:
        """Error of ln w (Q,) from rounding points and queries to float32: 2^-23 (|x| + max|y|) |x-y|/r."""
        length = np.sqrt(np.einsum("qd,qd->q", x, x)) + self._radius
        return 2.0**-23 * length * np.sqrt(square_distances) / r

    # ---- what they need, built when first needed ------------------------------------------------

    @cached_property
    def _tree(self) -> Tree:
        return Tree.of(self.points)

    @cached_property
    def _packed(self) -> brute.Packed:
        return brute.pack(self.points)

    @cached_property
    def _double_panels(self) -> Array:
        return kernel.in_panels(self.points, self._block("float64"), "float64")

    @cached_property
    def _single_panels(self) -> NDArray[np.float32]:
        return kernel.in_panels(self.points, self._block("float32"), "float32")

    def _block(self, dtype: str) -> int:
        return kernel.block_size(len(self.points), self.points.shape[1], dtype, self.block)

    @cached_property
    def _radius(self) -> float:
        return float(np.sqrt(np.max(np.einsum("nd,nd->n", self.points, self.points))))


def _cell(r: Array | np.float64) -> NDArray[np.int64]:
    return np.rint(_CELLS * np.log10(r)).astype(np.int64)


def _alike(r: Array) -> list[NDArray[np.intp]]:
    """The places of the noise ratios that share a plan."""
    cells = _cell(r)
    if np.ptp(cells) == 0:
        return [np.arange(len(r))]
    return [np.flatnonzero(cells == cell) for cell in np.unique(cells)]


def _completed(sums: Sums, missing: Flags, x: Array, r: Array, instead: Callable[[Array, Array], Sums]) -> Sums:
    """`sums` with the rows of the `missing` queries from another engine."""
    if missing.any():
        for whole, part in zip(sums, instead(x[missing], r[missing]), strict=True):
            whole[missing] = part
    return sums
