"""One step of the reverse process from noise variance t down to s, by the usual integrators (VE clock, t = r).

With m = m(x, t), the posterior mean, the score is (m - x)/t and

    reverse SDE      dx = -(m - x)/t dt + dW backwards in t
    probability flow dx/dt = (x - m)/2t, or in σ = √t:  dx/dσ = (x - m)/σ.

Errors and orders: docs/dynamics.md.
"""

from collections.abc import Callable

import numpy as np

from ..conventions.arguments import Array
from ..conventions.score import Score

Step = Callable[[Score, Array, float, float, np.random.Generator], Array]


def bridge(x: Array, y: Array, t: float, s: float, rng: np.random.Generator) -> Array:
    """x_s given x_t = x and the clean point y: normal, mean y + (s/t)(x - y), variance s(t-s)/t (exact)."""
    return y + (s / t) * (x - y) + np.sqrt(s * (t - s) / t) * rng.standard_normal(x.shape)


def euler_maruyama(law: Score, x: Array, t: float, s: float, rng: np.random.Generator) -> Array:
    """x + (t-s)(m-x)/t + √(t-s) z: weak order 1 in t-s; s = 0 would leave noise √t in the sample."""
    drift = (t - s) / t * (law.posterior_mean(x, t) - x)
    return x + drift + np.sqrt(t - s) * rng.standard_normal(x.shape)


def ancestral(law: Score, x: Array, t: float, s: float, rng: np.random.Generator) -> Array:
    """The bridge to the posterior mean instead of a draw: exponential integrator of the SDE, weak order 1.

    Exact where the posterior has condensed on one point.  DDPM sampling, arXiv 2006.11239.
    """
    return bridge(x, law.posterior_mean(x, t), t, s, rng)


def exponential(law: Score, x: Array, t: float, s: float, rng: np.random.Generator) -> Array:
    """m + √(s/t)(x - m): the probability flow, exact for a frozen posterior mean; order 1.

    DDIM without noise, arXiv 2010.02502; the same as Euler's step in σ.
    """
    mean = law.posterior_mean(x, t)
    return mean + np.sqrt(s / t) * (x - mean)


def heun(law: Score, x: Array, t: float, s: float, rng: np.random.Generator) -> Array:
    """The probability flow by Heun's rule in σ = √t, order 2; a step to s = 0 is `exponential`. arXiv 2206.00364."""
    guess = exponential(law, x, t, s, rng)
    if s == 0:
        return guess
    slope = (x - law.posterior_mean(x, t)) / np.sqrt(t)
    slope_there = (guess - law.posterior_mean(guess, s)) / np.sqrt(s)
    return x + 0.5 * (np.sqrt(s) - np.sqrt(t)) * (slope + slope_there)
