"""How far single precision may displace a point, a distance or a product: the slack of all bounds.

With u = 2^-24 and X = s Vᵀ(x - mean), the scaled coordinates on the principal axes:
- rounding moves a point, residual norms included, by at most `blur(|X|)`: 2u|X| from the two
  roundings, D^{3/2} 2^-52 (|X| + s|mean|) from the rotation in double precision, and underflow;
- a squared distance summed in single precision over k rows errs by a factor 1 ± (k+4)u at most;
So |X - Y| ≤ R is impossible where a computed lower bound exceeds `stretch` · (R + blur_X + blur_Y)².
"""

from numba import njit

from ..compilation import compiled

UNIT = 2.0**-24
LARGEST_NORM = 2.0**10  # points are scaled so that the largest norm lies in [2^9, 2^10]
LARGEST_QUERY = 2.0**55  # so that squares of queries and of the padding stay finite in single precision
PADDING = 2.0**62
LARGEST_REACH = 2.0**59  # beyond all true distances, below the padding
_UNDERFLOW = 1e-36


def blur_coefficients(dim: int, offset: float) -> tuple[float, float]:
    """(slope, base) of blur(norm) = slope · norm + base; `offset` = s|mean|."""
    rotation = dim**1.5 * 2.0**-52
    return 2.02 * UNIT + rotation, rotation * offset + _UNDERFLOW * dim**0.5


@njit(**compiled, inline="always")
def stretch(rows):
    """Factor that no squared distance over `rows` rows, summed in single precision, exceeds."""
    return 1.0 + (rows + 12) * UNIT
