"""Clean points drawn from the posterior of a law given noisy ones: where a reverse trajectory ends.

The reverse process from x at noise ratio r ends at a draw from the posterior ν_{x,r}; a forward path that
starts at that draw and passes through x has the law of the reverse path.  So one draw decides a trajectory.
"""

import numpy as np
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.arguments import Array
from ..manifolds.linear import Linear
from ..manifolds.manifold import Manifold
from ..manifolds.mixture import Mixture
from .empirical_score import EmpiricalScore, Indices
from .engine.draw import draw_pattern


def start(law: EmpiricalScore | Manifold, r: float, n: int, rng: np.random.Generator) -> Array:
    """`n` noisy points x = y + √r ξ ~ p_r, shape (n, D): y drawn from a manifold or, independently, from the data."""
    r, rng = arguments.positive_scalar(r, "r"), arguments.generator(rng)
    if isinstance(law, EmpiricalScore):
        index = rng.integers(law.n_points, size=arguments.positive_integer(n, "n"))
        y = law.training_points(index)
    else:
        y = law.sample(n, rng)
    return y + np.sqrt(r) * rng.standard_normal(y.shape)


def draw_clean(law: EmpiricalScore | Linear | Mixture, x: ArrayLike, r: float, rng: np.random.Generator) -> Array:
    """One clean point drawn exactly from the posterior ν_{x,r} at each noisy x (n, D), shape (n, D).

    Training points with their posterior weights for an `EmpiricalScore`; a Gaussian of mean m(x, r) and variances
    λr/(λ+r) for `Linear`; a class with P(k|x), then its Gaussian, for a `Mixture` of `Linear`.
    ValueError for other laws, whose posterior has no exact draw here.
    """
    r, rng = arguments.positive_scalar(r, "r"), arguments.generator(rng)
    if isinstance(law, EmpiricalScore):
        return law.training_points(draw_pattern(law, np.atleast_2d(x), r, rng))
    if isinstance(law, Mixture):
        return draw_of_class(law, np.atleast_2d(x), r, draw_class(law, np.atleast_2d(x), r, rng), rng)
    if isinstance(law, Linear):
        mean = law.posterior_mean(np.atleast_2d(x), r)
        spread = np.sqrt(law.variances / (1 + law.variances / r))
        return mean + law.embedding.lift_vectors(spread * rng.standard_normal((len(mean), spread.size)))
    raise arguments.fail("law", law, "has no exact posterior draw: EmpiricalScore, Linear and Mixture of Linear have")


def draw_class(law: Mixture, x: Array, r: float, rng: np.random.Generator) -> Indices:
    """A class k drawn with P(k|x) at each noisy x (n, D), shape (n,)."""
    cumulative = np.cumsum(law.class_posterior(x, r), axis=1)
    return np.sum(cumulative[:, :-1] <= rng.random((len(x), 1)) * cumulative[:, -1:], axis=1)


def draw_of_class(law: Mixture, x: Array, r: float, classes: Indices, rng: np.random.Generator) -> Array:
    """Clean points drawn from the posteriors of the given classes (n,), shape (n, D)."""
    y = np.empty(x.shape)
    for k in np.unique(classes):
        y[classes == k] = draw_clean(law.components[k], x[classes == k], r, rng)  # type: ignore[arg-type]
    return y
