"""What should happen: critical noise ratios and exact finite-size averages. NumPy and SciPy only."""

from theory import finite_size, spectra
from theory.basin import basin_radius
from theory.collapse import collapse
from theory.generalization import generalization
from theory.geometric_memorization import geometric_memorization
from theory.local_condensation import local_condensation
from theory.measured_law import MeasuredLaw
from theory.onset import onset
from theory.processes import DDPM, OrnsteinUhlenbeck, Process, RectifiedFlow, VarianceExploding
from theory.speciation import clone_probability, speciation
from theory.symmetry_breaking import symmetry_breaking

__all__ = [
    "DDPM",
    "MeasuredLaw",
    "OrnsteinUhlenbeck",
    "Process",
    "RectifiedFlow",
    "VarianceExploding",
    "basin_radius",
    "clone_probability",
    "collapse",
    "finite_size",
    "generalization",
    "geometric_memorization",
    "local_condensation",
    "onset",
    "speciation",
    "spectra",
    "symmetry_breaking",
]
