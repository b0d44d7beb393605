"""What exact finite size needs of a law: the law of its energies |x-y|²/2r, given the noisy point x."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .arguments import Array, fail
from .law import Law

Complex = NDArray[np.complex128]


class EnergyLaw(Law, Protocol):
    """A law whose squared distances |x-y|², y ~ ν, have a known moment-generating function given x.

    Distances may leave out directions in which neither the data nor their differences extend: there |x-y|² is the
    same for all y.
    """

    def __hash__(self) -> int:
        """Laws do not change: their averages are remembered."""
        ...

    @property
    def energy_dim(self) -> int:
        """Directions counted in |x-y|²: its mean at the point's own y is energy_dim·s."""
        ...

    @property
    def radial_dim(self) -> int:
        """Independent normal numbers that one x = y + √s ξ takes."""
        ...

    def noisy_radii(self, noise: float, scores: Array) -> Array:
        """What the law of |x-y|² depends on at x = y + √s ξ, one row for each row of `scores` (n, radial_dim).

        `scores` are nodes of a standard normal vector. A single row if x cannot vary (a sphere without noise).
        """
        ...

    def log_energy_moment(self, radii: Array, r: float, k: Complex) -> Complex:
        """Λ_x(k) = ln E_y exp(-k|x-y|²/2r), Re k > 0, up to multiples of 2πi; `radii` (n, g), k (m,) → (n, m)."""
        ...


def has_energy_law(law: object) -> bool:
    """Whether `law` offers `EnergyLaw`: Linear and Sphere do, and products and some mixtures of such laws."""
    return getattr(law, "radial_dim", None) is not None  # a product of other factors has none to give


def check_energy_law(law: object) -> None:
    """ValueError for a law without `EnergyLaw`."""
    if not has_energy_law(law):
        known = "Linear, Sphere, products of them and Gaussian mixtures of one spread"
        raise fail("law", law, f"finite_size needs a law whose energies have a closed law ({known})")
