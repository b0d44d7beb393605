"""What happens for N training points: the exact empirical score, its reverse dynamics and its observables.

`EmpiricalScore` sums over the points, by the fastest of several exact kernels; `reverse`, `clones`, `u_turn`,
`collapse_times`, `basin` and `profile` follow the reverse process without discretisation error; `planted_averages`
and its neighbours measure what theory predicts, with standard errors.  Compiled with Numba; PyTorch is not needed.
"""

from simulations.basin import basin
from simulations.class_clones import class_clone_probability
from simulations.clones import clones
from simulations.collapse_times import collapse_times
from simulations.data_sets import over_data_sets
from simulations.empirical import EmpiricalScore, Posterior
from simulations.engine import Plan
from simulations.held_out import best_noise, cross_entropy
from simulations.memorization import memorized_fraction, novelty
from simulations.neighbours import two_nearest
from simulations.planted import planted_averages
from simulations.posterior_draw import start
from simulations.probe_condensation import probe_condensation
from simulations.profile import profile
from simulations.reverse import reverse, reverse_steps
from simulations.scaling_collapse import scaling_curve
from simulations.sweep import sweep
from simulations.u_turn import u_turn
from theory.estimate import Estimate

__all__ = [
    "EmpiricalScore",
    "Estimate",
    "Plan",
    "Posterior",
    "basin",
    "best_noise",
    "class_clone_probability",
    "clones",
    "collapse_times",
    "cross_entropy",
    "memorized_fraction",
    "novelty",
    "over_data_sets",
    "planted_averages",
    "probe_condensation",
    "profile",
    "reverse",
    "reverse_steps",
    "scaling_curve",
    "start",
    "sweep",
    "two_nearest",
    "u_turn",
]
