"""What should happen: critical noise ratios and exact finite-size averages, for any law. NumPy and SciPy only.

One file for each question: `collapse`, `onset`, `basin_radius`, `generalization`, `local_condensation`, `lost_first`,
`symmetry_breaking`, `speciation`, `geometric_memorization` as published, and all at once in `critical_points` or, for
many N, `phase_diagram`. `processes` translates noise ratios into times, `measured_law` takes a measured d(r) for a law.
Behind doors of their own: `finite_size` (N finite, exactly), `spectra`, `replica` (hidden manifolds), `small_noise`
(curvature), `derivations` (by SymPy), `integrals` (what the others share). Start with `collapse` (docs/theory.md §4).
"""

from . import finite_size, spectra
from .basin_radius import basin_radius
from .collapse import collapse
from .critical_points import CriticalPoint, critical_points
from .generalization import generalization
from .geometric_memorization import geometric_memorization
from .local_condensation import local_condensation
from .measured_law import MeasuredLaw
from .onset import onset
from .processes import DDPM, EDM, OrnsteinUhlenbeck, Process, RectifiedFlow, VarianceExploding
from .speciation import clone_probability, speciation
from .symmetry_breaking import symmetry_breaking

__all__ = [
    "DDPM",
    "EDM",
    "CriticalPoint",
    "MeasuredLaw",
    "OrnsteinUhlenbeck",
    "Process",
    "RectifiedFlow",
    "VarianceExploding",
    "basin_radius",
    "clone_probability",
    "collapse",
    "critical_points",
    "finite_size",
    "generalization",
    "geometric_memorization",
    "local_condensation",
    "onset",
    "speciation",
    "spectra",
    "symmetry_breaking",
]
