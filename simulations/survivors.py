"""The points that keep a weight at one query, and their covariance: second moments of the empirical posterior."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from scipy.linalg import blas, eigh
from threadpoolctl import threadpool_limits

from simulations.kernel import SKIP_BELOW
from simulations.threading_layer import one_at_a_time

Array = NDArray[np.float64]
Indices = NDArray[np.integer[Any]]

_LEFT_OUT = {"float64": 1e-13, "float32": 1e-7}  # of C/r, what a spectrum may leave out
_ROWS = 2048  # points whose deviations are formed at a time


@njit(parallel=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _square_distances(points, x, out):
    for n in prange(len(points)):
        total = 0.0
        for i in range(x.size):
            difference = points[n, i] - x[i]
            total += difference * difference
        out[n] = total


def survivors(points: Array, x: Array, r: float) -> tuple[Indices, Array, Array]:
    """Indices of the points that keep a weight at the query x (D,), their weights, their |x - y|².

    Direct differences in float64; what is left out has less than 1e-26 of the weight.
    """
    square_distances = np.empty(len(points))
    with one_at_a_time:
        _square_distances(points, x, square_distances)
    logits = (square_distances.min() - square_distances) / (2 * r)
    kept = np.flatnonzero(logits >= -SKIP_BELOW - np.log(len(points)))
    weights = np.exp(logits[kept])
    return kept, weights / weights.sum(), square_distances[kept]


def covariance(points: Array, kept: Indices, weights: Array) -> Array:
    """Weighted covariance (D, D) of the points `kept`, a block of rows at a time."""
    upper = _upper(points, kept, weights, _mean(points, kept, weights), "float64")
    return upper + np.triu(upper, 1).T


def leading_variances(points: Array, x: Array, r: float, k: int, dtype: str = "float64") -> Array:
    """The k largest eigenvalues of the posterior covariance at x, descending; absolute error below 1e-12 r.

    From the smaller of the covariance (D, D) and the Gram matrix (n, n) of the n points that matter.  With
    dtype="float32" products of deviations are in single precision: error 1e-6 of the largest eigenvalue more.
    """
    kept, weights, square_distances = survivors(points, x, r)
    mean = _mean(points, kept, weights)
    # |y - m|² ≤ 2|x - y|² + 2|x - m|²: the least contributions to tr C/r go, up to the stated sum
    share = 2 * weights * (square_distances + np.sum((x - mean) ** 2)) / r
    order = np.argsort(share)
    matter = np.sort(order[np.cumsum(share[order]) > _LEFT_OUT[dtype]])
    kept, weights = kept[matter], weights[matter]
    if len(kept) == 0:
        return np.zeros(k)
    if len(kept) >= points.shape[1]:
        upper = _upper(points, kept, weights, mean, dtype)
    else:
        half = np.concatenate(list(_half_deviations(points, kept, weights, mean)))
        upper = blas.dsyrk(1.0, half.T, trans=True)
    size = len(upper)
    wanted = [size - min(k, size), size - 1]
    with threadpool_limits(1, user_api="blas"):  # see `_upper`
        leading = eigh(upper, lower=False, eigvals_only=True, subset_by_index=wanted, check_finite=False)[::-1]
    return np.pad(np.maximum(leading, 0.0), (0, k - len(leading)))


def _upper(points: Array, kept: Indices, weights: Array, mean: Array, dtype: str) -> Array:
    """Upper triangle of Σ w (y - m)(y - m)ᵀ, always in the same eighths of the points, whoever sums them."""

    def share(part: slice) -> Array:
        upper = np.zeros((points.shape[1], points.shape[1]), order="F")
        for half in _half_deviations(points, kept[part], weights[part], mean):
            if dtype == "float32":  # no long sum is in single precision
                upper += blas.ssyrk(1.0, half.astype(np.float32).T)
            else:
                upper = blas.dsyrk(1.0, half.T, beta=1.0, c=upper, overwrite_c=True)
        return upper

    eighth = max(_ROWS, -(-len(kept) // 8))
    parts = [slice(start, start + eighth) for start in range(0, len(kept), eighth)]
    if len(parts) == 1:
        return share(parts[0])
    # one thread of BLAS within each of ours: its own threads wait by spinning and would take our time
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(numba.get_num_threads()) as pool:
        return np.sum(list(pool.map(share, parts)), axis=0)


def _mean(points: Array, kept: Indices, weights: Array) -> Array:
    blocks = range(0, len(kept), _ROWS)
    return np.sum([weights[s : s + _ROWS] @ points[kept[s : s + _ROWS]] for s in blocks], axis=0)


def _half_deviations(points: Array, kept: Indices, weights: Array, mean: Array) -> Any:
    """√w (y - m) of the points kept, in blocks (≤ 2048, D)."""
    for start in range(0, len(kept), _ROWS):
        part = slice(start, start + _ROWS)
        yield np.sqrt(weights[part])[:, None] * (points[kept[part]] - mean)
