"""Clones: reverse trajectories that share the noise down to r and run independently from there."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate, fraction
from ..conventions.law import Draws, ExactLaw
from ..conventions.progress import tracked
from .class_clones import class_labels
from .exact_draws import exact_law, noisy_points


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
    law: ExactLaw,
    ratios: ArrayLike,
    rng: np.random.Generator,
    n_pairs: int = 1000,
    labels: ArrayLike | None = None,
) -> Meeting:
    """Pairs of exact reverse trajectories branched at each of `ratios`: x ~ p_r, two independent ends.

    For N training points the probability to meet is the participation, E Y = E w_1 (`finite_size.participation` over
    data sets); for the classes of a mixture it is `theory.clone_probability`; and E|y - y'|² = 2 E tr C = 2r d(r).
    `labels` (N,): integer classes of the training points. All averages are over pairs, at fixed training points.
    ValueError: ratios ≤ 0, n_pairs < 2, labels of wrong shape or for a population, law without exact draws.
    Source: arXiv 2402.18491; derived in docs/dynamics.md §3.
    """
    law, ratios = exact_law(law), np.atleast_1d(arguments.positive(ratios, "ratios"))
    if arguments.positive_integer(n_pairs, "n_pairs") < 2:
        raise arguments.fail("n_pairs", n_pairs, "must be ≥ 2, for an error bar")
    pairs = []
    for r in tracked(list(ratios), "clones"):
        x = noisy_points(law, float(r), n_pairs, rng)
        one, other = (labelled(law, law.posterior_draws(x, float(r), rng), labels) for _ in range(2))
        pairs.append((one, other))
    return meeting(ratios, pairs)


def labelled(law: Any, ends: Draws, labels: ArrayLike | None) -> Draws:
    """`ends` with the classes of their training points, from integer `labels` (N,); as they are for None.

    ValueError for labels of another shape, or for a law without training points.
    """
    if labels is None:
        return ends
    if ends.index is None:
        raise arguments.fail("labels", labels, "must be left out: only training points carry labels")
    return ends._replace(label=class_labels(labels, law.n_points)[ends.index])


def meeting(ratios: Array, pairs: list[tuple[Draws, Draws]]) -> Meeting:
    """Averages over the pairs of ends at each of `ratios`."""
    squares = Estimate.of(np.array([np.sum((a.points - b.points) ** 2, axis=1) for a, b in pairs]))
    points = None if pairs[0][0].index is None else fraction(np.array([a.index == b.index for a, b in pairs]))
    classes = None if pairs[0][0].label is None else fraction(np.array([a.label == b.label for a, b in pairs]))
    return Meeting(ratios, points, classes, squares)
