"""Replica-symmetric state of a hidden manifold y = f(W z/√d): overlaps, potential, information per latent dimension."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from scipy.optimize import brentq, root_scalar

from ...conventions.arguments import positive_scalar
from .activation import Activation
from .output_channel import STANDARD, Orders, channel_averages

_SEARCH = Orders(field=6, output=8, inner=20, step=0.8)  # enough to tell on which side of a fixed point one is
_STEP = 0.8  # of the search in ln q̂
_FAINT = -16.0  # ln q̂ below which an overlap that grows from zero is called zero
_UNINFORMED = 1e-12  # S(0)/S(½) below which the drive at zero overlap vanishes by symmetry


@dataclass(frozen=True)
class ReplicaState:
    """A fixed point of state evolution; quantities per latent dimension, in nats.

    `overlap` q between the latent point and its posterior mean, `residual` 1 - q, `potential` (the lowest of all
    states is the information I/d), `dimension` α E Var(y|x)/r, `stable`: a local minimum of the potential.
    """

    overlap: float
    residual: float
    potential: float
    dimension: float
    stable: bool


@dataclass(frozen=True)
class ReplicaTheory:
    """The limit d → ∞ at fixed α = D/d of x = f(W z/√d) + √r ξ with standard Gaussian W, z, ξ.

    I/d = min_q {α J(q) + ½[-ln(1-q) - q]}, J(q) = I(f(u); x | V) of the scalar channel u ~ N(√q V, 1-q). Stationary
    where q̂ = q/(1-q) obeys q̂ = α S(q): state evolution. Exact for d → ∞ (Bayes-optimal generalized linear
    model, arXiv 1708.03395), as used for manifolds in arXiv 2502.09578, 2502.04339; docs/hidden_manifold.md §1.
    """

    activation: Activation
    alpha: float
    orders: Orders = STANDARD

    def __post_init__(self) -> None:
        positive_scalar(self.alpha, "alpha")

    def equilibrium(self, r: float) -> ReplicaState:
        """The state of lowest potential: I/d and d(r)/d at noise ratio r > 0."""
        return min(self.states(r), key=lambda state: state.potential)

    def states(self, r: float) -> tuple[ReplicaState, ...]:
        """All fixed points by rising overlap: minima of the potential, and the maxima between them.

        Even f have the uninformed one, q = 0. A pair closer than a factor 2 in q̂ may be missed.
        """
        return _states(self, positive_scalar(r, "r"))

    def iterate(self, r: float, overlap: float, steps: int) -> list[float]:
        """State evolution q → αS(q)/(1 + αS(q)) from 0 ≤ `overlap` < 1: the overlaps that message passing reaches."""
        path = [overlap]
        for _ in range(steps):
            q = path[-1]
            field = self.alpha * channel_averages(self.activation, q, 1 - q, r, self.orders).drive
            path.append(field / (1 + field))
        return path

    def log_drive(self, log_field: float, r: float, orders: Orders | None = None) -> float:
        """ln[α S(q, r)] at q̂ = e^log_field; equal to log_field at a fixed point."""
        q, v = overlap_at(log_field)
        drive = channel_averages(self.activation, q, v, r, orders or self.orders).drive
        return math.log(max(self.alpha * drive, 1e-300))

    def state(self, log_field: float, r: float, stable: bool = True) -> ReplicaState:
        """The quantities at q̂ = e^log_field, a fixed point or not."""
        q, v = overlap_at(log_field)
        averages = channel_averages(self.activation, q, v, r, self.orders)
        price = 0.5 * (-math.log1p(-q) - q if q < 0.5 else -math.log(v) - q)
        return ReplicaState(q, v, self.alpha * averages.information + price, self.alpha * averages.error / r, stable)


def overlap_at(log_field: float) -> tuple[float, float]:
    """q = q̂/(1+q̂) and 1 - q, both to full precision."""
    if log_field == -math.inf:
        return 0.0, 1.0
    return 1 / (1 + math.exp(-log_field)), 1 / (1 + math.exp(log_field))


@lru_cache(maxsize=4096)
def _states(theory: ReplicaTheory, r: float) -> tuple[ReplicaState, ...]:
    found = tuple(_fixed_points(theory, r, _SEARCH)) or tuple(_fixed_points(theory, r, theory.orders))
    if not found:
        raise ValueError(f"r = {r:g}: state evolution has no fixed point within the accuracy of the averages")
    return found


def _fixed_points(theory: ReplicaTheory, r: float, orders: Orders) -> Iterator[ReplicaState]:
    low = theory.log_drive(-math.inf, r, orders) - 0.01
    if low < theory.log_drive(0.0, r, orders) + math.log(_UNINFORMED):
        low = _FAINT
        yield theory.state(-math.inf, r, stable=theory.log_drive(low, r, orders) < low)
    high = _highest_field(theory, r)

    a, before = low, theory.log_drive(low, r, orders) - low
    while a < high:
        # S grows with q: where αS exceeds q̂ no fixed point lies between ln q̂ and ln αS
        b = min(a + max(_STEP, 0.98 * before), high)
        after = theory.log_drive(b, r, orders) - b
        root = _root(theory, r, a, b, orders) if before * after < 0 else None
        if root is not None:
            yield theory.state(root, r, stable=before > 0)
        a, before = b, after


def _root(theory: ReplicaTheory, r: float, a: float, b: float, orders: Orders) -> float | None:
    """The fixed point ln q̂ in [a, b]: first by the coarse averages, then a few steps with the accurate ones."""

    def excess(log_field: float, orders: Orders) -> float:
        return theory.log_drive(log_field, r, orders) - log_field

    near = brentq(excess, a, b, args=(orders,), xtol=1e-5, rtol=1e-12)
    exact = root_scalar(
        excess, args=(theory.orders,), method="secant", x0=near, x1=near + 1e-4, xtol=1e-9, rtol=1e-12, maxiter=8
    )
    if exact.converged and a <= exact.root <= b:
        return float(exact.root)
    if excess(a, theory.orders) * excess(b, theory.orders) > 0:
        return None
    return float(brentq(excess, a, b, args=(theory.orders,), xtol=1e-10, rtol=1e-12))


def _highest_field(theory: ReplicaTheory, r: float) -> float:
    """A bound on ln q̂: S ≤ max f'²/r for continuous f, and of order (number of jumps)/√(1-q) for jumps."""
    branches = theory.activation.branches
    smooth = theory.alpha * max(branch.steepest for branch in branches) ** 2 / r
    jumps = (4 * theory.alpha * len(branches)) ** 2 if theory.activation.jumps else 0.0
    return math.log(2 * (smooth + jumps)) + 0.1
