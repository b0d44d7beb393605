"""Scalar nonlinearities cut where they bend: monotone branches with a numerical inverse, and smooth panels in them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import erf

from ...conventions.arguments import Array, fail

LIMIT = 8.5  # pre-activations u ~ N(0, 1) beyond ±8.5 weigh 2e-17
_COARSE, _FINE = 2**13, 2**16  # cells of the table that finds the features, and of each branch's inverse
_DEGREE, _SMOOTH = 15, 1e-9  # a panel is smooth when this polynomial degree fits it to this relative error
_KINK = 1e-8  # the same for one cell of the coarse table: what fails it is a kink or a jump
_MOST_FEATURES = 400
_ROUNDING = 256 * np.finfo(np.float64).eps  # of the values of f: what processors and libraries differ by, with room
_DEEPEST, _MOST_PANELS = 12, 512  # of one branch: halvings, and panels in all
_BETWEEN = np.linspace(-0.99, 0.99, 33)

Function = Callable[[Array], Array]

NAMED: dict[str, Function] = {
    "linear": lambda u: u,
    "tanh": np.tanh,
    "erf": erf,
    "relu": lambda u: np.maximum(u, 0.0),
    "sign": np.sign,
    "sin": np.sin,
}


@dataclass(frozen=True)
class Branch:
    """An interval (start, end) on which f is smooth and monotone (or constant), cut into smooth panels (n, 2)."""

    function: Function
    start: float
    end: float
    panels: Array

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        u = np.linspace(self.start, self.end, _FINE + 1)
        value = self.function(u)
        return (u, value) if value[-1] >= value[0] else (u[::-1], value[::-1])

    @property
    def lowest(self) -> float:
        """inf f on the branch."""
        return float(self._table[1][0])

    @property
    def highest(self) -> float:
        """sup f on the branch."""
        return float(self._table[1][-1])

    @property
    def direction(self) -> int:
        """+1 where f rises or is constant, -1 where it falls."""
        u, _ = self._table
        return 1 if u[-1] > u[0] else -1

    @cached_property
    def steepest(self) -> float:
        """max |f'| on the branch."""
        u, value = self._table
        return float(np.max(np.abs(np.diff(value) / np.diff(u))))

    def preimage(self, low: Array, high: Array) -> tuple[Array, Array]:
        """The interval of u on which low ≤ f ≤ high, to 1e-8 in u where f is smooth; empty ones come as u ≥ u'."""
        u, value = self._table
        if self.lowest == self.highest:
            inside = (low <= self.lowest) & (self.lowest <= high)
            return np.where(inside, self.start, self.end), np.full_like(low, self.end)
        ends = np.interp(low, value, u), np.interp(high, value, u)
        # a plateau of rounding at either end belongs to the preimage as a whole
        first = np.where(low <= self.lowest, u[0], ends[0])
        last = np.where(high >= self.highest, u[-1], ends[1])
        return (first, last) if self.direction > 0 else (last, first)

    def slope(self, u: Array) -> Array:
        """|f'(u)| by a five-point rule that stays inside the branch, relative error about 1e-9."""
        room = np.minimum(u - self.start, self.end - u)
        h = np.clip(room / 3, 1e-9, 1e-3)
        near = self.function(u + h) - self.function(u - h)
        far = self.function(u + 2 * h) - self.function(u - 2 * h)
        return np.abs(8 * near - far) / (12 * h)


