"""The replica-symmetric information of y = f(W z/√d): a scalar channel and one order parameter.

With u = √q V + √(1-q) w the pre-activation, V known and w not (all standard normal), let

    Δ(q) = I(w; f(u) + √r ξ | V)   in nats,

what one output still says about w when the overlap q is known. The information per latent dimension is

    I/d = min_{0≤q<1} F(q),   F(q) = α Δ(q) - ½[q + ln(1-q)],   α = D/d;

minima other than the lowest are metastable states. Derived from the notes' form (theory notes §7) by q̂ = q/(1-q)
and Ψ(1) - Ψ(q) = Δ(q); arXiv 2502.04339.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import erf

from theory.validation import Array, fail, one_of, positive, positive_scalar

Function = Callable[[Array], Array]

ACTIVATIONS: dict[str, Function] = {
    "linear": lambda u: u,
    "tanh": np.tanh,
    "erf": erf,
    "relu": lambda u: np.maximum(u, 0.0),
    "sign": np.sign,
    "sin": np.sin,
}
_LIMIT = 8.5  # normal variables beyond weigh 2e-17
_WIDE = 0.15  # √(1-q) above which one grid of u serves every V
_SMALLEST = 1e-4  # r, in units of the largest squared slope, that the wide grid resolves
_SHARPEST = 8.0  # √(1-q) times slope over √r that the narrow grids resolve
_FAINT = 1e8  # r, likewise, above which Δ = E Var(f|V)/2r to 1e-8: no entropies, whose digits would cancel
_DEEPEST = 34.0  # -ln(1-q) up to which minima are looked for: 1 - q = 2e-15


class State(NamedTuple):
    """A minimum of F: overlap q of the latent variables with their posterior, and F there in nats."""

    overlap: float
    information: float


class ScalarChannel:
    """Δ(q) of an `activation` f, a name or a vectorised callable, at noise ratio `r`.

    Trapezoid sums, exact to rounding for smooth f; about 1e-5 for kinks and jumps at u = 0, 1e-3 for those elsewhere.
    Where r falls below 1e-4 of the squared slope of f the sums resolve only q close to 1: `least_depth`. Outputs of
    a few discrete values are without error at small r, and r enters only down to where they are told apart.
    ValueError for unknown names, values that are not finite, constant f.
    """

    def __init__(self, activation: str | Function, r: float):
        self.f = activation_function(activation)
        self.r = positive_scalar(r, "r")
        u = np.asarray((np.arange(-4000, 4000) + 0.5) * (6.0 / 4000), dtype=np.float64)
        value = self.f(u)
        levels = np.unique(value)
        if len(levels) < 20:
            gap = float(np.diff(levels).min())
            self.slope = gap / 2
            self.r = max(self.r, gap**2 / 400)  # e^-50: neighbouring values are told apart without error
        else:
            self.slope = float(np.abs(np.diff(value) / np.diff(u)).max())
            if np.abs(np.diff(value)).max() > 0.1 * np.ptp(value):  # a jump among slopes
                self.slope = float(np.ptp(value)) / 2
        self.smooth = bool(np.abs(np.diff(value, 4)).max() < 1e-8 * np.ptp(value))  # a kink shows up as 1e-4
        self._grid = lru_cache(maxsize=1)(self._build_grid)

    @property
    def least_depth(self) -> float:
        """The least -ln(1-q) that the sums resolve."""
        if self.r >= _SMALLEST * self.slope**2:
            return 0.0
        return -2 * math.log(min(_WIDE, _SHARPEST * math.sqrt(self.r) / self.slope))

    def residual(self, depth: float) -> float:
        """Δ(q) at `depth` = -ln(1-q) ≥ 0, from I(u; Y) at q = 0 to 0 at q = 1."""
        overlap, spread = math.sqrt(-math.expm1(-depth)), math.exp(-depth / 2)
        if self.r > _FAINT * self.slope**2:
            return self._conditional_variance(overlap, spread) / (2 * self.r)
        excess = self._wide_entropy(overlap, spread) if spread > _WIDE else self._narrow_entropy(overlap, spread)
        return max(excess, 0.0)

    def _conditional_variance(self, overlap: float, spread: float) -> float:
        """E Var(f(u)|V)."""
        v, v_weight = _normal_nodes(0.02)
        w, w_weight = _normal_nodes(0.02)
        value = self.f(overlap * v[:, None] + spread * w)
        return float(v_weight @ ((value - (value @ w_weight)[:, None]) ** 2 @ w_weight))

    def _build_grid(self) -> tuple[Array, Array, Array]:
        """u (m,), Y (n,) and the kernel N(Y; f(u), r) (n, m), in units that make Σ_Y √r a probability."""
        root = math.sqrt(self.r)
        step = min(_WIDE / 3, 0.6 * root / self.slope) / (1 if self.smooth else 8)
        half = math.ceil(_LIMIT / step)
        # u = 0, where kinks and jumps like to be, lies between two nodes
        u = np.asarray((np.arange(-half, half) + 0.5) * step, dtype=np.float64)
        value = self.f(u)
        y = np.arange(value.min() - 8 * root, value.max() + 8 * root, root / 2)
        return u, y, np.exp(-0.5 * ((y[:, None] - value) / root) ** 2) / math.sqrt(2 * math.pi * self.r)

    def _wide_entropy(self, overlap: float, spread: float) -> float:
        u, y, kernel = self._grid()
        v, weight = _normal_nodes(min(0.25, 1.5 * spread))
        conditional = np.exp(-0.5 * ((u[:, None] - overlap * v) / spread) ** 2)
        density = kernel @ (conditional / conditional.sum(axis=0))  # (Y, V)
        entropy = -_xlogx(density).sum(axis=0) * (y[1] - y[0])
        return float(weight @ entropy) - 0.5 * math.log(2 * math.pi * math.e * self.r)

    def _narrow_entropy(self, overlap: float, spread: float) -> float:
        """Every V with its own small grid of w and Y."""
        root = math.sqrt(self.r)
        ratio = spread * self.slope / root
        w, w_weight = _normal_nodes(min(0.25, 0.6 / max(ratio, 1e-9)) / (1 if self.smooth else 4))
        v, v_weight = _normal_nodes(0.2 if self.smooth else max(min(0.1, spread / 1.5), 8e-3))
        total = 0.0
        for start in range(0, len(v), 64):
            value = self.f(overlap * v[start : start + 64, None] + spread * w)  # (V, w)
            middle, reach = 0.5 * (value.min(axis=1) + value.max(axis=1)), 0.5 * np.ptp(value, axis=1).max()
            offset = np.arange(-reach - 8 * root, reach + 8 * root + root / 2, root / 2)
            y = middle[:, None] + offset
            kernel = np.exp(-0.5 * ((y[:, :, None] - value[:, None]) / root) ** 2) / math.sqrt(2 * math.pi * self.r)
            entropy = -_xlogx(kernel @ w_weight).sum(axis=1) * root / 2
            total += float(v_weight[start : start + 64] @ entropy)
        return total - 0.5 * math.log(2 * math.pi * math.e * self.r)


def activation_function(activation: str | Function) -> Function:
    """f by name, or a callable checked on |u| ≤ 8.5. ValueError for what cannot be one."""
    if isinstance(activation, str):
        one_of(activation, ACTIVATIONS, "activation")
        return ACTIVATIONS[activation]
    if not callable(activation):
        raise fail("activation", activation, f"must be one of {', '.join(ACTIVATIONS)}, or a callable")
    u = np.linspace(-_LIMIT, _LIMIT, 4001)
    value = np.asarray(activation(u), dtype=np.float64)
    if value.shape != u.shape or not np.all(np.isfinite(value)) or np.ptp(value) == 0:
        raise fail("activation", activation, f"must be vectorised, finite on |u| ≤ {_LIMIT} and not constant")
    return activation


def states(activation: str | Function, r: float, alpha: float) -> tuple[State, ...]:
    """All minima of F, lowest information first: the equilibrium state, then metastable ones.

    `alpha` = D/d > 0. There are several where a first-order transition is near: the posterior then may sit in a
    state from which no local algorithm finds the better one. ValueError as for `ScalarChannel`, and where r is so
    small that the equilibrium itself is not resolved (α ≤ 1, or f not one-to-one, at r below 1e-4 squared slopes).
    """
    channel, alpha = ScalarChannel(activation, r), positive_scalar(alpha, "alpha")

    @lru_cache(maxsize=256)
    def potential(depth: float) -> float:
        return alpha * channel.residual(depth) + 0.5 * (depth + math.expm1(-depth))

    least = channel.least_depth
    deepest = min(_DEEPEST, max(8.0, 6.0 + math.log1p(alpha * channel.slope**2 / channel.r)))
    depths = least + np.concatenate([[0.0], np.geomspace(1e-3 if least == 0 else 0.05, deepest - least, 32)])
    if least > 0 and potential(float(depths[0])) <= potential(float(depths[1])):
        raise fail("r", r, f"too small: the information at α = {alpha:g} depends on details finer than the sums")
    values = np.array([potential(float(depth)) for depth in depths])
    found = []
    lowest = (values <= np.append(values[1:], np.inf)) & (values <= np.append(np.inf, values[:-1]))
    for i in map(int, np.flatnonzero(lowest)):
        around = float(depths[max(i - 1, 0)]), float(depths[min(i + 1, len(depths) - 1)])
        best = minimize_scalar(potential, bounds=around, method="bounded", options={"xatol": 1e-9 * around[1]})
        depth = float(best.x) if best.fun < values[i] else float(depths[i])
        found.append(State(-math.expm1(-depth), float(potential(depth))))
    return tuple(sorted(found, key=lambda state: state.information))


def information_density(activation: str | Function, r: float, alpha: float) -> float:
    """I/d in nats per latent dimension: the lowest minimum of F at `alpha` = D/d. ValueError as for `states`."""
    return states(activation, r, alpha)[0].information


def spinodals(activation: str | Function, alpha: float, r: ArrayLike) -> tuple[float, float] | None:
    """Noise ratios between which a metastable state accompanies the equilibrium, at `alpha` = D/d.

    `r` (n,) increasing: where to look; each end is located by bisection to 1e-3 relative, or is the end of `r`
    itself where the states still coexist there. None where there is one state at every r of the list.
    """
    grid = positive(r, "r")
    many = [len(states(activation, float(ratio), alpha)) > 1 for ratio in grid]
    if not any(many):
        return None
    first, last = many.index(True), len(many) - 1 - many[::-1].index(True)

    def edge(single: float, several: float) -> float:
        while abs(math.log(single / several)) > 1e-3:
            middle = math.sqrt(single * several)
            single, several = (single, middle) if len(states(activation, middle, alpha)) > 1 else (middle, several)
        return several

    low = float(grid[first]) if first == 0 else edge(float(grid[first - 1]), float(grid[first]))
    high = float(grid[last]) if last == len(grid) - 1 else edge(float(grid[last + 1]), float(grid[last]))
    return low, high


def _normal_nodes(step: float) -> tuple[Array, Array]:
    half = math.ceil(_LIMIT / step)
    nodes = np.asarray((np.arange(-half, half) + 0.5) * (_LIMIT / half), dtype=np.float64)
    weight = np.exp(-0.5 * nodes**2)
    return nodes, weight / weight.sum()


def _xlogx(density: Array) -> Array:
    return density * np.log(np.maximum(density, 1e-300))
