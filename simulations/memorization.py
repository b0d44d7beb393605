"""Is a generated sample a copy? Two published criteria, with standard errors."""

from typing import NamedTuple

from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.estimate import Estimate, fraction
from .neighbours import two_nearest


class Novelty(NamedTuple):
    """Fractions of generated samples, adding up to 1."""

    memorized: Estimate
    spurious: Estimate
    generalized: Estimate


def memorized_fraction(samples: ArrayLike, training: ArrayLike, threshold: float = 1 / 3) -> Estimate:
    """Fraction of `samples` (n, D) with |x - y_1| < `threshold`·|x - y_2|, y_1 and y_2 the two nearest training points.

    A ratio of distances; that of squares is its square, 1/9. Exact copies count as memorized, of duplicated points as
    well. Fresh samples of the law have such a ratio at times: in d dimensions, with many points, with probability
    threshold^d (derived, docs/dynamics.md §6). ValueError: threshold not in (0, 1), fewer than two training points.
    Source: arXiv 2505.17638.
    """
    if arguments.positive_scalar(threshold, "threshold") >= 1:
        raise arguments.fail("threshold", threshold, "must lie between 0 and 1")
    nearest, second = two_nearest(samples, training).distance.T
    return fraction((nearest < threshold * second) | (nearest == 0))


def novelty(samples: ArrayLike, training: ArrayLike, near_training: float, near_samples: float) -> Novelty:
    """Split of `samples` (n, D), n ≥ 2, into memorized, spurious and generalized.

    Memorized: a training point within the distance `near_training`. Spurious: not so, but another sample within
    `near_samples` (an attractor that is no training point, reached repeatedly). Generalized: neither.
    The fraction of spurious samples grows with n. Standard errors take samples as independent; spurious ones come in
    groups of at least two, so theirs is too small by the square root of the typical group.
    ValueError: distances ≤ 0, shapes that do not fit. Source: arXiv 2505.21777.
    """
    near_training = arguments.positive_scalar(near_training, "near_training")
    near_samples = arguments.positive_scalar(near_samples, "near_samples")
    memorized = two_nearest(samples, training).distance[:, 0] <= near_training
    # a sample's nearest sample is itself, or a duplicate at the same distance 0
    repeated = two_nearest(samples, samples).distance[:, 1] <= near_samples
    spurious = ~memorized & repeated
    return Novelty(fraction(memorized), fraction(spurious), fraction(~memorized & ~repeated))
