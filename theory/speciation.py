"""Speciation: when the classes of a mixture separate, and the probability that clones stay together."""

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, positive
from ..conventions.law import Law
from .integrals.first_crossing import first_crossing


def speciation(mixture: Law) -> float:
    """Noise ratio at which the class means rise above within-class spread and noise.

    λ_max[(W + r)^{-1/2} B (W + r)^{-1/2}] = 1, B the covariance of the class means, W that within classes.
    Two Gaussians ±m of variance v: r = |m|² - v; at v = 1 this is the OU time t_S = ½ ln |m|² of
    arXiv 2402.18491, where the clone probability is about 0.775.

    ValueError where the classes never separate (or are always separate). Source: docs/theory.md §4.5.
    """
    return first_crossing(
        mixture.class_signal,
        1.0,
        quantity="the signal of the class means over within-class spread and noise",
        given=("mixture", mixture),
    )


def clone_probability(mixture: Law, r: ArrayLike) -> Array:
    """φ(r) = E_x Σ_k P(k|x)²: the probability that two clones branched at r end in the same class.

    The class-level twin of the participation Y; from Σ w_k² at large noise to 1. `r` > 0 of any shape.
    Source: arXiv 2402.18491; docs/theory.md §4.5.
    """
    ratios = positive(r, "r")
    values = [float(np.trace(mixture.class_overlap(float(ratio)))) for ratio in ratios.ravel()]
    return np.reshape(values, ratios.shape)
