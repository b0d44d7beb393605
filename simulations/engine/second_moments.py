"""The covariance of the survivors at one query: second moments of the empirical posterior."""

from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from scipy.linalg import blas, eigh

from ...conventions.arguments import Array
from .blas_threads import one_blas_thread
from .compilation import compiled, contracted, reordered
from .rank_update import add_products
from .survivors import Survivors
from .threading_layer import in_threads, one_at_a_time

Indices = NDArray[np.integer[Any]]

_LEFT_OUT = 1e-13  # of C/r, what a spectrum may leave out
_LEFT_OUT_SINGLE = 1e-7  # of the largest eigenvalue, what it may leave out in single precision
_SINGLE = 2e-8  # of C/r, what is summed in single precision for a spectrum in double: see `leading_variances`
_LARGEST_SINGLE = 1e30  # of C/r, what single precision can hold
_SINGLE_SUM = 2048  # points whose products are added up in single precision
_ROWS = 512  # points whose deviations are formed at a time
_HEAVIEST = 128  # points that bound the largest eigenvalue from below


class _Group(NamedTuple):
    """Points whose products are summed in the same precision."""

    kept: Indices
    weights: Array
    precision: str


@njit(parallel=True, **reordered)
def _contributions(points, kept, weights, centre, out):
    for n in prange(kept.size):
        point, total = points[kept[n]], 0.0
        for i in range(centre.size):
            difference = point[i] - centre[i]
            total += difference * difference
        out[n] = weights[n] * total


@one_blas_thread()
def covariance(points: Array, survivors: Survivors) -> Array:
    """Weighted covariance (D, D) of the survivors among the points, a block of rows at a time."""
    kept, weights, _ = survivors
    upper = _upper(points, [_Group(kept, weights, "float64")], _centre(points, kept, weights))
    np.fill_diagonal(upper, np.maximum(upper.diagonal(), 0.0))  # of coordinates that are constant to rounding
    return np.triu(upper) + np.triu(upper, 1).T


@one_blas_thread()
def leading_variances(points: Array, survivors: Survivors, r: float, k: int, dtype: str = "float64") -> Array:
    """The k largest eigenvalues of the posterior covariance at a query, descending; absolute error below 1e-12 r.

    From the smaller of the covariance (D, D) and the Gram matrix (n, n) of the n points that matter.  With
    dtype="float32" products of deviations are in single precision: error 1e-6 of the largest eigenvalue more.
    With dtype="float64" those of the points that contribute least, together at most 2e-8 to tr C/r, are too: rounding
    sums of 512 such products, and four of these, gives at most 520 · 2⁻²⁴ · 2e-8 = 6.2e-13.
    """
    kept, weights, square_distances = survivors
    left_out = _LEFT_OUT
    if dtype == "float32":
        left_out = max(left_out, _LEFT_OUT_SINGLE * _lower_bound(points, kept, weights) / r)
    # Contributions to tr C/r about a mean c are at most twice those of |x - y|² and of |x - c|² ≤ Σ w |x - y|²
    matter = _above(2 * weights * (square_distances + weights @ square_distances) / r, left_out)
    centre = _centre(points, kept, weights)
    kept, weights = kept[matter], weights[matter]
    if len(kept) == 0:
        return np.zeros(k)
    if len(kept) < points.shape[1]:
        upper = _gram(points[kept], weights / r)
    else:
        upper = _upper(points, _by_precision(points, kept, weights / r, centre, left_out, dtype), centre)
    size = len(upper)
    wanted = [size - min(k, size), size - 1]
    leading = eigh(upper, lower=False, eigvals_only=True, subset_by_index=wanted, check_finite=False)[::-1]
    return r * np.pad(np.maximum(leading, 0.0), (0, k - len(leading)))


def _by_precision(
    points: Array, kept: Indices, weights: Array, centre: Array, left_out: float, dtype: str
) -> list[_Group]:
    """The points, but for the least of all, in groups to be summed in double and in single precision."""
    share = np.empty(len(kept))
    with one_at_a_time:
        _contributions(points, kept, weights, centre, share)
    # about the mean m, since |m - c|² ≤ Σ w |y - c|²/2, at most twice those about c and Σ w |y - c|²/2 of a weight
    matter = _above(2 * share + share.sum() * weights / weights.sum(), left_out)
    if dtype == "float32" and share.sum() < _LARGEST_SINGLE:
        return [_Group(kept[matter], weights[matter], "float32")]
    much = _above(share, _SINGLE)
    little = matter & ~much
    return [_Group(kept[much], weights[much], "float64"), _Group(kept[little], weights[little], "float32")]


