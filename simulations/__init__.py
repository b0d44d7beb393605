"""What happens for N training points: the exact empirical score and its observables.

Planted queries, posterior weights over the training points, their condensation, the spectrum of the
score Jacobian, and the empirical information and dimension at noise ratio r.  Compiled with Numba;
PyTorch is not needed.
"""

from simulations.empirical import EmpiricalScore, Posterior
from theory.estimate import Estimate

__all__ = ["EmpiricalScore", "Estimate", "Posterior"]
