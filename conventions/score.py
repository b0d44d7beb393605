"""What a score is, on every leg: a population law, N points, a network, a function of a person's own.

Points x are (D,) or (n, D), a noise ratio r is one number or one for each point, (n,); results are float64.

Averages mean the same everywhere, d(r) = E tr C(x, r)/r and I(r) = I(y; x) over x ~ p_r of the score's own law. Where
they are exact they are functions of r alone and return floats (`Law.dimension`, `Law.information`); where they are
sampled they take an `rng` as well and return an `Estimate` (`EmpiricalScore`, networks). `Estimate.exactly` turns the
first into the second.
"""

from typing import Protocol, runtime_checkable

from numpy.typing import ArrayLike

from .arguments import Array


class Score(Protocol):
    """A score at every noise ratio: all that reverse dynamics and probes need."""

    @property
    def ambient_dim(self) -> int:
        """D."""
        ...

    def posterior_mean(self, x: ArrayLike, r: ArrayLike) -> Array:
        """m(x, r), the mean of the clean point given the noisy one, shape of x."""
        ...

    def score(self, x: ArrayLike, r: ArrayLike) -> Array:
        """∇ ln p_r(x) = (m - x)/r, shape of x."""
        ...


@runtime_checkable
class SpectralScore(Score, Protocol):
    """A score that knows the derivative of its posterior mean: laws, N points and learned scores."""

    def posterior_covariance(self, x: ArrayLike, r: ArrayLike) -> Array:
        """C(x, r) = r ∂m/∂x, shape (D, D) or (n, D, D)."""
        ...

    def jacobian_spectrum(self, x: ArrayLike, r: ArrayLike, k: int | None = None) -> Array:
        """The `k` largest eigenvalues of (the symmetric part of) ∂s/∂x, descending, shape (k,) or (n, k)."""
        ...


@runtime_checkable
class DifferentiableScore(SpectralScore, Protocol):
    """A score whose Jacobian can be applied without the matrix: learned scores."""

    def jacobian_product(self, x: ArrayLike, r: ArrayLike, v: ArrayLike, *, transpose: bool = False) -> Array:
        """J v or Jᵀ v at each point, J = ∂s/∂x, shape of v (n, D)."""
        ...
