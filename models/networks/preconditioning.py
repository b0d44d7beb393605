"""What a network is shown and what its output F means: affine in the point, with coefficients that depend on r.

    shown = scale u,   m = centre + skip u + gain F,   score = score_skip u + score_gain F,   u = x - centre.

EDM preconditioning (arXiv 2206.00364, table 1), with s = σ_data and σ = √r, shows c_in u = u/√(s²+r), of unit size.
In units of s it is cos α y + sin α ξ with tan α = σ/s, and the network predicts one of

    "v"    sin α y - cos α ξ       the F of EDM; minus the v of arXiv 2202.00512
    "eps"  ξ
    "x0"   y

Squared errors of the three are that of m/s times 1/sin² α, cot² α and 1 (`loss_weight`).
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ...conventions.arguments import Array, one_of

PREDICTIONS = ("v", "eps", "x0")


class Coefficients(NamedTuple):
    """Coefficients (n, 1) of the affine maps above and the noise level (n,) that the network is told."""

    scale: Array
    skip: Array
    gain: Array
    score_skip: Array
    score_gain: Array
    told: Array


class Reading(Protocol):
    """How the output of a network is read at noise ratios (n, 1)."""

    def coefficients(self, ratio: Array) -> Coefficients:
        """The affine maps at these ratios."""
        ...


@dataclass(frozen=True)
class Preconditioning:
    """EDM's input scale and ln σ, and the output read as "v", "eps" or "x0"; ValueError for another `predicts`."""

    predicts: str
    sigma_data: float

    def __post_init__(self) -> None:
        one_of(self.predicts, PREDICTIONS, "predicts")

    def coefficients(self, ratio: Array) -> Coefficients:
        """In each case the form of the score in which no digits cancel at small r."""
        s, sigma = self.sigma_data, np.sqrt(ratio)
        total = s**2 + ratio
        zero, one = np.zeros_like(ratio), np.ones_like(ratio)
        maps = {
            "v": (s**2 / total, s * sigma / np.sqrt(total), -1 / total, s / (sigma * np.sqrt(total))),
            "eps": (one, -sigma, zero, -1 / sigma),
            "x0": (zero, s * one, -1 / ratio, s / ratio),
        }
        return Coefficients(1 / np.sqrt(total), *maps[self.predicts], 0.5 * np.log(ratio[:, 0]))


def prediction_target(predicts: str, clean: Array, xi: Array, cosine: Array, sine: Array) -> Array:
    """What the network should return, in units of s, at angle α."""
    return {"v": sine * clean - cosine * xi, "eps": xi, "x0": clean}[predicts]


def loss_weight(predicts: str, weighting: str, cosine: Array, sine: Array) -> Array:
    """Factor that turns the squared error of what is predicted into that of `weighting`."""
    sizes = {"v": sine**2, "eps": (sine / cosine) ** 2, "x0": np.ones_like(sine)}
    return sizes[predicts] / sizes[weighting]
