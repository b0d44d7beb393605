"""From candidates to the posterior: distances again in double precision, and the sums over what is kept."""

from math import exp, log1p

from numba import njit

from ..compilation import compiled, reordered
from ..survivors import farthest


@njit(**reordered)
def _square_distance(x, y):
    total = 0.0
    for k in range(len(x)):
        total += (x[k] - y[k]) * (x[k] - y[k])
    return total


@njit(**compiled)
def keep(points, x, spread, found, squares):
    """The survivors among the candidates, moved to the front of `found`; returns their number.

    `squares` become their |x-y|² in double precision.  What is kept is thereby defined by these alone, whatever else
    the screening let through.
    """
    lowest = 1e308
    for i in range(len(found)):
        squares[i] = _square_distance(x, points[found[i]])
        lowest = min(lowest, squares[i])
    largest = farthest(lowest, spread, len(x))
    kept = 0
    for i in range(len(found)):
        if squares[i] <= largest:
            found[kept], squares[kept] = found[i], squares[i]
            kept += 1
    return kept


@njit(**compiled)
def nearest(found, squares):
    """Position of the nearest point, that of the lowest index on ties."""
    best = 0
    for i in range(1, len(found)):
        if squares[i] < squares[best] or (squares[i] == squares[best] and found[i] < found[best]):
            best = i
    return best


@njit(**compiled)
def add_up(points, found, squares, half_precision, mean, scalars):
    """Posterior mean, and (ln Z, Y, S, Σ w |x-y|², Σ e) in `scalars`, of the kept points; returns the nearest.

    With e = exp(-(|x-y|² - min)/2r), the nearest point (e = 1) is left out of the sums, so that they
    keep their digits when it takes all the weight.
    """
    best = nearest(found, squares)
    lowest, origin = squares[best], points[found[best]]
    rest, rest_squared, energy = 0.0, 0.0, 0.0
    mean[:] = 0
    for i in range(len(found)):
        if i != best:
            t = (lowest - squares[i]) * half_precision
            e = exp(t)
            rest += e
            rest_squared += e * e
            energy += e * t
            point = points[found[i]]
            for k in range(len(mean)):
                mean[k] += e * (point[k] - origin[k])
    total = 1 + rest
    for k in range(len(mean)):
        mean[k] = origin[k] + mean[k] / total
    scalars[0] = log1p(rest) - lowest * half_precision
    scalars[1] = (1 + rest_squared) / (total * total)
    scalars[2] = log1p(rest) - energy / total
    scalars[3] = lowest - energy / total / half_precision
    scalars[4] = total
    return found[best]
