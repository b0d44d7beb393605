"""Small noise on a smooth manifold: volume, curvature, density and boundary are all that is seen."""

import math
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from ...conventions.arguments import Array, fail, positive, positive_scalar

BOUNDARY = 0.903197285568625  # -∫ Φ ln Φ dt over the line, Φ the normal distribution function


class SmoothLaw(Protocol):
    """A law with a smooth density on a smooth manifold of known geometry."""

    intrinsic_dim: int

    @property
    def volume(self) -> float:
        """V."""
        ...

    @property
    def entropy(self) -> float:
        """h = -E ln p, ln V where the density is uniform."""
        ...

    @property
    def boundary_volume(self) -> float:
        """A, 0 where there is no boundary."""
        ...

    @property
    def density_gradient_squared(self) -> float:
        """E |∇ ln p|² along the manifold, 0 where the density is uniform."""
        ...

    @property
    def mean_curvature_squared(self) -> float:
        """E |H|², H the trace of the second fundamental form."""
        ...

    @property
    def second_fundamental_form_squared(self) -> float:
        """E |II|²."""
        ...


def curvature_coefficient(law: SmoothLaw) -> float:
    """c = E[½|H|² - ¾|II|² + ½|∇ ln p|²], the coefficient of r in the information, in nats per unit of r.

    The last term is the Fisher information of a density that is not uniform. Derived, docs/curvature.md §1.
    """
    shape = 0.5 * law.mean_curvature_squared - 0.75 * law.second_fundamental_form_squared
    return shape + 0.5 * law.density_gradient_squared


def information(law: SmoothLaw, r: ArrayLike) -> Array:
    """I(r) = h - (d/2) ln(2πe r) + β (A/V) √r + c r in nats, h = ln V at uniform density.

    For r far below the squared radii of curvature; o(r) is dropped, or O(r) where there is a boundary of volume
    A > 0 (`boundary_volume`; uniform density assumed there). Derived, docs/curvature.md §1, §3.
    """
    ratio = positive(r, "r")
    edge = BOUNDARY * law.boundary_volume / law.volume
    flat = law.entropy - 0.5 * law.intrinsic_dim * np.log(2 * np.pi * math.e * ratio)
    return flat + edge * np.sqrt(ratio) + curvature_coefficient(law) * ratio


def collapse(law: SmoothLaw, *, log_n: float) -> float:
    """r_c = r_0 (1 + 2 c r_0/d), r_0 = (e^h/N)^{2/d}/(2πe), with β (A/V) √r_0 beside c r_0 at a boundary.

    First order in r_0: ValueError where the correction exceeds ½ and the expansion is of no use (use
    `theory.collapse`). `log_n` = ln N > 0. Derived, docs/curvature.md §4.
    """
    log_n = positive_scalar(log_n, "log_n")
    d = law.intrinsic_dim
    start = math.exp(2 * (law.entropy - log_n) / d) / (2 * math.pi * math.e)
    edge = BOUNDARY * law.boundary_volume / law.volume
    correction = 2 / d * (edge * math.sqrt(start) + curvature_coefficient(law) * start)
    if abs(correction) > 0.5:
        raise fail("log_n", log_n, f"too small for an expansion in small noise (correction {correction:+.2g})")
    return start * (1 + correction)
