"""Four forward processes x_t = a_t x_0 + s_t ξ and their common clock r = (s_t/a_t)².

Every result of this package is a function of the noise-to-signal ratio r; a process only translates
r into its own time and back. Table of docs/theory.md §1; VE with t = noise variance is the convention of
arXiv 2410.08727 and 2410.05898, Ornstein–Uhlenbeck that of 2502.09578 and 2402.18491.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, fail, numbers, positive, positive_integer, positive_scalar


@runtime_checkable
class Process(Protocol):
    """A forward process: signal a_t, noise standard deviation s_t and the clock r(t) with its inverse."""

    def signal(self, t: ArrayLike) -> Array:
        """a_t."""
        ...

    def noise(self, t: ArrayLike) -> Array:
        """s_t (a standard deviation)."""
        ...

    def noise_ratio(self, t: ArrayLike) -> Array:
        """r(t) = (s_t/a_t)²."""
        ...

    def time(self, r: ArrayLike) -> Array:
        """The time at which the noise ratio is r."""
        ...


def _times(t: ArrayLike, upper: float = np.inf) -> Array:
    array = numbers(t, "t")
    if not np.all((array >= 0) & (array <= upper)):
        raise fail("t", t, f"must be ≥ 0 and ≤ {upper:g}" if np.isfinite(upper) else "must be ≥ 0")
    return array


@dataclass(frozen=True)
class VarianceExploding:
    """Variance exploding: a = 1, s² = t, so t is the noise variance and r = t.

    Times t ≥ 0 and ratios r > 0 are scalars or arrays of any shape; ValueError otherwise.
    """

    def signal(self, t: ArrayLike) -> Array:
        """a_t = 1."""
        return np.ones_like(_times(t))

    def noise(self, t: ArrayLike) -> Array:
        """s_t = √t."""
        return np.sqrt(_times(t))

    def noise_ratio(self, t: ArrayLike) -> Array:
        """r = t."""
        return _times(t) * 1.0

    def time(self, r: ArrayLike) -> Array:
        """t = r."""
        return positive(r, "r") * 1.0


@dataclass(frozen=True)
class OrnsteinUhlenbeck:
    """Ornstein–Uhlenbeck (variance preserving): a = e^{-t}, s² = 1 - e^{-2t}, r = e^{2t} - 1.

    Times t ≥ 0 and ratios r > 0 are scalars or arrays of any shape; ValueError otherwise.
    """

    def signal(self, t: ArrayLike) -> Array:
        """a_t = e^{-t}."""
        return np.exp(-_times(t))

    def noise(self, t: ArrayLike) -> Array:
        """s_t = √(1 - e^{-2t})."""
        return np.sqrt(-np.expm1(-2 * _times(t)))

    def noise_ratio(self, t: ArrayLike) -> Array:
        """r = e^{2t} - 1; raises ValueError where that exceeds the largest float (t > 354)."""
        return np.expm1(2 * _times(t, upper=354.0))

    def time(self, r: ArrayLike) -> Array:
        """t = ½ ln(1 + r)."""
        return 0.5 * np.log1p(positive(r, "r"))


@dataclass(frozen=True)
class DDPM:
    """The discrete chain with linear betas: ᾱ_k = Π_{j≤k}(1 - β_j), a = √ᾱ_k, s² = 1 - ᾱ_k, r = 1/ᾱ_k - 1.

    Time is the step k in [0, n_steps]; between steps ln ᾱ is interpolated linearly, so any noise ratio up to
    r(n_steps) has a (fractional) step. Defaults are the published 1000 steps, β from 1e-4 to 2e-2
    (arXiv 2006.11239). ValueError for steps or ratios outside the schedule.
    """

    n_steps: int = 1000
    beta_first: float = 1e-4
    beta_last: float = 2e-2

    def __post_init__(self) -> None:
        positive_integer(self.n_steps, "n_steps")
        for name in ("beta_first", "beta_last"):
            if positive_scalar(getattr(self, name), name) >= 1:
                raise fail(name, getattr(self, name), "must be > 0 and < 1")

    @cached_property
    def _log_signal_power(self) -> Array:
        """ln ᾱ_k for k = 0 … n_steps."""
        betas = np.linspace(self.beta_first, self.beta_last, self.n_steps)
        return np.concatenate([[0.0], np.cumsum(np.log1p(-betas))])

    def _log_alpha_bar(self, k: ArrayLike) -> Array:
        return np.interp(_times(k, upper=self.n_steps), np.arange(self.n_steps + 1), self._log_signal_power)

    def signal(self, t: ArrayLike) -> Array:
        """a = √ᾱ_k at step k = t."""
        return np.exp(0.5 * self._log_alpha_bar(t))

    def noise(self, t: ArrayLike) -> Array:
        """s = √(1 - ᾱ_k) at step k = t."""
        return np.sqrt(-np.expm1(self._log_alpha_bar(t)))

    def noise_ratio(self, t: ArrayLike) -> Array:
        """r = 1/ᾱ_k - 1 at step k = t."""
        return np.expm1(-self._log_alpha_bar(t))

    def time(self, r: ArrayLike) -> Array:
        """The (fractional) step at which the noise ratio is r; ValueError beyond the last step."""
        depth = np.log1p(positive(r, "r"))  # -ln ᾱ
        last = -self._log_signal_power[-1]
        if np.any(depth > last * (1 + 1e-12)):
            raise fail("r", r, f"must be ≤ {np.expm1(last):.6g}, the ratio of the last of {self.n_steps} steps")
        return np.interp(depth, -self._log_signal_power, np.arange(self.n_steps + 1.0))


@dataclass(frozen=True)
class RectifiedFlow:
    """Rectified flow (linear interpolant): a = 1 - t, s = t, r = (t/(1-t))²; t in [0, 1).

    Ratios r > 0; scalars or arrays of any shape; ValueError otherwise.
    """

    def signal(self, t: ArrayLike) -> Array:
        """a_t = 1 - t."""
        return 1 - _times(t, upper=1.0)

    def noise(self, t: ArrayLike) -> Array:
        """s_t = t."""
        return _times(t, upper=1.0) * 1.0

    def noise_ratio(self, t: ArrayLike) -> Array:
        """r = (t/(1-t))²; ValueError at t = 1, where it diverges."""
        array = _times(t, upper=1.0)
        if np.any(array == 1):
            raise fail("t", t, "must be < 1, where the noise ratio diverges")
        return (array / (1 - array)) ** 2

    def time(self, r: ArrayLike) -> Array:
        """t = √r/(1 + √r)."""
        root = np.sqrt(positive(r, "r"))
        return root / (1 + root)
