"""Quasi-random nodes for averages that depend on a Gaussian vector only through group radii."""

from functools import lru_cache

import numpy as np
from scipy.special import gammainccinv, gammaincinv, ndtr, ndtri
from scipy.stats import qmc

from ...conventions.arguments import Array


@lru_cache(maxsize=32)
def radial_nodes(counts: tuple[int, ...], log2_nodes: int) -> tuple[Array, Array, Array]:
    """2^log2_nodes Sobol nodes for groups of n_g = `counts` coordinates, three arrays (n, g).

    χ² of n_g (the squared length of one normal vector), a normal number (the component of a second one along the
    first) and χ² of n_g - 1 (the rest of the second). Scrambled with a fixed seed, so that what is averaged over
    them is smooth in its parameters.
    """
    n_g, g = np.array(counts, dtype=np.float64), len(counts)
    sobol = qmc.Sobol(3 * g, scramble=True, rng=np.random.default_rng(0)).random_base2(log2_nodes)
    uniform = np.clip(sobol, 1e-15, 1 - 1e-15)
    squared = 2 * gammaincinv(n_g / 2, uniform[:, :g])
    rest = np.where(n_g > 1, 2 * gammaincinv(np.maximum(n_g - 1, 1) / 2, uniform[:, 2 * g :]), 0.0)
    return squared, ndtri(uniform[:, g : 2 * g]), rest


def squared_lengths(counts: Array, scores: Array) -> Array:
    """χ² of n_g = `counts` (g,) ≥ 1 degrees of freedom at the normal scores (n, g)."""
    below, above = ndtr(np.minimum(scores, 0.0)), ndtr(-np.maximum(scores, 0.0))
    return 2 * np.where(scores < 0, gammaincinv(counts / 2, below), gammainccinv(counts / 2, above))
