"""What a score is, on every leg: a population law, N points, a network, a function of a person's own.

Points x are (D,) or (n, D), a noise ratio r is one number or one for each point, (n,); results are float64.

Averages mean the same everywhere, d(r) = E tr C(x, r)/r and I(r) = I(y; x) over x ~ p_r of the score's own law. Where
they are exact they are functions of r alone and return floats (`Law.dimension`, `Law.information`); where they are
sampled they take an `rng` as well and return an `Estimate` (`EmpiricalScore`, networks). `Estimate.exactly` turns the
first into the second.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from .arguments import Array, fail, numbers, points, positive

ScoreFunction = Callable[[Array, float], ArrayLike]  # of points (n, D) and one noise ratio, returning (n, D)


@runtime_checkable
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


class LocalAverages(NamedTuple):
    """What a score says of its posterior at points x, numbers or (n,): their means over x ~ p_r are the curves over r.

    `dimension` tr C(x, r)/r; `participation` Σ_μ w_μ(x)², None where there are no training points to condense on
    (at a population, N → ∞).
    """

    dimension: Any
    participation: Any


class ProfiledScore(Score, Protocol):
    """A score with local averages, all that profiles along trajectories need: laws, N points, learned scores."""

    def local_averages(self, x: ArrayLike, r: ArrayLike) -> LocalAverages:
        """tr C(x, r)/r and the participation at each point."""
        ...


@runtime_checkable
class DifferentiableScore(SpectralScore, Protocol):
    """A score whose Jacobian can be applied without the matrix: learned scores."""

    def jacobian_product(self, x: ArrayLike, r: ArrayLike, v: ArrayLike, *, transpose: bool = False) -> Array:
        """J v or Jᵀ v at each point, J = ∂s/∂x, shape of v (n, D)."""
        ...


AnyScore = Score | ScoreFunction


class FunctionScore:
    """A function score(x, r) of points (n, D) and one noise ratio, as a `Score`."""

    def __init__(self, function: ScoreFunction, ambient_dim: int) -> None:
        self.function, self.ambient_dim = function, ambient_dim

    def score(self, x: ArrayLike, r: ArrayLike) -> Array:
        """function(x, r), once for each value of r; shape of x. ValueError for NaN or another shape."""
        batch = points(x, self.ambient_dim)
        ratio = np.broadcast_to(positive(r, "r"), len(batch))
        scores = np.empty_like(batch)
        for one in np.unique(ratio):
            scores[ratio == one] = scores_like(batch[ratio == one], self.function(batch[ratio == one], float(one)))
        return scores.reshape(np.shape(x))

    def posterior_mean(self, x: ArrayLike, r: ArrayLike) -> Array:
        """x + r s(x, r), shape of x."""
        step = np.asarray(r, dtype=np.float64)
        return np.asarray(x, dtype=np.float64) + (step[:, None] if step.ndim else step) * self.score(x, r)


def as_score(score: AnyScore, ambient_dim: int) -> Score:
    """`score` itself, or a function score(x, r) made one; ValueError for anything else, and for another dimension."""
    if isinstance(score, Score):
        if score.ambient_dim != ambient_dim:
            raise fail("score", score, f"must be of points in {ambient_dim} dimensions (it has {score.ambient_dim})")
        return score
    function = getattr(score, "score", score)  # of an object with nothing but this method
    if not callable(function):
        raise fail("score", score, "must have a method score(x, r), or be such a function")
    return FunctionScore(function, ambient_dim)


def scores_at(score: Score, x: Array, r: float) -> Array:
    """score.score(x, r) at points x (n, D), or ValueError for NaN or another shape."""
    return scores_like(x, score.score(x, r))


def scores_like(x: Array, scores: ArrayLike) -> Array:
    """`scores` as finite numbers of the shape of x; ValueError otherwise."""
    values = numbers(scores, "score(x, r)")
    if values.shape != x.shape:
        raise ValueError(f"score(x, r) has shape {values.shape}: must be that of x, {x.shape}")
    return values
