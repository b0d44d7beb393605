"""Theory against simulation: every critical point that exists, with the z-score of the difference."""

import numpy as np

from ...conventions.progress import tracked
from .classes import check_speciation, check_symmetry_breaking
from .directions import check_local_condensation, check_normalized
from .information_and_width import check_collapse, check_identities, check_width
from .landscape import check_generalization, check_landscape
from .quantity import Check, Verified

CHECKS: dict[str, Check] = {
    "identities": check_identities,
    "collapse": check_collapse,
    "width of collapse": check_width,
    "onset and basin": check_landscape,
    "generalization": check_generalization,
    "local condensation": check_local_condensation,
    "normalized data": check_normalized,
    "symmetry breaking": check_symmetry_breaking,
    "speciation": check_speciation,
}


def run(seed: int = 0, *, quick: bool = True) -> list[Verified]:
    """All comparisons, with progress on a terminal; `quick` uses 32 independent replicas, otherwise 128."""
    rng = np.random.default_rng(seed)
    subjects = tracked(CHECKS.values(), "theory against simulation")
    return [row for check in subjects for row in check(rng, 32 if quick else 128)]
