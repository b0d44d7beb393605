"""What a noisy point tells about its class when all classes share one Gaussian spread.

The class k is sent as the point c_k (the class mean, in units of within-class spread plus noise) through
Gaussian noise of covariance S; the receiver assumes unit covariance, which is right at the noise the data
really have (S = 1) and wrong when the landscape is probed with less or more noise.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, ndtri
from scipy.stats import qmc

from ...conventions.arguments import Array

_LINE_STEP, _LINE_END = 0.02, 9.5  # trapezoid rule: exact to rounding for analytic integrands on this scale
_SOBOL_LOG2 = 13


class ClassAverages(NamedTuple):
    """Averages over classes k (drawn with their weights) and noise."""

    gain: float  # E ln(P(k|x)/w_k), nats; the mutual information of class and point when S = 1
    overlap: Array  # E P(j|x) P(l|x), shape (K, K)


def class_averages(centres: Array, weights: Array, spread: Array) -> ClassAverages:
    """E ln(P(k|x)/w_k) and E P(j|x)P(l|x) for x = c_k + S^{1/2} z, z standard normal.

    `centres` (K, D), `weights` (K,) summing to one, `spread` the diagonal of S, shape (D,), S_i ≥ 0.
    Exact to 1e-13 when the centres lie on a line (two classes always do); otherwise a randomised Sobol sum of
    2^13 points in the span of the centres, relative error about 1e-4 (fixed points: smooth in the arguments).
    """
    offsets = centres - centres[0]
    left, singular, basis = np.linalg.svd(offsets, full_matrices=False)
    rank = int(np.sum(singular > 1e-13 * max(singular[0], 1e-300)))
    if rank == 0:
        return ClassAverages(0.0, np.outer(weights, weights))
    basis = basis[:rank]  # (p, D)
    reduced = left[:, :rank] * singular[:rank]  # (K, p)
    covariance = (basis * spread) @ basis.T
    variances, axes = np.linalg.eigh(covariance)  # some directions may be noiseless, S_i = 0
    factor = axes * np.sqrt(np.maximum(variances, 0.0)) @ axes.T
    nodes, node_weights = _normal_nodes(rank)
    gain, overlap = 0.0, np.zeros((len(weights), len(weights)))
    log_weights = np.log(weights)
    for k, centre in enumerate(reduced):
        x = centre + nodes @ factor.T  # (n, p)
        logits = log_weights + x @ reduced.T - 0.5 * np.sum(reduced**2, axis=1)
        log_posterior = logits - logsumexp(logits, axis=1, keepdims=True)
        posterior = np.exp(log_posterior)
        gain += weights[k] * float(node_weights @ (log_posterior[:, k] - log_weights[k]))
        overlap += weights[k] * (posterior * node_weights[:, None]).T @ posterior
    return ClassAverages(gain, overlap)


def _normal_nodes(dim: int) -> tuple[Array, Array]:
    """Nodes (n, dim) and weights (n,) for averages over a standard normal vector."""
    if dim == 1:
        z = np.arange(-_LINE_END, _LINE_END + _LINE_STEP / 2, _LINE_STEP)
        density = np.exp(-0.5 * z**2)
        return z[:, None], density / density.sum()
    uniform = qmc.Sobol(dim, scramble=True, rng=np.random.default_rng(0)).random_base2(_SOBOL_LOG2)
    nodes = ndtri(np.clip(uniform, 1e-16, 1 - 1e-16))
    return nodes, np.full(len(nodes), 1 / len(nodes))
