"""Two Gaussians: symmetry breaking and speciation."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...conventions.arguments import Array
from ...conventions.estimate import Estimate
from ...manifolds import Mixture
from ...theory import clone_probability, speciation, symmetry_breaking
from .quantity import Verified

if TYPE_CHECKING:
    from ...simulations import EmpiricalScore


def check_symmetry_breaking(rng: np.random.Generator, replicas: int) -> Iterator[Verified]:
    """Two Gaussians: where the centre turns unstable, in each convention, from the posterior of N = 20000 points."""
    from ...simulations import EmpiricalScore

    law = Mixture.two_gaussians(4, separation=1.0, variance=0.5)
    scores = [EmpiricalScore(law.sample(20_000, rng)) for _ in range(replicas)]
    for convention in ("density", "drift", "covariance"):
        roots = [symmetry_breaking(_Sampled(score), convention) for score in scores]  # type: ignore[arg-type]
        predicted = symmetry_breaking(law, convention)
        yield Verified(f"symmetry breaking ({convention}), two Gaussians", predicted, Estimate.of(np.array(roots)))


class _Sampled:
    """What symmetry breaking reads of a law, measured on points, at the centre of the true law."""

    is_gaussian = False

    def __init__(self, score: "EmpiricalScore"):
        self.score = score
        self.mean = np.zeros(score.ambient_dim)

    def leading_posterior_variance(self, x: Array, r: float) -> float:
        return float(np.linalg.eigvalsh(self.score.posterior_covariance(x, r))[-1])

    def leading_variance(self) -> float:
        return self.leading_posterior_variance(self.mean, 1e9)


def check_speciation(rng: np.random.Generator, replicas: int) -> Iterator[Verified]:
    """Clone probability at the speciation ratio r = |m|² - v, from class-resolved posterior weights."""
    from ...simulations import EmpiricalScore

    law = Mixture.two_gaussians(3, separation=1.0, variance=0.5)
    r = speciation(law)

    def together() -> float:
        y, label = law.sample_labelled(40_000, rng)
        x = law.sample(1000, rng) + np.sqrt(r) * rng.standard_normal((1000, 3))
        logs = [EmpiricalScore(y[label == k]).log_density(x, r) + np.log(np.mean(label == k)) for k in (0, 1)]
        first = 1 / (1 + np.exp(logs[1] - logs[0]))
        return float(np.mean(first**2 + (1 - first) ** 2))

    values = np.array([together() for _ in range(replicas)])
    yield Verified("clone probability at speciation r_S", float(clone_probability(law, r)), Estimate.of(values))
