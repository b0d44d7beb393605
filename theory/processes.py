"""Forward processes x_t = a_t x_0 + s_t ξ and their common clock r = (s_t/a_t)².

Every result of this package is a function of the noise-to-signal ratio r; a process only translates
r into its own time and back. Table of docs/theory.md §1; VE with t = noise variance is the convention of
arXiv 2410.08727 and 2410.05898, Ornstein–Uhlenbeck that of 2502.09578 and 2402.18491. All are values: frozen, equal and
hashed by their parameters.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import (
    Array,
    fail,
    nonnegative_scalar,
    numbers,
    positive,
    positive_integer,
    positive_scalar,
)


@runtime_checkable
class Process(Protocol):
    """A forward process: signal a_t, noise deviation s_t and the clock r(t) with its inverse."""

    def signal(self, t: ArrayLike) -> Array:
        """a_t."""
        ...

    def noise_deviation(self, t: ArrayLike) -> Array:
        """s_t, a standard deviation."""
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

    def noise_deviation(self, t: ArrayLike) -> Array:
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

    def noise_deviation(self, t: ArrayLike) -> Array:
        """s_t = √(1 - e^{-2t})."""
        return np.sqrt(-np.expm1(-2 * _times(t)))

    def noise_ratio(self, t: ArrayLike) -> Array:
        """r = e^{2t} - 1; raises ValueError where that exceeds the largest float (t > 354)."""
        return np.expm1(2 * _times(t, upper=354.0))

    def time(self, r: ArrayLike) -> Array:
        """t = ½ ln(1 + r)."""
        return 0.5 * np.log1p(positive(r, "r"))


@dataclass(frozen=True, init=False, repr=False)
class DDPM:
    """The discrete chain x → √(1-β_k) x + √β_k ξ: ᾱ_k = Π_{j≤k}(1 - β_j), a = √ᾱ_k, s² = 1 - ᾱ_k, r = 1/ᾱ_k - 1.

    Time is the step k in [0, n_steps]; between steps ln ᾱ is interpolated linearly, so any noise ratio up to
    r(n_steps) has a (fractional) step. Betas rise linearly, by default as published in 1000 steps from 1e-4 to 2e-2
    (arXiv 2006.11239), or are given: `betas` (n_steps,) > 0 and < 1, whatever the schedule. ValueError for other betas,
    and for steps or ratios outside the schedule.
    """

    betas: tuple[float, ...]

    def __init__(
        self,
        n_steps: int = 1000,
        beta_first: float = 1e-4,
        beta_last: float = 2e-2,
        *,
        betas: ArrayLike | None = None,
    ):
        if betas is None:
            first, last = _beta(beta_first, "beta_first"), _beta(beta_last, "beta_last")
            betas = np.linspace(first, last, positive_integer(n_steps, "n_steps"))
        elif (n_steps, beta_first, beta_last) != (1000, 1e-4, 2e-2):
            raise ValueError("betas and n_steps, beta_first, beta_last: give the betas or their number and ends")
        values = positive(betas, "betas")
        if values.ndim != 1 or values.size == 0 or values.max() >= 1:
            raise fail("betas", values, "must be a list of numbers > 0 and < 1")
        object.__setattr__(self, "betas", tuple(values.tolist()))

    @classmethod
    def cosine(cls, n_steps: int = 1000, offset: float = 0.008, largest_beta: float = 0.999) -> "DDPM":
        """ᾱ_k = f(k)/f(0), f(k) = cos²[(k/n_steps + offset)/(1 + offset) π/2], no β above `largest_beta` < 1.

        Source: arXiv 2102.09672, equation 17.
        """
        k = np.arange(positive_integer(n_steps, "n_steps") + 1.0)
        offset = nonnegative_scalar(offset, "offset")
        power = np.cos((k / n_steps + offset) / (1 + offset) * np.pi / 2) ** 2
        return cls(betas=np.minimum(1 - power[1:] / power[:-1], _beta(largest_beta, "largest_beta")))

    def __repr__(self) -> str:
        ends = (self.n_steps, self.betas[0], self.betas[-1])
        linear = DDPM(*ends).betas == self.betas
        return "DDPM(n_steps={}, beta_first={}, beta_last={})".format(*ends) if linear else f"DDPM(betas={self.betas})"

    @property
    def n_steps(self) -> int:
        """Steps of the chain."""
        return len(self.betas)

    @cached_property
    def _log_signal_power(self) -> Array:
        """ln ᾱ_k for k = 0 … n_steps."""
        return np.concatenate([[0.0], np.cumsum(np.log1p(-np.array(self.betas)))])

    def _log_alpha_bar(self, k: ArrayLike) -> Array:
        return np.interp(_times(k, upper=self.n_steps), np.arange(self.n_steps + 1), self._log_signal_power)

    def signal(self, t: ArrayLike) -> Array:
        """a = √ᾱ_k at step k = t."""
        return np.exp(0.5 * self._log_alpha_bar(t))

    def noise_deviation(self, t: ArrayLike) -> Array:
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


def _beta(value: float, argument: str) -> float:
    if positive_scalar(value, argument) >= 1:
        raise fail(argument, value, "must be > 0 and < 1")
    return float(value)


@dataclass(frozen=True)
class EDM:
    """EDM (variance exploding): a = 1 and the noise deviation σ is the time, r = σ²; t in [0, 1e150].

    Samplers go through `sigma(i, n_steps)`, i = 0 … n_steps - 1, from `sigma_max` to `sigma_min`, evenly spaced in
    σ^{1/`rho`}, and then to 0; times beyond these ends are allowed. Defaults as published (arXiv 2206.00364, equation
    5 and table 1). ValueError unless 0 < sigma_min < sigma_max and rho > 0, and for times outside.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    rho: float = 7.0

    def __post_init__(self) -> None:
        for name in ("sigma_min", "sigma_max", "rho"):
            positive_scalar(getattr(self, name), name)
        if not self.sigma_min < self.sigma_max:
            raise fail("sigma_min", self.sigma_min, f"must be < sigma_max = {self.sigma_max:g}")

    def signal(self, t: ArrayLike) -> Array:
        """a = 1."""
        return np.ones_like(_times(t, upper=1e150))

    def noise_deviation(self, t: ArrayLike) -> Array:
        """σ = t."""
        return _times(t, upper=1e150) * 1.0

    def noise_ratio(self, t: ArrayLike) -> Array:
        """r = t²."""
        return _times(t, upper=1e150) ** 2

    def time(self, r: ArrayLike) -> Array:
        """t = σ = √r."""
        return np.sqrt(positive(r, "r"))

    def sigma(self, step: ArrayLike, n_steps: int = 18) -> Array:
        """σ_i = [σ_max^{1/ρ} + i (σ_min^{1/ρ} - σ_max^{1/ρ})/(n_steps - 1)]^ρ at steps i in [0, n_steps - 1]."""
        i = numbers(step, "step")
        if not np.all((i >= 0) & (i <= _grid_steps(n_steps))):
            raise fail("step", step, f"must be ≥ 0 and ≤ {n_steps - 1}")
        first, last = self.sigma_max ** (1 / self.rho), self.sigma_min ** (1 / self.rho)
        return np.asarray((first + i / (n_steps - 1) * (last - first)) ** self.rho)

    def step(self, sigma: ArrayLike, n_steps: int = 18) -> Array:
        """The (fractional) step i at which the deviation is σ, sigma_min ≤ σ ≤ sigma_max."""
        deviation = positive(sigma, "sigma")
        if np.any((deviation < self.sigma_min * (1 - 1e-12)) | (deviation > self.sigma_max * (1 + 1e-12))):
            raise fail("sigma", sigma, f"must be ≥ {self.sigma_min:g} and ≤ {self.sigma_max:g}")
        first, last = self.sigma_max ** (1 / self.rho), self.sigma_min ** (1 / self.rho)
        fraction = (deviation ** (1 / self.rho) - first) / (last - first)
        return np.asarray(np.clip(fraction, 0.0, 1.0) * _grid_steps(n_steps))


def _grid_steps(n_steps: int) -> int:
    if positive_integer(n_steps, "n_steps") < 2:
        raise fail("n_steps", n_steps, "must be an integer ≥ 2")
    return n_steps - 1


@dataclass(frozen=True)
class RectifiedFlow:
    """Rectified flow (linear interpolant): a = 1 - t, s = t, r = (t/(1-t))²; t in [0, 1).

    Ratios r > 0; scalars or arrays of any shape; ValueError otherwise.
    """

    def signal(self, t: ArrayLike) -> Array:
        """a_t = 1 - t."""
        return 1 - _times(t, upper=1.0)

    def noise_deviation(self, t: ArrayLike) -> Array:
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
