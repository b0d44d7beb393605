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
