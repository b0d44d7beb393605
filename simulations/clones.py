"""Clones: reverse trajectories that share the noise down to r and run independently from there."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate, fraction
from ..conventions.progress import tracked
from ..manifolds.linear import Linear
from ..manifolds.mixture import Mixture
from .class_clones import class_labels
from .empirical_score import EmpiricalScore
from .engine.draw import draw_pattern
from .posterior_draw import draw_class, draw_clean, draw_of_class, start


class Ends(NamedTuple):
    """Where trajectories end: clean points (n, D), training patterns (n,), classes (n,); None where undefined."""

    y: Array
    pattern: NDArray[np.integer[Any]] | None
    label: NDArray[np.integer[Any]] | None


class Meeting(NamedTuple):
    """How often two trajectories meet, at each noise ratio.

    `same_point`: fractions that end on the same training point (None for a population). `same_class`: in the same
    class (None without classes). `square_distance`: mean |y - y'|² of the two ends.
    """

    ratios: Array
    same_point: Estimate | None
    same_class: Estimate | None
    square_distance: Estimate


def clones(
    law: EmpiricalScore | Linear | Mixture,
    ratios: ArrayLike,
    rng: np.random.Generator,
    n_pairs: int = 1000,
    labels: ArrayLike | None = None,
) -> Meeting:
    """Pairs of exact reverse trajectories branched at each of `ratios`: x ~ p_r, two independent ends.

    For N training points the probability to meet is the participation, E Y = E w_1 (`finite_size.participation` over
    data sets); for the classes of a mixture it is `theory.clone_probability`; and E|y - y'|² = 2 E tr C = 2r d(r).
    `labels` (N,): integer classes of the training points. All averages are over pairs, at fixed training points.
    ValueError: ratios ≤ 0, n_pairs < 2, labels of wrong shape or for a manifold, law without exact draws.
    Source: arXiv 2402.18491; derived in docs/dynamics.md §3.
    """
    ratios, classes = np.atleast_1d(arguments.positive(ratios, "ratios")), labels_of(law, labels)
    if arguments.positive_integer(n_pairs, "n_pairs") < 2:
        raise arguments.fail("n_pairs", n_pairs, "must be ≥ 2, for an error bar")
    pairs = []
    for r in tracked(list(ratios), "clones"):
        x = start(law, float(r), n_pairs, rng)
        pairs.append((reverse_ends(law, x, float(r), rng, classes), reverse_ends(law, x, float(r), rng, classes)))
    return meeting(ratios, pairs)


def reverse_ends(
    law: EmpiricalScore | Linear | Mixture, x: Array, r: float, rng: np.random.Generator, labels: Any = None
) -> Ends:
    """The ends of independent exact reverse trajectories from x (n, D) at noise ratio r."""
    if isinstance(law, EmpiricalScore):
        pattern = draw_pattern(law, x, r, rng)
        return Ends(law.training_points(pattern), pattern, None if labels is None else labels[pattern])
    if isinstance(law, Mixture):
        label = draw_class(law, x, r, rng)
        return Ends(draw_of_class(law, x, r, label, rng), None, label)
    return Ends(draw_clean(law, x, r, rng), None, None)


def meeting(ratios: Array, pairs: list[tuple[Ends, Ends]]) -> Meeting:
    """Averages over the pairs of ends at each of `ratios`."""
    squares = Estimate.of(np.array([np.sum((a.y - b.y) ** 2, axis=1) for a, b in pairs]))
    points = None if pairs[0][0].pattern is None else fraction(np.array([a.pattern == b.pattern for a, b in pairs]))
    classes = None if pairs[0][0].label is None else fraction(np.array([a.label == b.label for a, b in pairs]))
    return Meeting(ratios, points, classes, squares)


def labels_of(law: object, labels: ArrayLike | None) -> NDArray[np.integer[Any]] | None:
    """`labels` as integers (N,) for the N points of an `EmpiricalScore`, None for None; ValueError otherwise."""
    if labels is None:
        return None
    if not isinstance(law, EmpiricalScore):
        raise arguments.fail("labels", labels, "must be left out: only training points carry labels")
    return class_labels(labels, law.n_points)
