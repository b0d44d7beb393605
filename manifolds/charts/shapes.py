"""Charts of well-known curves and surfaces, with their tangents."""

from typing import NamedTuple

import numpy as np

from ...conventions.arguments import Array, positive_scalar
from .chart import ChartFunction


class Shape(NamedTuple):
    """A chart with its tangents, its box, which parameters close up, and a name."""

    chart: ChartFunction
    tangents: ChartFunction
    box: list[tuple[float, float]]
    closed: tuple[bool, ...]
    name: str


def ellipse(a: float, b: float) -> Shape:
    """(a cos t, b sin t)."""
    a, b = positive_scalar(a, "a"), positive_scalar(b, "b")

    def chart(u: Array) -> Array:
        return _vectors(a * np.cos(u[:, 0]), b * np.sin(u[:, 0]))

    def tangents(u: Array) -> Array:
        return _vectors(-a * np.sin(u[:, 0]), b * np.cos(u[:, 0]))[:, :, None]

    return Shape(chart, tangents, [(0.0, 2 * np.pi)], (True,), f"Parametric.ellipse({a:g}, {b:g})")


def ellipsoid(a: float, b: float, c: float) -> Shape:
    """(a sin θ cos φ, b sin θ sin φ, c cos θ)."""
    a, b, c = positive_scalar(a, "a"), positive_scalar(b, "b"), positive_scalar(c, "c")

    def chart(u: Array) -> Array:
        sine = np.sin(u[:, 0])
        return _vectors(a * sine * np.cos(u[:, 1]), b * sine * np.sin(u[:, 1]), c * np.cos(u[:, 0]))

    def tangents(u: Array) -> Array:
        (sine, sine_phi), (cosine, cosine_phi) = np.sin(u).T, np.cos(u).T
        south = _vectors(a * cosine * cosine_phi, b * cosine * sine_phi, -c * sine)
        east = _vectors(-a * sine * sine_phi, b * sine * cosine_phi, 0 * sine)
        return np.stack([south, east], axis=2)

    box = [(0.0, np.pi), (0.0, 2 * np.pi)]
    return Shape(chart, tangents, box, (True, True), f"Parametric.ellipsoid({a:g}, {b:g}, {c:g})")


def helix(radius: float, pitch: float, turns: float) -> Shape:
    """(R cos t, R sin t, pitch t/2π)."""
    radius, pitch = positive_scalar(radius, "radius"), positive_scalar(pitch, "pitch")
    turns = positive_scalar(turns, "turns")
    rise = pitch / (2 * np.pi)

    def chart(u: Array) -> Array:
        t = u[:, 0]
        return _vectors(radius * np.cos(t), radius * np.sin(t), rise * t)

    def tangents(u: Array) -> Array:
        t = u[:, 0]
        return _vectors(-radius * np.sin(t), radius * np.cos(t), np.full(len(t), rise))[:, :, None]

    name = f"Parametric.helix({radius:g}, {pitch:g}, {turns:g})"
    return Shape(chart, tangents, [(0.0, 2 * np.pi * turns)], (False,), name)


def swiss_roll(turns: float, height: float) -> Shape:
    """(t cos t, h, t sin t) from t = 3π/2."""
    turns, height = positive_scalar(turns, "turns"), positive_scalar(height, "height")

    def chart(u: Array) -> Array:
        t = u[:, 0]
        return _vectors(t * np.cos(t), u[:, 1], t * np.sin(t))

    def tangents(u: Array) -> Array:
        t = u[:, 0]
        sine, cosine, zero, one = np.sin(t), np.cos(t), np.zeros(len(t)), np.ones(len(t))
        along = _vectors(cosine - t * sine, zero, sine + t * cosine)
        return np.stack([along, _vectors(zero, one, zero)], axis=2)

    start = 1.5 * np.pi
    box = [(start, start + 2 * np.pi * turns), (0.0, height)]
    return Shape(chart, tangents, box, (False, False), f"Parametric.swiss_roll({turns:g}, {height:g})")


def trefoil(scale: float) -> Shape:
    """(sin t + 2 sin 2t, cos t - 2 cos 2t, -sin 3t)."""
    scale = positive_scalar(scale, "scale")

    def chart(u: Array) -> Array:
        t = u[:, 0]
        return scale * _vectors(np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t))

    def tangents(u: Array) -> Array:
        t = u[:, 0]
        along = _vectors(np.cos(t) + 4 * np.cos(2 * t), 4 * np.sin(2 * t) - np.sin(t), -3 * np.cos(3 * t))
        return scale * along[:, :, None]

    return Shape(chart, tangents, [(0.0, 2 * np.pi)], (True,), f"Parametric.trefoil({scale:g})")


def moebius(radius: float, width: float) -> Shape:
    """((R + v cos u/2) cos u, (R + v cos u/2) sin u, v sin u/2), |v| ≤ width/2."""
    radius, width = positive_scalar(radius, "radius"), positive_scalar(width, "width")
    if width >= 2 * radius:
        raise ValueError(f"width = {width:g}: must be < {2 * radius:g}, twice the radius, or the strip meets itself")

    def chart(u: Array) -> Array:
        around, v = u.T
        distance = radius + v * np.cos(around / 2)
        return _vectors(distance * np.cos(around), distance * np.sin(around), v * np.sin(around / 2))

    def tangents(u: Array) -> Array:
        around, v = u.T
        sine, cosine = np.sin(around), np.cos(around)
        half_sine, half_cosine = np.sin(around / 2), np.cos(around / 2)
        distance, slope = radius + v * half_cosine, -0.5 * v * half_sine
        along = _vectors(slope * cosine - distance * sine, slope * sine + distance * cosine, 0.5 * v * half_cosine)
        return np.stack([along, _vectors(half_cosine * cosine, half_cosine * sine, half_sine)], axis=2)

    box = [(0.0, 2 * np.pi), (-width / 2, width / 2)]
    return Shape(chart, tangents, box, (True, False), f"Parametric.moebius({radius:g}, {width:g})")


def _vectors(*coordinates: Array) -> Array:
    return np.stack(coordinates, axis=1)
