"""Silverstein's equation: the eigenvalue law of a sum of many random rank-one matrices, solved for u = -1/g.

A = Σ_j t_j z_j z_jᵀ/D, z_j standard normal in R^D, with c_k·D columns of strength t_k, is for D → ∞ the free
compound Poisson law of rates c_k and jumps t_k. Its Stieltjes transform g(z) = ∫ρ(dγ)/(γ - z) obeys

    z = -1/g + Σ c_k t_k/(1 + t_k g) = u + Σ c_k t_k u/(u - t_k),        u = -1/g,

the inverse of a conformal map of the upper half plane. Three facts make the solution safe (docs/spectra.md §2):
z'(u) = 1 - φ(u), φ = Σ c t²/(u - t)², is convex between neighbouring poles, so every edge is a simple root there;
for each Re u there is exactly one Im u ≥ 0 with a given Im z ≥ 0, found by a monotone Newton method; and Re z then
increases with Re u, so that one bracketed search over Re u finds u for any z, in a bulk, in a gap or off the axis.
Source: Silverstein and Choi (1995); arXiv 2410.05898; docs/spectra.md §2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ...conventions.arguments import Array

Complex = NDArray[np.complex128]
ROUNDING = 256 * np.finfo(np.float64).eps  # a total rate this close to 1 is 1: the hard edge at γ = 0
_MOST_STEPS = 400


@dataclass(frozen=True)
class FreeCompoundPoisson:
    """The law with jumps t (K,), positive and increasing, and rates c (K,) > 0."""

    jumps: Array
    rates: Array

    @cached_property
    def total_rate(self) -> float:
        """Σ c, the rank of A over D where it is below 1; exactly 1 within rounding."""
        total = float(self.rates.sum())
        return 1.0 if abs(total - 1) < ROUNDING else total

    # the inverse map; jumps above |u| enter as -1 + …, so that nothing cancels where 1 - Σ c is small

    def _lead(self, u: Array | Complex) -> tuple[NDArray[np.bool_], Array]:
        above = self.jumps > np.abs(u)[..., None]
        partial = np.where(np.all(above, axis=-1), self.total_rate, above @ self.rates)
        return above, 1 - partial

    def inverse(self, u: Array | Complex) -> Array | Complex:
        """z(u), shape of u."""
        above, lead = self._lead(u)
        v = u[..., None]
        return u * (lead + (np.where(above, v, self.jumps) / (v - self.jumps)) @ self.rates)

    def inverse_slope(self, u: Array | Complex) -> Array | Complex:
        """z'(u) = 1 - Σ c t²/(u - t)², shape of u."""
        above, lead = self._lead(u)
        v = u[..., None]
        return lead - (np.where(above, v * (2 * self.jumps - v), self.jumps**2) / (v - self.jumps) ** 2) @ self.rates

    # edges

    @cached_property
    def bulks(self) -> Array:
        """Edges in u, shape (bulks, 2): z' < 0 between them on the real axis, z' > 0 in the gaps."""
        t, c = self.jumps, self.rates
        reach = float(np.sqrt(t**2 @ c))
        lowest = 0.0 if self.total_rate == 1 else self._edge(-reach, float(t[0] * (1 - 0.5 * min(1.0, np.sqrt(c[0])))))
        highest = self._edge(float(t[-1] * (1 + 0.5 * np.sqrt(c[-1]))), float(t[-1]) + 2 * reach)
        # φ exceeds what its two nearest poles contribute at best, (A^⅓ + B^⅓)³/(t' - t)²: most intervals end here
        near = np.cbrt(c * t**2)
        possible = (near[:-1] + near[1:]) ** 3 < np.diff(t) ** 2
        left, right = t[:-1][possible], t[1:][possible]
        deepest = self.flattest(left, right)
        valley = self._clear(deepest)
        left, right, deepest = left[valley], right[valley], deepest[valley]
        opens = self._bisect(left, deepest, lambda u: ~self._clear(u))
        closes = self._bisect(deepest, right, self._clear)
        return np.stack([np.concatenate([[lowest], closes]), np.concatenate([opens, [highest]])], axis=1)

    @cached_property
    def edges(self) -> Array:
        """Edges in γ, shape (bulks, 2). z is stationary there, so they are exact to rounding."""
        return np.maximum(self.inverse(self.bulks).real, 0.0)

    def flattest(self, left: Array, right: Array) -> Array:
        """The largest z' between neighbouring jumps `left` and `right`, where a gap opens first; shape (n,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._bisect(
                left, right, lambda u: (self.jumps**2 / (u[:, None] - self.jumps) ** 3) @ self.rates > 0
            )

    def _clear(self, u: Array) -> NDArray[np.bool_]:
        with np.errstate(divide="ignore"):  # at a pole z' = -∞
            return self.inverse_slope(u).real > 0

    def _edge(self, low: float, high: float) -> float:
        return float(brentq(lambda u: float(self.inverse_slope(np.array(u)).real), low, high, xtol=1e-300, rtol=9e-16))

    @staticmethod
    def _bisect(low: Array, high: Array, on_the_left: Callable[[Array], NDArray[np.bool_]]) -> Array:
        """Last float at which `on_the_left` still holds, in every interval at once."""
        low, high = low.copy(), high.copy()
        for _ in range(_MOST_STEPS if low.size else 0):
            middle = low + 0.5 * (high - low)
            if np.all((middle <= low) | (middle >= high)):
                break
            left = on_the_left(middle)
            low, high = np.where(left, middle, low), np.where(left, high, middle)
        return low + 0.5 * (high - low)

    # solution at z = -r: y = -u = 1/g

    def solve_negative(self, r: Array) -> Array:
        """y = 1/g(-r) > 0 for r > 0, shape of r, to rounding: -z(-y) is convex, Newton falls onto its root."""
        y = r + self.jumps @ self.rates
        for _ in range(_MOST_STEPS):
            step = (r + self.inverse(-y)) / self.inverse_slope(-y)
            lower = y + step
            moved = np.abs(step) > 4e-16 * y
            y = np.where(moved, lower, y)
            if not moved.any() or np.all(step[moved] >= 0):  # rounding has stopped the descent
                break
        return np.asarray(y)

    # solution at any z

    def solve(self, z: Complex) -> Complex:
        """u with z(u) = z, Im u ≥ 0, for z (n,) with Im z ≥ 0; real z stands for z + i0."""
        x, height = z.real, z.imag
        mean, reach = self.jumps @ self.rates, np.sqrt(self.jumps**2 @ self.rates)
        margin = 1e-12 * (np.abs(x) + mean + reach)
        low, high = x - mean - reach - margin, x - mean + reach + margin
        at = np.searchsorted(self.edges.ravel(), x)
        walls = np.concatenate([[-np.inf], self.bulks.ravel(), [np.inf]])
        real = height == 0
        low, high = (
            np.where(real, np.maximum(low, walls[at]), low),
            np.where(real, np.minimum(high, walls[at + 1]), high),
        )
        p = 0.5 * (low + high)
        for _ in range(_MOST_STEPS):
            u = p + 1j * np.sqrt(self._square_height(p, height))
            error = self.inverse(u).real - x
            low, high = np.where(error < 0, p, low), np.where(error > 0, p, high)
            with np.errstate(divide="ignore", invalid="ignore"):
                newton = p - error * (1 / self.inverse_slope(u)).real
            inside = (newton > low) & (newton < high)
            proposal = np.where(inside, newton, low + 0.5 * (high - low))
            settled = (np.abs(error) <= 4e-16 * (np.abs(x) + np.abs(u))) | (np.abs(proposal - p) <= 2e-16 * np.abs(u))
            if settled.all():
                break
            p = np.where(settled, p, proposal)
        return self._polished(u, z)

    def _square_height(self, p: Array, height: Array) -> Array:
        """s = (Im u)² at Re u = p with Im z = `height`: Σ c t²/((p-t)²+s) + height/√s = 1, or 0 if none.

        The reciprocal of the left side is concave in s, so Newton from below climbs onto the root.
        """
        squares = (p[:, None] - self.jumps) ** 2
        pull = self.jumps**2 * self.rates
        s = np.maximum(np.max(pull - squares, axis=1), height**2)
        s = np.maximum(s, 0.0)
        for _ in range(_MOST_STEPS):
            with np.errstate(divide="ignore", invalid="ignore"):
                term = 1 / (squares + s[:, None])
                off_axis = np.where(height > 0, height / np.sqrt(s), 0.0)
                value = term @ pull + off_axis
                step = value * (value - 1) / (term**2 @ pull + np.where(height > 0, 0.5 * off_axis / s, 0.0))
            moved = step > 1e-16 * s
            if not moved.any():
                break
            s = np.where(moved, s + step, s)
        return s

    def _polished(self, u: Complex, z: Complex) -> Complex:
        """Complex Newton steps, kept where they lower the residual and stay in the upper half plane."""
        residual = self.inverse(u) - z
        for _ in range(3):
            with np.errstate(divide="ignore", invalid="ignore"):
                proposal = u - residual / self.inverse_slope(u)
            better = np.isfinite(proposal) & (proposal.imag >= 0)
            trial = np.where(better, proposal, u)
            new = self.inverse(trial) - z
            better &= np.abs(new) < np.abs(residual)
            u, residual = np.where(better, trial, u), np.where(better, new, residual)
        return np.asarray(u, dtype=np.complex128)
