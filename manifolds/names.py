"""Laws by name: NAME or NAME:key=value,key=value, and back.

The table `KINDS` says which laws have one and which of their parameters can be named; types and defaults are those of
the constructors. To sweep a parameter, `law.replace(key=value)`.
"""

import inspect
import typing
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..conventions.arguments import Array, fail, one_of
from . import HiddenManifold, Linear, Manifold, Mixture, NormalizedLinear, Parametric, Sphere, Torus
from .value import make, signature


class Kind(NamedTuple):
    """A law that has a name: made by a class, or by its class method `maker`, of parameters that can be named."""

    cls: type[Manifold]
    maker: str | None
    named: tuple[str, ...]
    example: str

    @property
    def defaults(self) -> dict[str, Any]:
        """Parameters that can be named and their defaults; `inspect.Parameter.empty` for those that must be given."""
        known = signature(self.cls, self.maker)
        return {name: known[name] for name in self.named}

    def parse(self, parameter: str, text: str) -> Any:
        """The value of a parameter; ValueError for a text of the wrong type."""
        return _PARSED.get(_annotation(self, parameter), str)(text)


KINDS: dict[str, Kind] = {
    "linear": Kind(Linear, None, ("variances", "ambient_dim"), "variances=1x16"),
    "normalized-linear": Kind(NormalizedLinear, None, ("variances", "ambient_dim"), "variances=1x16"),
    "two-gaussians": Kind(Mixture, "two_gaussians", ("dim", "separation", "variance"), "dim=256"),
    "sphere": Kind(Sphere, None, ("intrinsic_dim", "radius", "ambient_dim"), "intrinsic_dim=2"),
    "torus": Kind(Torus, None, ("radii", "ambient_dim"), "radii=1+0.5"),
    "ellipse": Kind(Parametric, "ellipse", ("a", "b", "ambient_dim"), "a=1.5,b=1"),
    "ellipsoid": Kind(Parametric, "ellipsoid", ("a", "b", "c", "ambient_dim"), "a=1.5,b=1,c=0.7"),
    "helix": Kind(Parametric, "helix", ("radius", "pitch", "turns", "ambient_dim"), "turns=3"),
    "swiss-roll": Kind(Parametric, "swiss_roll", ("turns", "height", "ambient_dim"), "turns=1.5"),
    "trefoil": Kind(Parametric, "trefoil", ("scale", "ambient_dim"), "scale=1"),
    "moebius": Kind(Parametric, "moebius", ("radius", "width", "ambient_dim"), "width=0.6"),
    "hidden-manifold": Kind(
        HiddenManifold,
        "seeded",
        ("latent_dim", "ambient_dim", "activation", "seed"),
        "latent_dim=50,ambient_dim=100",
    ),
    "losing-dimensions": Kind(NormalizedLinear, "two_subspaces", ("high", "low", "ambient_dim"), "high=2,low=5"),
}


def manifold(name: str, **replaced: Any) -> Manifold:
    """The manifold of a specification such as "linear:variances=1x2+0.09x5" (1 twice, 0.09 five times).

    `replaced`: parameters that take the place of those in the name, as values or as text. ValueError for unknown names,
    unknown or missing parameters and values that are not numbers.
    """
    kind, _, rest = name.partition(":")
    one_of(kind, KINDS, "manifold")
    entry = KINDS[kind]
    values: dict[str, Any] = dict(item.partition("=")[::2] for item in rest.split(",") if item)
    values |= replaced
    for key, value in values.items():
        one_of(key, entry.named, f"parameter of {kind}")
        if not isinstance(value, str):
            continue
        try:
            values[key] = entry.parse(key, value)
        except ValueError:
            raise fail(f"{kind}: {key}", value, "must be a number, or a list of numbers such as 1x2+0.09x5") from None
    missing = [key for key, default in entry.defaults.items() if default is inspect.Parameter.empty]
    if not set(missing) <= set(values):
        raise fail("manifold", name, f"{kind} needs {', '.join(entry.named)}, e.g. {kind}:{entry.example}")
    return make(entry.cls, entry.maker, values)


def name_of(law: Manifold) -> str:
    """The name of a law, so that manifold(name_of(law)) == law; ValueError for a law that has none."""
    for kind, entry in KINDS.items():
        if type(law) is entry.cls and law.maker == entry.maker:
            return _named(law, kind, entry)
    raise fail("law", law, f"has no name: only {', '.join(KINDS)} have")


def _named(law: Manifold, kind: str, entry: Kind) -> str:
    plain = make(entry.cls, entry.maker, {name: law.parameters()[name] for name in entry.named})
    if plain != law:
        raise fail("law", law, f"has no name: {kind} is known by {', '.join(entry.named)} alone")
    default, given = entry.defaults, law.parameters()
    shown = [f"{key}={_text(given[key])}" for key in entry.named if _differs(given[key], default[key])]
    return f"{kind}:{','.join(shown)}" if shown else kind


def _differs(value: Any, default: Any) -> bool:
    return isinstance(value, np.ndarray) or value != default


def _annotation(kind: Kind, parameter: str) -> Any:
    """The type of a parameter."""
    make = kind.cls.__init__ if kind.maker is None else getattr(kind.cls, kind.maker)
    hints: dict[str, Any] = typing.get_type_hints(kind.cls.__init__) | typing.get_type_hints(make)
    return hints[parameter]


def _numbers(text: str) -> list[float]:
    """1x2+0.09x5 → [1, 1, 0.09, 0.09, 0.09, 0.09, 0.09]."""
    values: list[float] = []
    for part in text.split("+"):
        number, _, count = part.partition("x")
        values += [float(number)] * (int(count) if count else 1)
    return values


_PARSED: dict[Any, Callable[[str], Any]] = {int: int, float: float, int | None: int, ArrayLike: _numbers}


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return _runs(value)
    return _number(value) if isinstance(value, float) else str(value)


def _runs(values: Array) -> str:
    starts = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    counts = np.diff(starts, append=len(values))
    runs = zip(values[starts].tolist(), counts, strict=True)
    return "+".join(_number(value) + (f"x{count}" if count > 1 else "") for value, count in runs)


def _number(value: float) -> str:
    """The shortest text of a float that says all of it; no + in it, which separates numbers."""
    short = f"{value:g}"
    return (short if float(short) == value else repr(value)).replace("e+", "e")
