"""The posterior sums over the points that are kept, in double precision."""

from math import exp, log1p

from numba import njit

from ..compilation import compiled


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
