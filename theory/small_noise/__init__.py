"""Small noise on a smooth manifold: volume, curvature, density and boundary are all that is seen.

Start with `information` and `collapse`, the expansions whose first coefficient is `curvature_coefficient`.
Derivation: docs/curvature.md.
"""

from .expansion import BOUNDARY, collapse, curvature_coefficient, information

__all__ = ["BOUNDARY", "collapse", "curvature_coefficient", "information"]
