"""What theory needs to know about a data law; every manifold offers it."""

from typing import Protocol

from numpy.typing import ArrayLike

from .arguments import Array


class InformedLaw(Protocol):
    """A law of which at least the information is known: all that collapse needs."""

    def information(self, r: ArrayLike) -> Array:
        """I(r) = I(y; y + √r ξ) in nats."""
        ...


class DataLaw(InformedLaw, Protocol):
    """A data law ν in D ambient dimensions, seen through Gaussian noise x = y + √r ξ (theory notes §2).

    Noise ratios `r` are scalars or arrays; points `x` have shape (D,) or (n, D). φ(x, r) is the log-partition
    ln E_{y~ν} exp(-|x-y|²/2r); the tilted law is the posterior of the clean point.
    """

    @property
    def ambient_dim(self) -> int:
        """D."""
        ...

    @property
    def mean(self) -> Array:
        """E y, shape (D,): the default symmetric point."""
        ...

    def information(self, r: ArrayLike) -> Array:
        """I(r) = I(y; y + √r ξ) in nats."""
        ...

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

    def local_divergence(self, x: ArrayLike, r: float) -> Array:
        """K(x, r) = KL(tilted law at x ‖ ν) in nats, shape () or (n,)."""
        ...

    def leading_posterior_variance(self, x: ArrayLike, r: float) -> float:
        """Largest eigenvalue of the posterior covariance C(x, r) at one point x of shape (D,)."""
        ...

    def leading_variance(self) -> float:
        """Largest eigenvalue Λ of the covariance of the data."""
        ...

    def direction(self, i: int) -> Array:
        """Unit vector of the i-th principal or tangent direction, shape (D,)."""
        ...
