"""Exact averages at finite N, N = 10 to 10³⁰ and beyond: the transition has a width, and here it is.

Start with `averages`: `retrieval`, `participation`, `excess_entropy`, … of (law, ln N, r). `critical_ratios` has onset,
basin and generalization; `dimension` d(r) of N points; `scaling` the forms in which all N and D fall on one curve;
`observables` all of it along r, exact or not. Below them, `planted_posterior` and `mean_log_partition`
integrate over N points at one x on the contours of `laplace_contour`, and `node_average` over x. docs/finite_size.md.
"""

from .averages import (
    excess_entropy,
    held_out_log_density_gap,
    held_out_log_partition,
    log_density_gap,
    log_ratio,
    participation,
    retrieval,
)
from .critical_ratios import basin_radius, generalization, onset

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
