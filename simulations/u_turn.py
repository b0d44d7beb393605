"""U-turn: noise a clean point up to r, run the reverse process back to 0, and ask what came back."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..conventions import arguments
from ..conventions.progress import tracked
from ..manifolds.linear import Linear
from ..manifolds.mixture import Mixture
from .clones import Ends, Meeting, labels_of, meeting, reverse_ends
from .empirical_score import EmpiricalScore


def u_turn(
    law: EmpiricalScore | Linear | Mixture,
    ratios: ArrayLike,
    rng: np.random.Generator,
    n_trials: int = 1000,
    labels: ArrayLike | None = None,
) -> Meeting:
    """Fractions that return to their own training point or class after a turn at each of `ratios`, and E|y - y'|².

    Clean y, x = y + √r ξ, then an exact reverse trajectory to y'. Given x, y and y' are independent draws of one
    posterior (Bayes), so that a U-turn has the law of a pair of clones: same point E w_1 = E Y, same class φ(r),
    E|y - y'|² = 2r d(r). Arguments and errors as `clones`.
    Source: arXiv 2308.07421, 2402.16991; derived in docs/dynamics.md §3.
    """
    ratios, classes = np.atleast_1d(arguments.positive(ratios, "ratios")), labels_of(law, labels)
    if arguments.positive_integer(n_trials, "n_trials") < 2:
        raise arguments.fail("n_trials", n_trials, "must be ≥ 2, for an error bar")
    trips = []
    for r in tracked(list(ratios), "U-turns"):
        begin = _begin(law, n_trials, rng, classes)
        x = begin.y + np.sqrt(r) * rng.standard_normal(begin.y.shape)
        trips.append((begin, reverse_ends(law, x, float(r), rng, classes)))
    return meeting(ratios, trips)


def _begin(
    law: EmpiricalScore | Linear | Mixture, n: int, rng: np.random.Generator, labels: NDArray[Any] | None
) -> Ends:
    rng = arguments.generator(rng)
    if isinstance(law, EmpiricalScore):
        pattern = rng.integers(law.n_points, size=n)
        return Ends(law.training_points(pattern), pattern, None if labels is None else labels[pattern])
    if isinstance(law, Mixture):
        y, label = law.sample_labelled(n, rng)
        return Ends(y, None, label)
    return Ends(law.sample(n, rng), None, None)