def _above(share: Array, limit: float) -> NDArray[np.bool_]:
    """All but the least shares, of those as many as add up to no more than `limit`."""
    ordered = np.sort(share)
    below = np.searchsorted(np.cumsum(ordered), limit, side="right")
    return share >= ordered[below] if below < len(ordered) else np.zeros(len(share), bool)


def _heaviest(weights: Array, count: int) -> Indices:
    return np.sort(np.argpartition(weights, len(weights) - count)[len(weights) - count :])


def _centre(points: Array, kept: Indices, weights: Array) -> Array:
    """Mean c of the heaviest points that carry half of the weight: cheaper than the mean m of all, and as good.

    With S = Σ w (y - c)(y - c)ᵀ and δ = m - c = Σ w (y - c) over the other half, δδᵀ ≤ S/2 by Cauchy-Schwarz:
    C = S - δδᵀ ≥ S/2 costs no digits.
    """
    half = int(np.searchsorted(np.cumsum(np.sort(weights)[::-1]), 0.5)) + 1
    heavy = _heaviest(weights, min(half, len(weights)))
    total = np.zeros(points.shape[1])
    for start in range(0, len(heavy), _ROWS):
        rows = heavy[start : start + _ROWS]
        total += weights[rows] @ points[kept[rows]]
    return total / weights[heavy].sum()


def _lower_bound(points: Array, kept: Indices, weights: Array) -> float:
    """A bound of the largest eigenvalue of C from below: what one of the heaviest points contributes to theirs."""
    heavy = _heaviest(weights, min(_HEAVIEST, len(weights)))
    rows, weights = points[kept[heavy]], weights[heavy]
    return float(np.max(weights * np.sum((rows - weights @ rows / weights.sum()) ** 2, axis=1)))


def _gram(points: Array, weights: Array) -> Array:
    """Upper triangle of √(w w') (y - m)·(y' - m), whose eigenvalues are those of the covariance."""
    half = np.sqrt(weights)[:, None] * (points - weights @ points / weights.sum())
    return blas.dsyrk(1.0, half.T, trans=True)


def _upper(points: Array, groups: list[_Group], centre: Array) -> Array:
    """Upper triangle of Σ w (y - m)(y - m)ᵀ, from S = Σ w (y - c)(y - c)ᵀ and δ = Σ w (y - c) about the centre c.

    Always in the same eighths of the points of a group, whoever sums them.
    """
    jobs = [_Group(g.kept[part], g.weights[part], g.precision) for g in groups for part in _eighths(len(g.kept))]

    def work(job: _Group) -> tuple[Array, Array]:
        return _moments(points, job, centre)

    dim = points.shape[1]
    upper, shift = np.zeros((dim, dim), order="F"), np.zeros(dim)
    if not jobs:
        return upper
    for part, further in in_threads(work, jobs):
        upper += part
        shift += further
    weight = sum(float(g.weights.sum()) for g in groups)
    return blas.dsyr(-1.0 / weight, shift, a=upper, overwrite_a=True)


def _eighths(n_points: int) -> list[slice]:
    eighth = max(_SINGLE_SUM, -(-n_points // 8))
    return [slice(start, start + eighth) for start in range(0, n_points, eighth)]


def _moments(points: Array, group: _Group, centre: Array) -> tuple[Array, Array]:
    """Upper triangle of S, and δ; no sum in single precision is long."""
    n_points, dim = len(group.kept), points.shape[1]
    upper, shift = np.zeros((dim, dim), order="F"), np.zeros(dim)
    single = group.precision == "float32"
    half = np.empty((min(_ROWS, n_points), dim), group.precision)
    product = np.zeros_like(upper, np.float32) if single else upper
    for start in range(0, n_points, _ROWS):
        part = slice(start, start + _ROWS)
        kept = group.kept[part]
        _half_deviations(points, kept, group.weights[part], centre, half, shift)
        add_products(half[: len(kept)], product)
        if single and ((start + _ROWS) % _SINGLE_SUM == 0 or start + _ROWS >= n_points):
            _move_upper(product, upper)
    return upper, shift


@njit(**compiled)
def _move_upper(product, upper):
    """Add the upper triangle of a product to another, and make it zero; columns are contiguous."""
    for j in range(len(upper)):
        for i in range(j + 1):
            upper[i, j] += product[i, j]
            product[i, j] = 0


@njit(**contracted)
def _half_deviations(points, kept, weights, centre, half, shift):
    """The first rows of `half`: √w (y - c), in its precision; adds w (y - c) to `shift`."""
    for n in range(kept.size):
        weight, root = weights[n], sqrt(weights[n])
        point, row = points[kept[n]], half[n]
        for i in range(centre.size):
            deviation = point[i] - centre[i]
            row[i] = root * deviation
            shift[i] += weight * deviation
