"""What d(r) should be for N points: the mean over data sets, exactly where the law allows it, else by its leading form.

The empirical information is on average ln N - S, S = E ln(1 + Z_rest/Z_1) the excess entropy, hence
d_N(r) = 2 dS/d ln r (docs/theory.md §3; by I-MMSE d = -2 dI/d ln r).
"""

import numpy as np
from scipy.interpolate import CubicSpline

from ...conventions.arguments import Array
from ...conventions.law import Law
from .averages import excess_entropy
from .scaling import annealed_form


def finite_dimension(law: Law, log_n: float, r: Array, knots: int) -> Array:
    """d_N(r), the mean over data sets of E tr C/r of the empirical score of N = exp(log_n) points; shape of r.

    S = `finite_size.excess_entropy` on `knots` ratios over the range of r, differentiated as a cubic spline in ln r:
    good to 0.01 with knots half a unit of ln r apart (tested). ValueError for laws without closed energies.
    """
    at = np.linspace(np.log(r.min()) - 0.2, np.log(r.max()) + 0.2, knots)
    entropy = [excess_entropy(law, log_n, float(ratio)) for ratio in np.exp(at)]
    return np.asarray(2 * CubicSpline(at, entropy)(np.log(r), 1))


def leading_finite_dimension(information: Array, dimension: Array, log_n: float, r: Array) -> Array:
    """d_N(r) from I(r) and d(r) of the population alone, S ≈ E softplus(ln N - I + √d z), z ~ N(0, 1).

    `information`, `dimension` and increasing `r`, shape (m,). The variance of the information density is d(r) for
    linear manifolds, and taken to be so for all. For a Linear law of dimension 16 and a thousand points within 0.06
    of the exact fraction d_N/d (measured 0.058). Derived, docs/theory.md §5.1.
    """
    entropy = annealed_form(log_n - information, dimension).excess_entropy
    return np.asarray(2 * CubicSpline(np.log(r), entropy)(np.log(r), 1))
