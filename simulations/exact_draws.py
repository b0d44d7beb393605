"""What exact dynamics need of a law: points of it, and clean points drawn from its posterior given noisy ones.

The reverse process from x at noise ratio r ends at a draw from the posterior ν_{x,r}; a forward path that
starts at that draw and passes through x has the law of the reverse path.  So one draw decides a trajectory.
"""

from typing import Any

import numpy as np

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.law import ExactLaw


def exact_law(law: Any) -> ExactLaw:
    """`law`, if draws are anything it knows of; ValueError for a network, which has a score alone."""
    if not isinstance(law, ExactLaw):
        raise arguments.fail("law", law, "has no exact draws from its posterior: laws and EmpiricalScore have them")
    return law


def noisy_points(law: ExactLaw, r: float, n: int, rng: np.random.Generator) -> Array:
    """`n` noisy points x = y + √r ξ ~ p_r, shape (n, D): where reverse trajectories start."""
    r, rng = arguments.positive_scalar(r, "r"), arguments.generator(rng)
    y = law.draws(n, rng).points
    return y + np.sqrt(r) * rng.standard_normal(y.shape)
