"""Charts of well-known curves and surfaces, with their tangents: values that are called with parameters u (n, d)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Protocol

import numpy as np

from ...conventions.arguments import Array, positive_scalar


class Shape(Protocol):
    """A chart with its tangents, its box, and which parameters close up."""

    closed: ClassVar[tuple[bool, ...]]

    @property
    def box(self) -> Sequence[tuple[float, float]]:
        """(lower, upper) of each parameter."""
        ...

    def __call__(self, u: Array) -> Array:
        """y (n, k)."""
        ...

    def tangents(self, u: Array) -> Array:
        """∂y/∂u_i, shape (n, k, d)."""
        ...


@dataclass(frozen=True)
class _Sizes:
    """Fields that are positive numbers."""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, positive_scalar(getattr(self, field.name), field.name))


@dataclass(frozen=True)
class Ellipse(_Sizes):
    """(a cos t, b sin t)."""

    a: float
    b: float
    closed = (True,)
    box = ((0.0, 2 * np.pi),)

    def __call__(self, u: Array) -> Array:
        """y (n, 2)."""
        return _vectors(self.a * np.cos(u[:, 0]), self.b * np.sin(u[:, 0]))

    def tangents(self, u: Array) -> Array:
        """∂y/∂t."""
        return _vectors(-self.a * np.sin(u[:, 0]), self.b * np.cos(u[:, 0]))[:, :, None]


@dataclass(frozen=True)
class Ellipsoid(_Sizes):
    """(a sin θ cos φ, b sin θ sin φ, c cos θ)."""

    a: float
    b: float
    c: float
    closed = (True, True)
    box = ((0.0, np.pi), (0.0, 2 * np.pi))

    def __call__(self, u: Array) -> Array:
        """y (n, 3)."""
        sine = np.sin(u[:, 0])
        return _vectors(self.a * sine * np.cos(u[:, 1]), self.b * sine * np.sin(u[:, 1]), self.c * np.cos(u[:, 0]))

    def tangents(self, u: Array) -> Array:
        """∂y/∂θ, ∂y/∂φ."""
        (sine, sine_phi), (cosine, cosine_phi) = np.sin(u).T, np.cos(u).T
        south = _vectors(self.a * cosine * cosine_phi, self.b * cosine * sine_phi, -self.c * sine)
        east = _vectors(-self.a * sine * sine_phi, self.b * sine * cosine_phi, 0 * sine)
        return np.stack([south, east], axis=2)


@dataclass(frozen=True)
class Helix(_Sizes):
    """(R cos t, R sin t, pitch t/2π)."""

    radius: float
    pitch: float
    turns: float
    closed = (False,)

    @property
    def box(self) -> tuple[tuple[float, float]]:
        """All turns."""
        return ((0.0, 2 * np.pi * self.turns),)

    def __call__(self, u: Array) -> Array:
        """y (n, 3)."""
        t = u[:, 0]
        return _vectors(self.radius * np.cos(t), self.radius * np.sin(t), self.pitch / (2 * np.pi) * t)

    def tangents(self, u: Array) -> Array:
        """∂y/∂t."""
        t = u[:, 0]
        rise = np.full(len(t), self.pitch / (2 * np.pi))
        return _vectors(-self.radius * np.sin(t), self.radius * np.cos(t), rise)[:, :, None]


@dataclass(frozen=True)
class SwissRoll(_Sizes):
    """(t cos t, h, t sin t) from t = 3π/2."""

    turns: float
    height: float
    closed = (False, False)

    @property
    def box(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Angle and height."""
        start = 1.5 * np.pi
        return (start, start + 2 * np.pi * self.turns), (0.0, self.height)

    def __call__(self, u: Array) -> Array:
        """y (n, 3)."""
        t = u[:, 0]
        return _vectors(t * np.cos(t), u[:, 1], t * np.sin(t))

    def tangents(self, u: Array) -> Array:
        """∂y/∂t, ∂y/∂h."""
        t = u[:, 0]
        sine, cosine, zero, one = np.sin(t), np.cos(t), np.zeros(len(t)), np.ones(len(t))
        along = _vectors(cosine - t * sine, zero, sine + t * cosine)
        return np.stack([along, _vectors(zero, one, zero)], axis=2)


@dataclass(frozen=True)
class Trefoil(_Sizes):
    """(sin t + 2 sin 2t, cos t - 2 cos 2t, -sin 3t)."""

    scale: float
    closed = (True,)
    box = ((0.0, 2 * np.pi),)

    def __call__(self, u: Array) -> Array:
        """y (n, 3)."""
        t = u[:, 0]
        return self.scale * _vectors(np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t))

    def tangents(self, u: Array) -> Array:
        """∂y/∂t."""
        t = u[:, 0]
        along = _vectors(np.cos(t) + 4 * np.cos(2 * t), 4 * np.sin(2 * t) - np.sin(t), -3 * np.cos(3 * t))
        return self.scale * along[:, :, None]


@dataclass(frozen=True)
class Moebius(_Sizes):
    """((R + v cos u/2) cos u, (R + v cos u/2) sin u, v sin u/2), |v| ≤ width/2."""

    radius: float
    width: float
    closed = (True, False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width >= 2 * self.radius:
            allowed = f"must be < {2 * self.radius:g}, twice the radius, or the strip meets itself"
            raise ValueError(f"width = {self.width:g}: {allowed}")

    @property
    def box(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Around and across."""
        return (0.0, 2 * np.pi), (-self.width / 2, self.width / 2)

    def __call__(self, u: Array) -> Array:
        """y (n, 3)."""
        around, v = u.T
        distance = self.radius + v * np.cos(around / 2)
        return _vectors(distance * np.cos(around), distance * np.sin(around), v * np.sin(around / 2))

    def tangents(self, u: Array) -> Array:
        """∂y/∂u, ∂y/∂v."""
        around, v = u.T
        sine, cosine = np.sin(around), np.cos(around)
        half_sine, half_cosine = np.sin(around / 2), np.cos(around / 2)
        distance, slope = self.radius + v * half_cosine, -0.5 * v * half_sine
        along = _vectors(slope * cosine - distance * sine, slope * sine + distance * cosine, 0.5 * v * half_cosine)
        return np.stack([along, _vectors(half_cosine * cosine, half_cosine * sine, half_sine)], axis=2)


def _vectors(*coordinates: Array) -> Array:
    return np.stack(coordinates, axis=1)
