"""Manifolds named on the command line: NAME or NAME:key=value,key=value."""

from collections.abc import Callable

import numpy as np

from ..conventions.arguments import fail, one_of
from . import HiddenManifold, Linear, Manifold, Mixture, NormalizedLinear, Parametric, Sphere, Torus


def manifold(name: str) -> Manifold:
    """The manifold of a specification such as "linear:variances=1x2+0.09x5" (1 twice, 0.09 five times).

    ValueError for unknown names, unknown or missing parameters and values that are not numbers.
    """
    makers: dict[str, tuple[Callable[..., Manifold], dict[str, Callable[[str], object]]]] = {
        "linear": (Linear, {"variances": _numbers, "ambient_dim": int}),
        "normalized-linear": (NormalizedLinear, {"variances": _numbers, "ambient_dim": int}),
        "two-gaussians": (Mixture.two_gaussians, {"dim": int, "separation": float, "variance": float}),
        "sphere": (Sphere, {"intrinsic_dim": int, "radius": float, "ambient_dim": int}),
        "torus": (Torus, {"radii": _numbers, "ambient_dim": int}),
        "ellipse": (Parametric.ellipse, {"a": float, "b": float, "ambient_dim": int}),
        "ellipsoid": (Parametric.ellipsoid, {"a": float, "b": float, "c": float, "ambient_dim": int}),
        "helix": (Parametric.helix, {"radius": float, "pitch": float, "turns": float, "ambient_dim": int}),
        "swiss-roll": (Parametric.swiss_roll, {"turns": float, "height": float, "ambient_dim": int}),
        "trefoil": (Parametric.trefoil, {"scale": float, "ambient_dim": int}),
        "moebius": (Parametric.moebius, {"radius": float, "width": float, "ambient_dim": int}),
        "hidden-manifold": (
            _hidden_manifold,
            {"latent_dim": int, "ambient_dim": int, "activation": str, "seed": int},
        ),
        "losing-dimensions": (NormalizedLinear.two_subspaces, {"high": int, "low": int, "ambient_dim": int}),
    }
    kind, _, rest = name.partition(":")
    one_of(kind, makers, "manifold")
    make, kinds = makers[kind]
    values = {}
    for item in filter(None, rest.split(",")):
        key, _, text = item.partition("=")
        one_of(key, kinds, f"parameter of {kind}")
        try:
            values[key] = kinds[key](text)
        except ValueError:
            raise fail(f"{kind}: {key}", text, "must be a number, or a list of numbers such as 1x2+0.09x5") from None
    try:
        return make(**values)
    except TypeError:
        raise fail("manifold", name, f"{kind} needs {', '.join(kinds)}, e.g. {kind}:{_example(kind)}") from None


def _hidden_manifold(latent_dim: int, ambient_dim: int, activation: str = "tanh", seed: int = 0) -> HiddenManifold:
    """The weights are those of the seed; information and dimension are the same for all."""
    return HiddenManifold(latent_dim, ambient_dim, activation, rng=np.random.default_rng(seed))


def _numbers(text: str) -> list[float]:
    """1x2+0.09x5 → [1, 1, 0.09, 0.09, 0.09, 0.09, 0.09]."""
    values: list[float] = []
    for part in text.split("+"):
        number, _, count = part.partition("x")
        values += [float(number)] * (int(count) if count else 1)
    return values


def _example(kind: str) -> str:
    examples = {
        "two-gaussians": "dim=256",
        "sphere": "intrinsic_dim=2",
        "torus": "radii=1+0.5",
        "ellipse": "a=1.5,b=1",
        "ellipsoid": "a=1.5,b=1,c=0.7",
        "hidden-manifold": "latent_dim=50,ambient_dim=100",
    }
    return examples.get(kind, "variances=1x16")