class Activation:
    """f, known by name or any vectorised callable u → f(u), finite on |u| ≤ `limit`.

    `features` are the points where f turns, has a kink or jumps; between them lie the `branches`. Those of a callable
    are found on a table of step 0.002 and located to 1e-12; details finer than the table are missed, and so are
    kinks of less than 1e-5 in slope (both cost accuracy, not validity). ValueError for an unknown name, values
    that are not finite or not of the shape of u, or more than 400 features.
    """

    def __init__(self, activation: str | Function, limit: float = LIMIT):
        if isinstance(activation, str) and activation not in NAMED:
            raise fail("activation", activation, f"must be one of {', '.join(NAMED)}, or a callable")
        if not isinstance(activation, str) and not callable(activation):
            raise fail("activation", activation, f"must be one of {', '.join(NAMED)}, or a callable")
        self.name = activation if isinstance(activation, str) else getattr(activation, "__name__", "callable")
        self.given: Function = NAMED[activation] if isinstance(activation, str) else activation
        self.limit = limit
        self.parity = _parity(self(np.linspace(-limit, limit, 2001)))
        # ends at an odd place, so that neither a node nor the middle of a cell is a round number
        grid = np.linspace(-limit, limit - 7e-4 / math.sqrt(2), _COARSE + 1)
        values = self(grid)
        self.features = self._find_features(grid, values)
        self.branches = self._cut()

    def __call__(self, u: Array) -> Array:
        """f(u), shape of u."""
        value = np.asarray(self.given(u), dtype=np.float64)
        if value.shape != np.shape(u) or not np.all(np.isfinite(value)):
            raise ValueError(f"activation {self.name}: must be vectorised and finite on |u| ≤ 8.5")
        return value

    def _find_features(self, grid: Array, values: Array) -> Array:
        scale = np.ptp(values)
        if scale == 0:
            raise ValueError(f"activation {self.name}: must not be constant")
        broken = np.flatnonzero(_cubic_misfit(grid, self) > _KINK * scale)
        found = [self._bisect(grid[i], grid[i + 1]) for i in broken] if broken.size <= _MOST_FEATURES else [0.0] * 999
        steps = np.diff(values)
        moves = np.flatnonzero(np.abs(steps) > _ROUNDING * np.abs(values).max())  # elsewhere f is flat to rounding
        for i, j in pairwise(moves):
            if steps[i] * steps[j] < 0 and not any(grid[i] <= c <= grid[j + 1] for c in found):
                found.append(self._turning_point(grid[i], grid[j + 1], np.sign(steps[i])))
        if len(found) > _MOST_FEATURES:
            raise ValueError(f"activation {self.name}: more than {_MOST_FEATURES} kinks, jumps and turning points")
        features = np.sort(np.array(found))
        # neighbouring cells see the same kink
        return features[np.diff(features, prepend=-np.inf) > 4 * self.limit / _COARSE]

    def _bisect(self, low: float, high: float) -> float:
        """The kink or jump inside [low, high]: the half that a cubic fits worse, again and again."""
        while high - low > 1e-12:
            parts = np.array([low, low + 0.43 * (high - low), high])  # uneven: the kink may be in the middle
            worse = int(np.argmax(_cubic_misfit(parts, self)))
            low, high = parts[worse], parts[worse + 1]
        return 0.5 * (low + high)

    def _turning_point(self, low: float, high: float, rising: float) -> float:
        found = minimize_scalar(
            lambda u: -rising * float(self(np.array([u]))[0]), bounds=(low, high), options={"xatol": 1e-12}
        )
        return float(found.x)

    def _cut(self) -> list[Branch]:
        edges = np.concatenate([[-self.limit], self.features, [self.limit]])
        branches = []
        for left, right in pairwise(edges):
            start, end = float(left) + 2e-12, float(right) - 2e-12  # one-sided values at a jump
            branches.append(Branch(self, start, end, np.array(_smooth_panels(self, start, end))))
        return branches

    @property
    def jumps(self) -> bool:
        """Whether f is discontinuous."""
        after = [float(self(np.array([branch.start]))[0]) for branch in self.branches[1:]]
        before = [float(self(np.array([branch.end]))[0]) for branch in self.branches[:-1]]
        scale = max(branch.highest for branch in self.branches) - min(branch.lowest for branch in self.branches)
        return any(abs(a - b) > 1e-6 * scale for a, b in zip(after, before, strict=True))

    def range_over(self, low: Array, high: Array) -> tuple[Array, Array]:
        """min and max of f over the intervals [low, high]."""
        lowest, highest = np.full(low.shape, math.inf), np.full(low.shape, -math.inf)
        for branch in self.branches:
            ends = [self(np.clip(u, branch.start, branch.end)) for u in (low, high)]
            reached = (high > branch.start) & (low < branch.end)
            lowest = np.where(reached, np.minimum(lowest, np.minimum(*ends)), lowest)
            highest = np.where(reached, np.maximum(highest, np.maximum(*ends)), highest)
        return lowest, highest


def _parity(values: Array) -> int:
    """+1 for an even function, -1 for an odd one, 0 otherwise."""
    for sign in (1, -1):
        if np.max(np.abs(values - sign * values[::-1])) <= 1e-12 * np.ptp(values):
            return sign
    return 0


def _cubic_misfit(grid: Array, function: Function) -> Array:
    """Error at the middle of every cell of the cubic through four points of the cell."""
    left, width = grid[:-1], np.diff(grid)
    a, b, c, d, middle = (function(left + t * width) for t in (0.0, 0.25, 0.75, 1.0, 0.5))
    return np.abs(middle - (-a + 4 * b + 4 * c - d) / 6)


def _smooth_panels(function: Function, start: float, end: float) -> list[tuple[float, float]]:
    """[start, end] halved until a polynomial of degree 15 fits every part, at most 12 times.

    ValueError beyond 512 panels: details that small are rounding or noise, and every average would pay for them.
    """
    rounding = _ROUNDING * np.abs(function(0.5 * (start + end) + 0.5 * (end - start) * _BETWEEN)).max()
    pending, done = [(start, end, _DEEPEST)], []
    while pending:
        left, right, depth = pending.pop()
        if depth == 0 or _is_smooth(function, left, right, rounding):
            done.append((left, right))
        else:
            middle = 0.5 * (left + right)
            pending += [(middle, right, depth - 1), (left, middle, depth - 1)]
        if len(pending) + len(done) > _MOST_PANELS:
            raise ValueError(f"activation: {_MOST_PANELS} polynomials do not follow it from {start:.3g} to {end:.3g}")
    return done


def _is_smooth(function: Function, start: float, end: float, rounding: float) -> bool:
    """Whether the Chebyshev interpolant of degree 15 is good to 1e-9 of the range of f, or to its `rounding`.

    That of the whole run: f may be small where two large terms cancel, as u Φ(u) in its tail. Interpolated by discrete
    orthogonality: a least-squares fit leaves an error that depends on the processor.
    """
    middle, half = 0.5 * (start + end), 0.5 * (end - start)
    nodes = np.polynomial.chebyshev.chebpts1(_DEGREE + 1)
    fit = np.polynomial.chebyshev.chebinterpolate(lambda t: function(middle + half * t), _DEGREE)  # type: ignore[type-var]
    error = np.abs(np.polynomial.chebyshev.chebval(_BETWEEN, fit) - function(middle + half * _BETWEEN)).max()
    values = function(middle + half * nodes)
    return bool(error <= _SMOOTH * np.ptp(values) + max(rounding, _ROUNDING * np.abs(values).max()))
