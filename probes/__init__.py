"""What may be asked of any score – a law, N points, a network, a function: spectra, dimensions, attractors, distances.

Start with `jacobian_spectrum` and `dimensions`; `score_error` and `share_of_memory` compare scores. None needs PyTorch.
"""

from .attractors import attractors, state_fractions
from .crossings import half_crossing
from .dimension_rules import cliff, flipd, largest_gap, occupation
from .dimensions import dimension_curve, dimensions, normal_bundle
from .jacobian_spectrum import jacobian_spectrum, measured_gaps
from .orthogonal_probes import orthogonal_probes
from .score_distance import score_error, share_of_memory
from .score_jacobian import ScoreJacobian

__all__ = [
    "ScoreJacobian",
    "attractors",
    "cliff",
    "dimension_curve",
    "dimensions",
    "flipd",
    "half_crossing",
    "jacobian_spectrum",
    "largest_gap",
    "measured_gaps",
    "normal_bundle",
    "occupation",
    "orthogonal_probes",
    "score_error",
    "share_of_memory",
    "state_fractions",
]
