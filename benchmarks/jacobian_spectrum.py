"""Spectrum of the score Jacobian at one point: from the posterior covariance, against 4D orthogonal probes.

The probes are ± σ q_i of two random orthonormal bases, scores of all of them by fused attention in float32, singular
values of the differences: what one does with a score that is known by its values only.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .data import Problem
from .side_by_side import resident

_METHODS = {
    "ours": ".jacobian_spectrum:exact",
    "single": ".jacobian_spectrum:exact_single",
    "probes": ".jacobian_spectrum:probes",
}


def exact(**case: Any) -> Callable[[], Any]:
    """Ours, float64."""
    return _exact("float64", case)


def exact_single(**case: Any) -> Callable[[], Any]:
    """Ours, float32."""
    return _exact("float32", case)


def _exact(dtype: str, case: dict[str, Any]) -> Callable[[], Any]:
    from ..simulations import EmpiricalScore

    points, queries, r = Problem(**case).float64()
    empirical = EmpiricalScore(points, dtype=dtype)
    return lambda: empirical.jacobian_spectrum(queries[0], r)


def probes(**case: Any) -> Callable[[], Any]:
    """Fused attention at the probes, then singular values."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    points, queries, r = Problem(**case).float32()
    keys = torch.from_numpy(points)
    mask = (-(keys**2).sum(1) / (2 * r))[None, None, None]
    size, dim = 0.1 * np.sqrt(r), points.shape[1]
    bases = [torch.linalg.qr(torch.randn(dim, dim))[0] for _ in range(2)]
    directions = torch.cat([*bases, *(-basis for basis in bases)])
    attention = torch.nn.functional.scaled_dot_product_attention

    def run() -> Any:
        x = torch.from_numpy(queries[0]) + size * directions
        k = keys[None, None]
        mean = attention((x / r)[None, None], k, k, attn_mask=mask.expand(1, 1, len(x), -1), scale=1.0)[0, 0]
        score = (mean - x) / r
        half = len(score) // 2
        return torch.linalg.svdvals((score[:half] - score[half:]) / (2 * size)).numpy()

    return run


def rows(quick: bool) -> Iterator[dict[str, Any]]:
    """One line per noise ratio, from broad to condensed weights."""
    n_points, dim = (6_000, 128) if quick else (60_000, 784)
    with resident(_METHODS) as methods:
        for over in (0.25, 1.0, 4.0):
            case = {"n_points": n_points, "dim": dim, "n_queries": 1, "decay": 1.0, "over_collapse": over}
            timings = methods.compare(case, 3)
            yield {
                "N": n_points,
                "D": dim,
                "r/r_c": over,
                "float64 ms": timings.milliseconds("ours"),
                "float32 ms": timings.milliseconds("single"),
                "probes ms": timings.milliseconds("probes"),
                "ratio float64": timings.ratio("probes"),
                "ratio float32": timings.ratio("probes", "single"),
            }
