"""Intrinsic dimension read off a score: from the singular values of its Jacobian, its eigenvalues, its
divergence.

At small r the Jacobian J of a score has D - d normal directions of size 1/r and d tangent ones of size
1/(λ+r): in a spectrum in descending order the dimension is the number of *small* singular values after the
drop.
"""

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, fail, nonnegative, numbers, positive

# Second differences below this share of the largest singular value are rounding, not structure.
_ROUNDING = 1e-12


def largest_gap(singular_values: ArrayLike) -> int:
    """Number of singular values below the largest difference between neighbours; 1 … D - 1.

    Of equal gaps the first (the largest dimension) counts.

    Args:
        singular_values: (D,), D ≥ 2, descending, ≥ 0.

    Raises:
        ValueError: for another shape or order, or if all values are equal, so that there is no gap.
    """
    values = _descending(singular_values, least=2)
    gaps = -np.diff(values)
    if not gaps.max() > 0:
        raise fail("singular_values", values, "must not be all equal: there is no gap")
    return int(values.size - 1 - np.argmax(gaps))


def cliff(singular_values: ArrayLike, drop: int = 5, threshold: float = 10.0) -> int | None:
    """The published rule of arXiv 2410.08727: D - k, k the place of the first strong bend of the spectrum.

    The first `drop` values are left out; a bend is strong if the absolute second difference centred on it is
    *more than* `threshold` times the median of all of them; k is the index, counted from 0 in the full
    spectrum, of the first strong bend. None if there is none (the published code then returns D: a spectrum
    without a cliff is taken to fill the space; here the caller decides).

    As published the rule stops at the last value *before* the drop: for an ideal step above d small singular
    values it returns d + 1. It cannot see a drop within the first `drop` + 1 values.

    Args:
        singular_values: (D,), D ≥ drop + 3, descending, ≥ 0.
        drop: number of leading values left out, ≥ 0.
        threshold: in medians, > 0.

    Raises:
        ValueError: for another shape or order, or too few values.
    """
    if isinstance(drop, bool) or not isinstance(drop, (int, np.integer)) or drop < 0:
        raise fail("drop", drop, "must be an integer ≥ 0")
    factor = positive(threshold, "threshold")
    values = _descending(singular_values, least=drop + 3)
    bends = np.abs(np.diff(values[drop:], n=2))
    bends[bends <= _ROUNDING * values[0]] = 0
    strong = np.flatnonzero(bends > factor * np.median(bends))
    return int(values.size - (strong[0] + 1 + drop)) if strong.size else None


def occupation(eigenvalues: ArrayLike, r: ArrayLike) -> Array:
    """d(r) at a point, Σ_k (1 + r κ_k) over the eigenvalues κ_k of J = -(1 - C/r)/r: that is tr C/r.

    docs/theory.md §2 (derived). Each direction counts λ/(λ+r): 1 while the noise is far below its width.

    Args:
        eigenvalues: (D,) or (n, D), any order, of an exact, empirical or learned score.
        r: noise ratio > 0, one or (n,).

    Returns:
        () or (n,).
    """
    values, ratio = numbers(eigenvalues, "eigenvalues"), positive(r, "r")
    if values.ndim not in (1, 2) or values.size == 0 or ratio.shape not in ((), values.shape[:-1]):
        raise ValueError(f"eigenvalues {values.shape} and r {ratio.shape}: must be (D,) or (n, D) and () or (n,)")
    return np.sum(1 + ratio[..., None] * values, axis=-1)


def flipd(score: ArrayLike, divergence: ArrayLike, r: ArrayLike) -> Array:
    """FLIPD of arXiv 2406.03537 (docs/theory.md §3): D + r (tr ∇s + |s|²), by VE noise ratio.

    Equals ∂ log p_r/∂ ln √r + D: at small r and at points on the manifold it tends to d.

    Args:
        score: s(x, r), (D,) or (n, D); D is read from it.
        divergence: tr ∇s, () or (n,).
        r: noise ratio > 0, one or (n,).

    Returns:
        () or (n,).
    """
    values, traces, ratio = numbers(score, "score"), numbers(divergence, "divergence"), positive(r, "r")
    if values.ndim not in (1, 2) or values.size == 0 or traces.shape != values.shape[:-1]:
        raise ValueError(f"score {values.shape} and divergence {traces.shape}: must be (D,), () or (n, D), (n,)")
    if ratio.shape not in ((), traces.shape):
        raise ValueError(f"r has shape {ratio.shape}: must be one number or one per point {traces.shape}")
    return values.shape[-1] + ratio * (traces + np.sum(values**2, axis=-1))


def _descending(singular_values: ArrayLike, least: int) -> Array:
    values = nonnegative(singular_values, "singular_values")
    if values.ndim != 1 or values.size < least:
        raise ValueError(f"singular_values has shape {values.shape}: must be (D,) with D ≥ {least}")
    if np.any(np.diff(values) > 0):
        raise fail("singular_values", values, "must be in descending order")
    return values
