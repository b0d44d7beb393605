"""What a pass over the points returns, and how passes over disjoint parts of the points are put together.

A single query so keeps several threads busy, and still not a bit of its result depends on their number.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import Array

_PART = 2**20  # coordinates that are worth a thread of their own, where a point counts as at least 16
_MOST = 8  # parts
_BYTES = 2**26  # of the means of the parts of the queries treated together
_FEWEST = 256  # queries treated together however large their means


class Sums(NamedTuple):
    """What one pass returns for Q queries: `mean` (Q, D), the others (Q,), all float64 but `nearest`."""

    mean: Array
    log_sum: Array
    participation: Array
    entropy: Array
    nearest: NDArray[np.int64]
    mean_square_distance: Array


class PartialSums(NamedTuple):
    """The same over P parts of the points, each relative to its own nearest point: `mean` (P, Q, D), others (P, Q).

    `log_rest`: ln Σ exp((lowest - |x-y|²)/2r);  `lowest`: |x - y|² of the nearest point;  `excess`: <|x-y|²> - lowest.
    """

    mean: Array
    log_rest: Array
    participation: Array
    entropy: Array
    nearest: NDArray[np.int64]
    lowest: Array
    excess: Array


def part_size(n_points: int, dim: int, multiple: int) -> int:
    """Points in each part but the last, a multiple of `multiple`."""
    count = min(max(n_points * max(dim, 16) // _PART, 1), _MOST)
    return -(-n_points // (count * multiple)) * multiple


def batches(n_queries: int, n_parts: int, dim: int) -> Iterator[slice]:
    """Queries treated together, so that the means of their parts stay small."""
    size = max(_FEWEST, _BYTES // (8 * n_parts * dim))
    return (slice(start, min(start + size, n_queries)) for start in range(0, n_queries, size))


def together(parts: PartialSums, r: Array) -> Sums:
    """Sums over all points from those over parts, at noise ratios r (Q,).

    Relative to the part of the nearest point, the first on ties: no large numbers are subtracted, and what is
    small beside 1, of the other parts' weight or of the entropy, keeps its digits.
    """
    if len(parts.mean) == 1:
        mean, log_rest, participation, entropy, nearest, lowest, excess = (field[0] for field in parts)
        return Sums(mean, log_rest - lowest / (2 * r), participation, entropy, nearest, lowest + excess)
    queries = np.arange(len(r))
    first = np.argmin(parts.lowest, axis=0)
    lowest, log_rest, nearest = (f[first, queries] for f in (parts.lowest, parts.log_rest, parts.nearest))
    farther = parts.lowest - lowest
    depth = parts.log_rest - log_rest - farther / (2 * r)
    weights = np.exp(depth)
    weights[first, queries] = 0
    others = weights.sum(axis=0)
    weights[first, queries] = 1
    weights /= 1 + others
    # Σ p S + Σ p ln(1/p): the entropy within the parts and that of the choice among them
    entropy = np.sum(weights * (parts.entropy - depth), axis=0) + np.log1p(others)
    log_rest = log_rest + np.log1p(others)
    return Sums(
        np.einsum("pq,pqd->qd", weights, parts.mean),
        log_rest - lowest / (2 * r),
        np.sum(weights**2 * parts.participation, axis=0),
        entropy,
        nearest,
        lowest + np.sum(weights * (farther + parts.excess), axis=0),
    )


def concatenated(results: Sequence[Sums]) -> Sums:
    """The sums of neighbouring batches of queries."""
    return results[0] if len(results) == 1 else Sums(*(np.concatenate(field) for field in zip(*results, strict=True)))
