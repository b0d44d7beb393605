"""U-turn: noise a clean point up to r, run the reverse process back to 0, and ask what came back."""

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.law import ExactLaw
from ..conventions.progress import tracked
from .clones import Meeting, labelled, meeting
from .exact_draws import exact_law


def u_turn(
    law: ExactLaw,
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
    law, ratios = exact_law(law), np.atleast_1d(arguments.positive(ratios, "ratios"))
    if arguments.positive_integer(n_trials, "n_trials") < 2:
        raise arguments.fail("n_trials", n_trials, "must be ≥ 2, for an error bar")
    trips = []
    for r in tracked(list(ratios), "U-turns"):
        begin = labelled(law, law.draws(n_trials, rng), labels)
        x = begin.points + np.sqrt(r) * rng.standard_normal(begin.points.shape)
        trips.append((begin, labelled(law, law.posterior_draws(x, float(r), rng), labels)))
    return meeting(ratios, trips)
