"""Which kernel sums over the points, and why: brute force, plain or by explicit vectors, or certified pruning."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulations import kernel
from simulations.kernel import Sums
from simulations.pruning.choice import Choice, choose
from simulations.pruning.pruned_sums import BOXES, pruned_sums
from simulations.pruning.tree import Tree
from simulations.vectors import brute
from simulations.vectors.lanes import LANES
from theory import validation

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

ENGINES = ("auto", "plain", "vectors", "pruned")
SKIPPED = 1e-12  # share of the weight that pruning may leave out
TOLERANCE = 1e-5  # error of the weights from single precision, beyond which it is not used

_FEWEST = 2048  # points from which a search tree may pay
_PLAIN = {"float64": 4.0, "float32": 2.0}  # time of the plain kernel in units of that of explicit vectors
_PILOT, _CELLS = 8, 10  # queries that try a noise ratio; plans per factor of ten in r


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


class Engine:
    """The sums of `kernel.Sums` over centred points (N, D), by the kernel that `plan` names; results in float64."""

    def __init__(self, points: Array, dtype: str, engine: str, block: int | None):
        validation.one_of(engine, ENGINES, "engine")
        if engine == "vectors" and dtype != "float32":
            raise validation.fail("engine", engine, 'needs dtype="float32": its arithmetic is single precision')
        if engine == "vectors" and not LANES:
            raise validation.fail("engine", engine, "needs a processor with AVX2 or AVX-512: use plain")
        self.points, self.dtype, self.engine, self.given_block = points, dtype, engine, block
        kernel.block_size(*points.shape, dtype, block)  # raises
        self._plans: dict[int, tuple[Plan, int]] = {}

    def plan(self, r: float) -> Plan:
        """The plan at noise ratio r: the same for all r within a tenth of a decade."""
        return self._planned(r)[0]

    def sums(self, x: Array, r: Array) -> Sums:
        """Sums of the queries x (Q, D) at noise ratios r (Q,), by their plans."""
        if r.size and r.min() == r.max():
            return self._sums(x, r, *self._planned(float(r[0])))
        cells = _cell(r)
        results, order = [], []
        for cell in np.unique(cells):
            these = np.flatnonzero(cells == cell)
            results.append(self._sums(x[these], r[these], *self._planned(float(r[these[0]]))))
            order.append(these)
        if not results:
            return self._plain(x, r)
        back = np.argsort(np.concatenate(order))
        return Sums(*(np.concatenate(field)[back] for field in zip(*results, strict=True)))

    # ---- the choice -----------------------------------------------------------------------------

    def _planned(self, r: float) -> tuple[Plan, int]:
        cell = int(_cell(np.float64(r)))
        if cell not in self._plans:
            self._plans[cell] = self._choose(10.0 ** (cell / _CELLS))
        return self._plans[cell]

    def _choose(self, r: float) -> tuple[Plan, int]:
        """The plan, and the walk of the tree where it prunes."""
        brute_force = "vectors" if self.dtype == "float32" and LANES else "plain"
        if self.engine in ("plain", "vectors"):
            return Plan(self.engine, None, "as asked"), BOXES
        n_points, dim = self.points.shape
        if self.engine == "auto" and n_points < _FEWEST:
            return Plan(brute_force, None, f"few points: {n_points} < {_FEWEST}"), BOXES
        choice = self._pilot(r)
        if self.engine == "pruned":
            return Plan("pruned", choice.survivors, "as asked"), _fastest_walk(choice)
        price = choice.nanoseconds["brute force"] * (1.0 if brute_force == "vectors" else _PLAIN[self.dtype])
        walks = [value for way, value in choice.nanoseconds.items() if way != "brute force"]
        carried = f"{choice.survivors:.0f} of {n_points} points carry the posterior at r = {r:.2g}"
        if not walks:
            return Plan(brute_force, choice.survivors, f"more than the budget: {carried}"), BOXES
        if min(walks) >= price:
            return Plan(brute_force, choice.survivors, f"finding them costs more than all: {carried}"), BOXES
        factor = price / min(walks)
        return Plan("pruned", choice.survivors, f"{carried}; about {factor:.0f} times faster"), _fastest_walk(choice)

    def _pilot(self, r: float) -> Choice:
        rng = np.random.default_rng(0)  # which queries try the ratio must not depend on the caller
        planted = self.points[rng.integers(len(self.points), size=_PILOT)]
        x = planted + np.sqrt(r) * rng.standard_normal(planted.shape)
        return choose(self._tree, x, np.full(_PILOT, r), SKIPPED)

    # ---- the engines, and what stands in for them -----------------------------------------------

    def _sums(self, x: Array, r: Array, plan: Plan, walk: int) -> Sums:
        if plan.engine == "pruned":
            pruned = pruned_sums(self._tree, x, r, SKIPPED, walk)
            brute_force = self._vectors if self.dtype == "float32" and LANES else self._plain
            return _completed(pruned.sums, ~pruned.finished, x, r, brute_force)
        return self._vectors(x, r) if plan.engine == "vectors" else self._plain(x, r)

    def _vectors(self, x: Array, r: Array) -> Sums:
        """By explicit vectors where single precision suffices: products, else differences, else float64."""
        products = brute.gram_error(self._packed, x, r) <= TOLERANCE
        if products.all():
            return brute.brute_sums(self._packed, x, r)
        sums = brute.brute_sums(self._packed, x, r, direct=True)
        return _completed(sums, self._rounding(x, r, sums) > TOLERANCE, x, r, self._plain_double)

    def _plain(self, x: Array, r: Array) -> Sums:
        if self.dtype == "float64":
            return self._plain_double(x, r)
        sums = kernel.posterior_sums(self._single_panels, len(self.points), x, np.ascontiguousarray(r))
        return _completed(sums, self._rounding(x, r, sums) > TOLERANCE, x, r, self._plain_double)

    def _plain_double(self, x: Array, r: Array) -> Sums:
        return kernel.posterior_sums(self._double_panels, len(self.points), x, np.ascontiguousarray(r))

    def _rounding(self, x: Array, r: Array, sums: Sums) -> Array:
        """Error of ln w (Q,) from rounding points and queries to float32: 2^-23 (|x| + max|y|) |x-y|/r."""
        length = np.sqrt(np.einsum("qd,qd->q", x, x)) + self._radius
        return 2.0**-23 * length * np.sqrt(sums.mean_square_distance) / r

    # ---- what they need, built when first needed ------------------------------------------------

    @cached_property
    def _tree(self) -> Tree:
        return Tree.of(self.points)

    @cached_property
    def _packed(self) -> brute.Packed:
        return brute.pack(self.points)

    @cached_property
    def _double_panels(self) -> Array:
        return kernel.pack(self.points, kernel.block_size(*self.points.shape, "float64", self.given_block), "float64")

    @cached_property
    def _single_panels(self) -> NDArray[np.float32]:
        return kernel.pack(self.points, kernel.block_size(*self.points.shape, "float32", self.given_block), "float32")

    @cached_property
    def _radius(self) -> float:
        return float(np.sqrt(np.max(np.einsum("nd,nd->n", self.points, self.points))))


def _cell(r: Array | np.float64) -> NDArray[np.int64]:
    return np.rint(_CELLS * np.log10(r)).astype(np.int64)


def _fastest_walk(choice: Choice) -> int:
    """The walk with the lowest price: boxes, or the depth of the products in the order of the prices."""
    ways = [way for way in choice.nanoseconds if way != "brute force"]
    return ways.index(min(ways, key=lambda way: choice.nanoseconds[way])) + BOXES if ways else BOXES


def _completed(sums: Sums, missing: Flags, x: Array, r: Array, instead: object) -> Sums:
    """`sums` with the rows of the `missing` queries from another engine."""
    if missing.any():
        for whole, part in zip(sums, instead(x[missing], r[missing]), strict=True):  # type: ignore[operator]
            whole[missing] = part
    return sums
