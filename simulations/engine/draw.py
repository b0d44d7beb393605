"""Exact draws from the posterior of N training points: index μ with probability ∝ exp(-|x - y^μ|²/2r).

One pass over the points.  Each block of points leaves two numbers per query, its smallest energy and the
sum of its Boltzmann factors relative to that; the block is then chosen by inversion of the cumulative
sums, and the point within it by a second look at that block alone.  Memory per thread: 16 bytes × blocks
× queries of a chunk, never N × Q.  One uniform number decides a query, by the same operations whatever
its chunk: threads change nothing.
"""

from math import exp

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ...conventions import arguments
from ...conventions.arguments import Array
from .compilation import compiled, contracted
from .threading_layer import one_at_a_time

BLOCK = 256  # points: one block of 32 coordinates fits in the first-level cache, of 1000 in the second
CHUNK = 32  # queries that share a block


@njit(**contracted)
def _energies(panel, x, half_precision, energies):
    """|x - y_b|²/2r of one query x (D,) to the points of a panel (D, B), by direct differences."""
    energies[:] = 0
    for i in range(x.size):
        row, coordinate = panel[i], x[i]
        for b in range(energies.size):
            energies[b] += (row[b] - coordinate) * (row[b] - coordinate)
    for b in range(energies.size):
        energies[b] *= half_precision


@njit(**compiled)
def _boltzmann_sum(energies, lowest):
    total = 0.0
    for energy in energies:
        total += exp(lowest - energy)
    return total


@njit(**compiled)
def _choose(energies, lowest, wanted):
    """First position at which the cumulative Boltzmann sum exceeds `wanted`; the last one that counts on rounding."""
    last = 0
    for b in range(energies.size):
        weight = exp(lowest - energies[b])
        if weight > 0:
            last = b
            if wanted < weight:
                return b
        wanted -= weight
    return last


@njit(**compiled)
def _draw_chunk(points, x, half_precision, uniforms, drawn):
    n_points, dim = points.shape
    n_blocks = (n_points + BLOCK - 1) // BLOCK
    lows, totals = np.empty((x.shape[0], n_blocks)), np.empty((x.shape[0], n_blocks))
    panel, buffer = np.empty((dim, BLOCK)), np.empty(BLOCK)
    for p in range(n_blocks):
        block = points[p * BLOCK : min((p + 1) * BLOCK, n_points)]
        transposed, energies = panel[:, : len(block)], buffer[: len(block)]
        transposed[:] = block.T
        for q in range(x.shape[0]):
            _energies(transposed, x[q], half_precision[q], energies)
            lows[q, p] = energies.min()
            totals[q, p] = _boltzmann_sum(energies, lows[q, p])
    for q in range(x.shape[0]):
        lowest = lows[q].min()
        total = 0.0
        for p in range(n_blocks):
            totals[q, p] *= exp(lowest - lows[q, p])
            total += totals[q, p]
        wanted, p, last = uniforms[q] * total, 0, 0
        while p < n_blocks and wanted >= totals[q, p]:
            if totals[q, p] > 0:
                last = p
            wanted -= totals[q, p]
            p += 1
        if p == n_blocks:  # rounding of the sums: the last block that counts
            p, wanted = last, np.inf
        block = points[p * BLOCK : min((p + 1) * BLOCK, n_points)]
        transposed, energies = panel[:, : len(block)], buffer[: len(block)]
        transposed[:] = block.T
        _energies(transposed, x[q], half_precision[q], energies)
        drawn[q] = p * BLOCK + _choose(energies, lowest, wanted)


@njit(parallel=True, **compiled)
def _draw_all(points, x, half_precision, uniforms, drawn):
    n_queries = x.shape[0]
    for c in prange((n_queries + CHUNK - 1) // CHUNK):
        part = slice(c * CHUNK, min((c + 1) * CHUNK, n_queries))
        _draw_chunk(points, x[part], half_precision[part], uniforms[part], drawn[part])


def draw_index(points: Array, x: Array, r: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    """Index of one of the points (N, D) drawn from the posterior at each query x (n, D), shape (n,).

    P(μ) = exp(-|x-y^μ|²/2r)/Z in float64 at noise ratios r (n,) > 0.  Reproducible for any number of threads.
    ValueError: rng not a Generator.
    """
    uniforms = arguments.generator(rng).random(len(x))
    drawn = np.empty(len(x), np.int64)
    with one_at_a_time:
        _draw_all(points, x, 0.5 / r, uniforms, drawn)
    return drawn
