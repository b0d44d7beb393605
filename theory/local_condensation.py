"""Local condensation: the criterion K(x, r) = ln N that contains the other transitions."""

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import points, positive_scalar
from ..conventions.law import Law
from .integrals.first_crossing import first_crossing


def local_condensation(law: Law, direction_or_probe: int | ArrayLike, *, log_n: float) -> float:
    """Largest noise ratio at which the posterior at a probe is condensed, K(x, r) = ln N.

    An integer i is a direction: the probe is x = E y + √r e_i, one noise standard deviation along the i-th
    principal direction (the probe of arXiv 2410.08727, "when is direction i lost?"). An array of shape (D,)
    is a fixed probe point x. Averaged over x ~ p_r the criterion gives collapse; over clean points x ~ ν, the ratio
    r' > r_g at which the points around freeze, from which generalization follows.

    `log_n`: ln N > 0. ValueError for other arguments or where no float holds the answer.
    Source: docs/theory.md §4.2, §4.7 (derived and checked there).
    """
    log_n = positive_scalar(log_n, "log_n")
    if isinstance(direction_or_probe, (int, np.integer)):
        origin, axis = law.mean, law.direction(int(direction_or_probe))

        def divergence(r: float) -> float:
            return float(law.local_divergence(origin + np.sqrt(r) * axis, r))
    else:
        probe = points(direction_or_probe, law.ambient_dim, "direction_or_probe")
        if len(probe) != 1:
            raise ValueError(f"direction_or_probe has shape {probe.shape}: must be one point ({law.ambient_dim},)")

        def divergence(r: float) -> float:
            return float(law.local_divergence(probe[0], r))

    return first_crossing(
        divergence,
        log_n,
        quantity="the local divergence at the probe",
        given=("log_n", log_n),
        widest_step=0.25,
    )
