"""Spectra of random linear manifolds: covariance, Jacobian of the score, and its gaps (arXiv 2410.05898).

    from remanifold.theory import spectra
    law = spectra.covariance_law([1.0, 0.01], [0.25, 0.75], aspect=0.4)      # m/D = 40/100
    law.edges, law.weights, law.atom, law.density(γ), law.information(r)      # per ambient dimension, in nats
    spectra.jacobian_density(law, r).density(λ)
    [(gap.visible(0.5), gap.widest) for gap in spectra.gaps(law)]

Derivations: docs/spectra.md.
"""

from .covariance_law import CovarianceLaw, covariance_law
from .jacobian_gaps import Gap, JacobianDensity, Phases, critical_aspects, gaps, jacobian_density, phases
from .marchenko_pastur import MarchenkoPastur, marchenko_pastur

__all__ = [
    "CovarianceLaw",
    "Gap",
    "JacobianDensity",
    "MarchenkoPastur",
    "Phases",
    "covariance_law",
    "critical_aspects",
    "gaps",
    "jacobian_density",
    "marchenko_pastur",
    "phases",
]
