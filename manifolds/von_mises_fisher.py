"""Draws of the von Mises–Fisher law, density ∝ exp(b·u) on the unit sphere: the posterior of a uniform law there."""

import numpy as np

from ..conventions.arguments import Array


def von_mises_fisher(field: Array, rng: np.random.Generator) -> Array:
    """One exact draw (n, k), k ≥ 2, for each `field` b (n, k), of concentrations κ = |b| ≥ 0 of any size.

    1 - u·b/κ by rejection from Ulrich's envelope (Wood 1994, Commun. Stat. Simul. 23, 157; for the circle it is that
    of Best and Fisher), which accepts at least 0.66 at every κ; written in 1 - cos θ, so that κ → ∞ keeps its digits.
    """
    kappa = np.linalg.norm(field, axis=1)
    pole = np.zeros_like(field)
    pole[:, 0] = 1.0  # any direction where there is no field
    towards = np.where(kappa[:, None] > 0, field / np.maximum(kappa, 1e-300)[:, None], pole)
    shortfall = _shortfall(kappa, field.shape[1], rng)[:, None]
    across = rng.standard_normal(field.shape)
    across -= np.sum(across * towards, axis=1, keepdims=True) * towards
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return (1 - shortfall) * towards + np.sqrt(shortfall * (2 - shortfall)) * across


def _shortfall(kappa: Array, k: int, rng: np.random.Generator) -> Array:
    """1 - cos θ of density ∝ e^{κ cos θ} (sin θ)^{k-3} d cos θ, one for each κ (n,)."""
    b = (k - 1) / (2 * kappa + np.hypot(2 * kappa, k - 1.0))
    q = 2 * b / (1 + b)  # 1 - cos θ where the envelope touches
    shortfall, left = np.empty_like(kappa), np.arange(len(kappa))
    while len(left):
        beta = rng.beta(0.5 * (k - 1), 0.5 * (k - 1), len(left))
        trial = 2 * b[left] * beta / (1 - (1 - b[left]) * beta)
        ahead = kappa[left] * (q[left] - trial) + (k - 1) * (
            np.log1p((1 - q[left]) * trial / q[left]) - np.log(2 - q[left])
        )
        good = -rng.standard_exponential(len(left)) <= ahead
        shortfall[left[good]] = trial[good]
        left = left[~good]
    return shortfall
