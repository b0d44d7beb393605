"""Exact averages at finite N: the transition has a width, and here it is, without storing a data set.

The posterior of N points at the noisy point x = y^1 + √r ξ, averaged over all of them. At fixed x both the point that
was noised (a draw of the population's posterior) and the others (independent of x) are integrated exactly by the
Cahen–Mellin contour (`planted_posterior`, `mean_log_partition`), at any N, ln N = 1000 included; then x itself is
averaged over the few radii that its energies depend on, with the population quantities I(r) = E K(x, r) and G(r, s) as
control variates.

Absolute error (spread over node sets, docs/finite_size.md §3): 1e-8 where x needs one or two numbers (`Linear` of one
or two variances, `Sphere`); beyond, a Sobol sum of 2^11 nodes errs by 1e-6 to 1e-4 in E w_1 and 1e-5 to 4e-4 nats in
the excess entropy. Nodes are fixed, so that results are smooth in r and N. Derived; docs/theory.md §5.2,
docs/finite_size.md §1, §3.
Works for every law whose `energies` have a closed law: Linear, Sphere, products of such laws and mixtures of Gaussians
of one spread; others raise ValueError.
`log_n` = ln N ≥ 0 and `r` > 0 are single numbers, ValueError otherwise.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ...conventions.arguments import nonnegative_scalar, positive_scalar
from ...conventions.law import Law
from .mean_log_partition import log_partition_excess
from .node_average import controlled_mean, noisy_points, posterior_means
from .planted_posterior import planted_posterior, posterior_energy


class _Averages(NamedTuple):
    retrieval: float
    excess_entropy: float
    log_density_gap: float


def retrieval(law: Law, log_n: float, r: float) -> float:
    """E w_1 at x = y^1 + √r ξ: the mean posterior weight of the point that was noised; from 1/N to 1."""
    return _averages(law, log_n, r).retrieval


def participation(law: Law, log_n: float, r: float) -> float:
    """E Σ_μ w_μ² over x ~ the noisy empirical law: equal to `retrieval` by the Nishimori identity E Y = E w_1."""
    return retrieval(law, log_n, r)


def excess_entropy(law: Law, log_n: float, r: float) -> float:
    """E ln(1 + Z_rest/Z_1) in nats at x = y^1 + √r ξ, = -E ln w_1; arXiv 2402.18491 gives max(0, ln N - I)."""
    return _averages(law, log_n, r).excess_entropy


def log_density_gap(law: Law, log_n: float, r: float) -> float:
    """KL(p_emp,r ‖ p_r) in nats, the mean of ln p_emp,r - ln p_r at noisy training points, over data sets.

    = I(r) - ln N + excess_entropy ≥ 0, from I(r) - ln N when all is memorized to O(1/N) at large r, digits kept.
    """
    return _averages(law, log_n, r).log_density_gap


def held_out_log_density_gap(law: Law, log_n: float, r: float) -> float:
    """KL(p_r ‖ p_emp,r) in nats, the mean of ln p_r - ln p_emp,r at noisy fresh points x ~ p_r, over data sets."""
    log_n, r = checked(law, log_n, r)
    energies = law.energies()
    at = noisy_points(energies, r)
    tilt = posterior_energy(energies, at.radii, r)
    gap = -log_partition_excess(energies, at.radii, r, log_n, tilt)
    return max(float(posterior_means(energies, float(law.information(r)), r, gap[None], at, tilt)[0]), 0.0)


def log_ratio(law: Law, log_n: float, r: float, noise: float) -> float:
    """E ln(Z_rest/Z_1) in nats at x = y^1 + √s ξ, s = `noise` ≥ 0: the landscape around a training point."""
    log_n, r = checked(law, log_n, r)
    noise = nonnegative_scalar(noise, "noise")
    if log_n < 1e-12:
        return -np.inf  # N = 1: nothing to confuse it with
    own_energy = law.energies().energy_dim * noise / (2 * r)
    return own_energy + _mean_log_partition(law, log_n + np.log1p(-np.exp(-log_n)), r, noise)


def held_out_log_partition(law: Law, log_n: float, r: float) -> float:
    """E ln Σ_μ exp(-|x-y^μ|²/2r) over a fresh clean point x ~ ν and N training points, in nats.

    -E ln p_emp,r(x) = ln N + (D/2) ln 2πr minus this.
    """
    log_n, r = checked(law, log_n, r)
    return _mean_log_partition(law, log_n, r, 0.0)


def checked(law: Law, log_n: float, r: float) -> tuple[float, float]:
    """ln N ≥ 0 and r > 0; ValueError otherwise, or for a law without closed energies."""
    law.energies()
    return nonnegative_scalar(log_n, "log_n"), positive_scalar(r, "r")


def _averages(law: Law, log_n: float, r: float) -> _Averages:
    return _posterior_averages(law, *checked(law, log_n, r))


@lru_cache(maxsize=16)  # retrieval and excess entropy of one point are one calculation
def _posterior_averages(law: Law, log_n: float, r: float) -> _Averages:
    if log_n < 1e-12:
        return _Averages(1.0, 0.0, float(law.information(r)))  # N = 1: nothing to confuse it with
    energies, information = law.energies(), float(law.information(r))
    at = noisy_points(energies, r)
    tilt = posterior_energy(energies, at.radii, r)
    planted = np.stack(planted_posterior(energies, at.radii, r, log_n, tilt))
    weight, entropy, gap = posterior_means(energies, information, r, planted, at, tilt).tolist()
    return _Averages(min(max(weight, 0.0), 1.0), max(entropy, 0.0), max(gap, 0.0))


def _mean_log_partition(law: Law, log_count: float, r: float, noise: float) -> float:
    """E ln Z of e^log_count independent points at x = y + √s ξ; E φ(x, r) = -G(r, s) - E|x-y|²/2r is exact."""
    energies = law.energies()
    at = noisy_points(energies, noise)
    tilt = posterior_energy(energies, at.radii, r)
    excess = log_partition_excess(energies, at.radii, r, log_count, tilt)
    annealed = -float(law.free_energy_gap(r, noise)) - energies.energy_dim * noise / (2 * r)
    return log_count + annealed + controlled_mean(excess, at, tilt.log_partition, annealed)
