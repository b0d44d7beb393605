"""A Monte-Carlo average and its error bar."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Estimate(NamedTuple):
    """Mean of a sample and the standard error of that mean: two floats, or two arrays of one shape."""

    mean: Any
    stderr: Any

    @classmethod
    def of(cls, samples: NDArray[np.float64]) -> "Estimate":
        """Average over the last axis, of n ≥ 2 independent samples; floats if that is the only axis."""
        mean = samples.mean(axis=-1)
        stderr = samples.std(axis=-1, ddof=1) / np.sqrt(samples.shape[-1])
        return cls(float(mean), float(stderr)) if samples.ndim == 1 else cls(mean, stderr)

    @classmethod
    def exactly(cls, value: Any) -> "Estimate":
        """A number, or an array of them, that is known without error."""
        return cls(value, np.zeros_like(value, dtype=np.float64)[()])


def fraction(hits: NDArray[Any]) -> Estimate:
    """Fraction k/n of true entries over the last axis and its standard error √(p(1-p)/n) with p = (k+1)/(n+2).

    The binomial error at the posterior mean of p (Laplace's rule): about 1/n, not 0, where k = 0 or n.
    """
    n = hits.shape[-1]
    k = np.count_nonzero(hits, axis=-1)
    p = (k + 1) / (n + 2)
    mean, stderr = k / n, np.sqrt(p * (1 - p) / n)
    return Estimate(float(mean), float(stderr)) if hits.ndim == 1 else Estimate(mean, stderr)
