"""A measured fraction with an error bar that does not vanish when none or all of the trials succeed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.estimate import Estimate


def fraction(hits: NDArray[Any]) -> Estimate:
    """Fraction k/n of true entries over the last axis and its standard error √(p(1-p)/n) with p = (k+1)/(n+2).

    The binomial error at the posterior mean of p (Laplace's rule): about 1/n, not 0, where k = 0 or n.
    """
    n = hits.shape[-1]
    k = np.count_nonzero(hits, axis=-1)
    p = (k + 1) / (n + 2)
    mean, stderr = k / n, np.sqrt(p * (1 - p) / n)
    return Estimate(float(mean), float(stderr)) if hits.ndim == 1 else Estimate(mean, stderr)
