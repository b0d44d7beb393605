"""The data: laws with exact population quantities, and real image sets behind the same door."""

from manifolds.linear import Linear
from manifolds.manifold import Manifold
from manifolds.normalized_linear import NormalizedLinear

__all__ = ["Linear", "Manifold", "NormalizedLinear"]
