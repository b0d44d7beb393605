"""What a data law is: a population known exactly, seen through Gaussian noise x = y + √r ξ (docs/theory.md §2).

Capabilities that not every law has are methods that raise ValueError by default: exact draws of the posterior, energies
with a closed law, classes. Nothing asks which class a law is of.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import Array
from .score import Score

Complex = NDArray[np.complex128]


class InformedLaw(Protocol):
    """A law of which at least the information is known: all that collapse needs."""

    @property
    def smallest_ratio(self) -> float:
        """The noise ratio below which nothing is known: 0 for a population, the first measured one of a curve."""
        ...

    def information(self, r: ArrayLike) -> Array:
        """I(r) = I(y; y + √r ξ) in nats."""
        ...


class Draws(NamedTuple):
    """Independent clean points and what they are: (n, D), and (n,) or None where the law has no such thing."""

    points: Array
    index: NDArray[np.integer] | None = None  # type: ignore[assignment]  # of the training point; hides tuple.index
    label: NDArray[np.integer] | None = None  # of the class


@runtime_checkable
class ExactLaw(Protocol):
    """A law, or N points, that can be drawn from and whose posterior can be drawn from: exact dynamics need no more."""

    @property
    def ambient_dim(self) -> int:
        """D."""
        ...

    def draws(self, n: int, rng: np.random.Generator) -> Draws:
        """`n` independent clean points, with what they are."""
        ...

    def posterior_draws(self, x: ArrayLike, r: ArrayLike, rng: np.random.Generator) -> Draws:
        """One independent draw of the posterior at each point x (n, D); ValueError for a law without exact draws."""
        ...


class Energies(Protocol):
    """The law of |x-y|²/2r, y ~ ν, at the noisy point x: what exact finite size needs (docs/finite_size.md).

    Distances may leave out directions in which neither the data nor their differences extend: there |x-y|² is the
    same for all y.
    """

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


class Law(InformedLaw, ExactLaw, Score, Protocol):
    """A data law ν in D ambient dimensions.

    In averages `r` may be an array of any shape, and they return floats or arrays of its shape: they are exact. At
    points x, (D,) or (n, D), r is one number or one for each point, as for every `Score`. φ(x, r) is the log-partition
    ln E_{y~ν} exp(-|x-y|²/2r); the tilted law is the posterior of the clean point. Laws are values: frozen, equal and
    hashed by their parameters. `noise` is always a variance s.
    """

    intrinsic_dim: int

    def __hash__(self) -> int:
        """By the parameters: averages are remembered."""
        ...

    @property
    def mean(self) -> Array:
        """E y, shape (D,): the default symmetric point."""
        ...

    # averages over x ~ p_r

    def dimension(self, r: ArrayLike) -> Array:
        """d(r) = E tr C(x, r)/r = -2 dI/d ln r."""
        ...

    def free_energy_gap(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """G(r, s) = E[-|x-y|²/2r - φ(x, r)] at x = y + √s ξ, in nats.

        The mean of ln Z_1 - ln E Z_2: how far a point's own Boltzmann factor stands above the average of
        another's. G(r, r) = I(r); s = 0 is the energy landscape at the point itself.
        """
        ...

    def mean_local_divergence(self, r: ArrayLike, noise: ArrayLike) -> Array:
        """E K(x, r) at x = y + √s ξ; equals I(r) at s = r."""
        ...

    # at points

    def local_divergence(self, x: ArrayLike, r: ArrayLike) -> Array:
        """K(x, r) = KL(tilted law at x ‖ ν) in nats, shape () or (n,)."""
        ...

    def leading_posterior_variance(self, x: ArrayLike, r: float) -> float:
        """Largest eigenvalue of the posterior covariance C(x, r) at one point x of shape (D,)."""
        ...

    # the covariance of the data

    @property
    def is_gaussian(self) -> bool:
        """Whether ν is a Gaussian law: then a symmetric point never becomes unstable, C < r."""
        ...

    def leading_variance(self) -> float:
        """Largest eigenvalue Λ of the covariance of the data."""
        ...

    def direction(self, i: int) -> Array:
        """Unit vector of the i-th principal or tangent direction, shape (D,)."""
        ...

    # capabilities

    def energies(self) -> Energies:
        """The closed law of its energies; ValueError for a law that has none."""
        ...

    @property
    def n_classes(self) -> int:
        """Number of classes: 1 for a law without."""
        ...

    def class_signal(self, r: float) -> float:
        """Largest eigenvalue of the covariance of the class means, in units of within-class variance plus noise."""
        ...

    def class_overlap(self, r: float) -> Array:
        """E_x P(j|x) P(k|x), shape (K, K)."""
        ...


def has_energies(law: Law) -> bool:
    """Whether exact finite size is offered for `law`."""
    try:
        law.energies()
    except ValueError:
        return False
    return True
