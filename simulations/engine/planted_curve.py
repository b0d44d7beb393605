"""Planted queries at many noise ratios from one set of distances.

With x = y¹ + √r ξ,  |x - y|² = |y - y¹|² - 2√r ξ·(y - y¹) + r|ξ|²: two products per pair of points, which do not
know r, give the weights at every r.  A curve over 50 noise ratios costs two matrix products and 50 exponentials per
pair, plus a third product per ratio where the posterior mean is wanted.
"""

from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...conventions.arguments import Array
from .blas_threads import one_blas_thread
from .compilation import reordered
from .exponential import exponential64
from .sums import Sums, concatenated
from .threading_layer import in_threads

_BYTES = 2**26  # of the products and weights of one group of queries
_LOWEST = -700.0  # logits are clamped where exp(t) is still normal


def smallest_ratio(points: Array) -> float:
    """Ratio above which the products are good to 1e-10 in ln w: 4e-6 times the largest |y|² of the centred points."""
    return 4e-6 * float(np.max(np.einsum("nd,nd->n", points, points), initial=0.0))


def planted_sums(points: Array, index: NDArray[Any], xi: Array, ratios: Array, mean: bool = True) -> list[Sums]:
    """The sums of `kernel` at x = y^index + √r ξ for every r of `ratios`; points (N, D), unit noise xi (Q, D).

    float64 throughout; r ≥ smallest_ratio(points).  Without `mean` the posterior means are left out, (Q, 0), with
    the product that they cost.
    """
    lengths = np.einsum("nd,nd->n", points, points)

    def sums(part: slice) -> list[Sums]:
        return _group(points, lengths, index[part], xi[part], ratios, mean)

    threads = numba.get_num_threads()
    # one thread of BLAS within each of ours: its own threads wait by spinning and would take our time
    with one_blas_thread():
        parts = list(in_threads(sums, list(_groups(len(points), len(index), threads))))
    return [concatenated(at_r) for at_r in zip(*parts, strict=True)]


def _groups(n_points: int, n_queries: int, threads: int) -> Iterator[slice]:
    size = max(1, min(-(-n_queries // threads), _BYTES // (24 * n_points)))
    return (slice(start, start + size) for start in range(0, n_queries, size))


def _group(points: Array, lengths: Array, index: NDArray[Any], xi: Array, ratios: Array, mean: bool) -> list[Sums]:
    planted = points[index]
    apart = lengths - 2 * (planted @ points.T) + lengths[index, None]
    apart[np.arange(len(index)), index] = 0.0
    np.maximum(apart, 0.0, out=apart)
    along = xi @ points.T
    along -= along[np.arange(len(index)), index][:, None]
    weights = np.empty_like(apart)
    results = []
    for r in ratios:
        scalars, nearest = np.empty((len(index), 4)), np.empty(len(index), np.int64)
        _weigh(apart, along, float(r), weights, scalars, nearest)
        own = r * np.einsum("qd,qd->q", xi, xi)
        results.append(
            Sums(
                mean=weights @ points if mean else np.empty((len(index), 0)),
                log_sum=scalars[:, 0] - own / (2 * r),
                participation=scalars[:, 1],
                entropy=scalars[:, 2],
                nearest=nearest,
                mean_square_distance=scalars[:, 3] + own,
            )
        )
    return results


@njit(**reordered)
def _weigh(apart, along, r, weights, scalars, nearest):
    for q in range(len(apart)):
        _weigh_one(apart[q], along[q], r, weights[q], scalars[q], nearest[q : q + 1])


@njit(**reordered)
def _weigh_one(apart, along, r, weights, scalars, nearest):
    """Normalised weights of one query; ln Z, Σ w², entropy and Σ w (|x-y|² - r|ξ|²)."""
    squares, products = -0.5 / r, 1.0 / np.sqrt(r)
    highest = -np.inf
    for n in range(apart.size):
        weights[n] = squares * apart[n] + products * along[n]
        highest = max(highest, weights[n])
    position = 0
    while position < apart.size - 1 and weights[position] != highest:
        position += 1
    nearest[0] = position
    total, square, energy = 0.0, 0.0, 0.0
    for n in range(apart.size):
        t = max(weights[n] - highest, _LOWEST)
        e = exponential64(t)
        weights[n] = e
        total += e
        square += e * e
        energy += e * t
    for n in range(apart.size):
        weights[n] /= total
    scalars[0] = np.log(total) + highest
    scalars[1] = square / (total * total)
    scalars[2] = np.log(total) - energy / total
    scalars[3] = -2.0 * r * (energy / total + highest)
