"""What happens for N training points: the exact empirical score, its reverse dynamics and its observables.

`EmpiricalScore` sums over the points, by the fastest of several exact kernels; `reverse`, `clones`, `u_turn`,
`collapse_times`, `basin` and `profile` follow the reverse process without discretisation error; `planted_averages`
and its neighbours measure what theory predicts, with standard errors.  Compiled with Numba; PyTorch is not needed.
"""

from ..conventions.estimate import Estimate
from .basin import basin
from .class_clones import class_clone_probability
from .clones import clones
from .collapse_times import collapse_times
from .data_sets import over_data_sets
from .empirical_score import EmpiricalScore, Observables
from .engine.planned_sums import Plan
from .exact_draws import noisy_points
from .held_out import best_noise, cross_entropy
from .memorization import memorized_fraction, novelty
from .neighbours import two_nearest
from .planted_averages import planted_averages
from .probe_condensation import probe_condensation
from .profile import profile
from .reverse import reverse, reverse_steps
from .scaling_collapse import scaling_curve
from .sweeps.sweep import sweep
from .u_turn import u_turn

__all__ = [
    "EmpiricalScore",
    "Estimate",
    "Observables",
    "Plan",
    "basin",
    "best_noise",
    "class_clone_probability",
    "clones",
    "collapse_times",
    "cross_entropy",
    "memorized_fraction",
    "noisy_points",
    "novelty",
    "over_data_sets",
    "planted_averages",
    "probe_condensation",
    "profile",
    "reverse",
    "reverse_steps",
    "scaling_curve",
    "sweep",
    "two_nearest",
    "u_turn",
]
