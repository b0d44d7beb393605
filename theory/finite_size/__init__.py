"""Exact averages at finite N, N = 10 to 10³⁰ and beyond: the transition has a width, and here it is.

Start with `averages`: `retrieval`, `participation`, `excess_entropy`, `onset`, `generalization`, … of (law, ln N, r).
`scaling` has the forms in which all N and D fall on one curve, `dimension` d(r) of N points; `planted_posterior`
and `mean_log_partition` do the integrals on the contours of `laplace_contour`. Derivations: docs/finite_size.md.
"""

from .averages import (
    basin_radius,
    excess_entropy,
    generalization,
    held_out_log_density_gap,
    held_out_log_partition,
    log_density_gap,
    log_ratio,
    onset,
    participation,
    retrieval,
)

__all__ = [
    "basin_radius",
    "excess_entropy",
    "generalization",
    "held_out_log_density_gap",
    "held_out_log_partition",
    "log_density_gap",
    "log_ratio",
    "onset",
    "participation",
    "retrieval",
]
