"""The reverse process: trajectories from noise to data, without discretisation error or by the usual integrators."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.law import ExactLaw
from ..conventions.progress import tracked
from ..conventions.score import Score
from .exact_draws import exact_law
from .integrators import Step, ancestral, bridge, euler_maruyama, exponential, heun

_STEPS: dict[str, Step] = {
    "euler_maruyama": euler_maruyama,
    "ancestral": ancestral,
    "ode": heun,
    "exponential": exponential,
}


class Trajectory(NamedTuple):
    """n trajectories at the noise ratios `ratios` (T,), decreasing; `x` has shape (T, n, D)."""

    ratios: Array
    x: Array


def reverse(
    law: Score | ExactLaw, x: ArrayLike, ratios: ArrayLike, rng: np.random.Generator, method: str = "exact"
) -> Trajectory:
    """Reverse trajectories from `x` (n, D) at ratios[0] down the decreasing grid `ratios`, in the VE convention.

    "exact": the clean end y is drawn from the posterior at the start, then x_s given x_t is the Brownian bridge
    towards it, N(y + (s/t)(x_t - y), s(t-s)/t). The law of the whole path is exact on any grid, and costs one pass
    over the points. `law`: EmpiricalScore, or a law with exact draws of its posterior.
    "euler_maruyama" and "ancestral" (frozen posterior mean) integrate the SDE to weak order 1, "exponential"
    (DDIM) and "ode" (Heun in √r) the probability flow to order 1 and 2; `law` is anything with a posterior mean.
    Errors measured: docs/dynamics.md.

    The last ratio may be 0 (a training point for "exact", the posterior mean otherwise) except for Euler–Maruyama.
    Memory T × n × D; `reverse_steps` keeps one time only. Progress on a terminal.
    ValueError: unknown method, ratios not decreasing, x of wrong shape, "exact" for a law without exact draws.
    Source: standard time reversal of diffusions; derived in docs/dynamics.md §1.
    """
    ratios, path = _grid(ratios, method), reverse_steps(law, x, ratios, rng, method)
    first = next(path)[1]
    points = np.empty((len(ratios), *first.shape))
    points[0] = first
    for k in tracked(range(1, len(ratios)), "reverse process"):
        points[k] = next(path)[1]
    return Trajectory(ratios, points)


def reverse_steps(
    law: Score | ExactLaw, x: ArrayLike, ratios: ArrayLike, rng: np.random.Generator, method: str = "exact"
) -> Iterator[tuple[float, Array]]:
    """The pairs (r, x at r) of `reverse` one after the other, the start included; same arguments and errors."""
    ratios, rng = _grid(ratios, method), arguments.generator(rng)
    points = arguments.numbers(x, "x")
    if points.ndim != 2 or points.size == 0:
        raise ValueError(f"x has shape {points.shape}: must have shape (n, D) with n ≥ 1")
    if method == "exact":
        ends = exact_law(law).posterior_draws(points, float(ratios[0]), rng)
        return bridge_steps(points, ends.points, ratios, rng)
    return _integrate(_STEPS[method], law, points, ratios, rng)  # type: ignore[arg-type]


def bridge_steps(x: Array, y: Array, ratios: Array, rng: np.random.Generator) -> Iterator[tuple[float, Array]]:
    """Brownian bridges from x (n, D) at ratios[0] towards the clean points y (n, D), at all `ratios`."""
    yield float(ratios[0]), x
    for t, s in pairwise(ratios):
        x = bridge(x, y, t, s, rng)
        yield float(s), x


def _integrate(
    step: Step, law: Score, x: Array, ratios: Array, rng: np.random.Generator
) -> Iterator[tuple[float, Array]]:
    yield float(ratios[0]), x
    for t, s in pairwise(ratios):
        x = step(law, x, float(t), float(s), rng)
        yield float(s), x


def _grid(ratios: ArrayLike, method: str) -> Array:
    arguments.one_of(method, ["exact", *_STEPS], "method")
    grid = arguments.nonnegative(ratios, "ratios")
    if grid.ndim != 1 or grid.size < 2 or not np.all(np.diff(grid) < 0):
        raise arguments.fail("ratios", grid, "must be a decreasing list of two or more noise ratios")
    if grid[-1] == 0 and method == "euler_maruyama":
        raise arguments.fail("ratios", grid, "must end above 0 for Euler–Maruyama, whose last step adds noise")
    return grid
