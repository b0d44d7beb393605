"""Values: objects that never change, are equal where they were made of the same, and can be made again from it."""

import inspect
from collections.abc import Hashable, Mapping
from dataclasses import FrozenInstanceError
from functools import cached_property
from typing import Any, Self

import numpy as np

from ..conventions.arguments import fail

_SHOWN = 64  # numbers of a list that are shown in full; longer ones only where they repeat
_SHOWN_IN_MATRIX = 16  # numbers of a matrix that is shown in full
_RUNS = 6  # different entries of a list that is shown by its repetitions
_REQUIRED = inspect.Parameter.empty


class Value:
    """Base of all laws: frozen; ==, hash, pickle, `replace` and repr by the parameters of the constructor.

    A constructor stores what it was given under the names of its parameters by `_set` (arrays become read-only
    copies), and what it derives from them as well. `rng` is no parameter: what was drawn with it is (`_drawn`). A
    class method that builds a law from other parameters ends in `made_by`, and the law is known by those.
    """

    _drawn: tuple[str, ...] = ()  # parameters that `replace(rng=…)` draws again
    _made: tuple[str | None, Mapping[str, Any]] = (None, {})

    def _set(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            if isinstance(value, np.ndarray):
                value = value.copy(order="K")
                value.setflags(write=False)
            vars(self)[name] = value

    def made_by(self, maker: str, **parameters: Any) -> Self:
        """The same law, as the class method `maker` makes it of `parameters`."""
        self._set(_made=(maker, parameters))
        return self

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"{type(self).__name__} does not change: use replace({name}=…)")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"{type(self).__name__} does not change: cannot delete {name}")

    @property
    def maker(self) -> str | None:
        """Name of the class method that it was made by; None for the constructor."""
        return self._made[0]

    def parameters(self) -> dict[str, Any]:
        """What makes it again: keywords of the constructor, or of the class method `maker`."""
        maker, parameters = self._made
        if maker is not None:
            return dict(parameters)
        return {name: self._parameter(name) for name in self._signature() if name != "rng"}

    def _signature(self, maker: str | None = None) -> dict[str, Any]:
        return signature(type(self), maker)  # type: ignore[arg-type]

    def _parameter(self, name: str) -> Any:
        return getattr(self, name)

    def replace(self, **changes: Any) -> Self:
        """The same but for some parameters; ValueError for one that it does not have, or that does not fit the rest.

        `rng` draws again what was drawn: a random embedding, the weights of a hidden manifold.
        """
        known, parameters = self._signature(self.maker), self.parameters()
        for name, value in changes.items():
            if name not in known:
                raise fail(name, value, f"no parameter of {_call(type(self), self.maker)}: {', '.join(known)}")
        if "rng" in changes:
            parameters = {name: value for name, value in parameters.items() if name not in self._drawn}
        return make(type(self), self.maker, {**parameters, **changes})

    @cached_property
    def _key(self) -> Hashable:
        return (type(self), self.maker, tuple((name, _hashable(v)) for name, v in sorted(self.parameters().items())))

    @cached_property
    def _hash(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Value) and self._hash == other._hash and self._key == other._key)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return make, (type(self), self.maker, self.parameters())

    def __repr__(self) -> str:
        """What to type to make it again; long arrays and functions are only named, and then it cannot be typed."""
        known, shown = self._signature(self.maker), []
        for name, value in self.parameters().items():
            if known[name] is _REQUIRED:
                shown.append(_typed(value))
            elif _hashable(value) != _hashable(known[name]):
                shown.append(f"{name}={_typed(value)}")
        return f"{_call(type(self), self.maker)}({', '.join(shown)})"


def make(cls: type, maker: str | None, parameters: Mapping[str, Any]) -> Any:
    """A value of its parameters."""
    return (cls if maker is None else getattr(cls, maker))(**parameters)


def signature(cls: type, maker: str | None = None) -> dict[str, Any]:
    """The parameters of a constructor or class method and their defaults; **options are those of the constructor."""
    found = inspect.signature(cls if maker is None else getattr(cls, maker)).parameters
    names = {name: p.default for name, p in found.items() if p.kind is not p.VAR_KEYWORD}
    return names if len(names) == len(found) else signature(cls) | names


def _call(cls: type, maker: str | None) -> str:
    return cls.__name__ if maker is None else f"{cls.__name__}.{maker}"


def _hashable(value: Any) -> Hashable:
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, (value + 0).tobytes()  # -0.0 is 0.0
    return tuple(map(_hashable, value)) if isinstance(value, (list, tuple)) else value


def _typed(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim > 1:
        small = value.size <= _SHOWN_IN_MATRIX
        return repr(value.tolist()) if small else f"<array of shape {'×'.join(map(str, value.shape))}>"
    if isinstance(value, (np.ndarray, list, tuple)):
        return _list(value.tolist() if isinstance(value, np.ndarray) else list(value))
    return f"<{value.__name__}>" if inspect.isroutine(value) else repr(value)


def _list(values: list[Any]) -> str:
    """[1.0, 0.09], [1.0] * 16 or [1.0] * 2 + [0.09] * 5."""
    runs: list[tuple[Any, int]] = []
    for value in values:
        runs = [*runs[:-1], (value, runs[-1][1] + 1)] if runs and runs[-1][0] == value else [*runs, (value, 1)]
    if len(values) > _RUNS and len(runs) <= _RUNS:
        return " + ".join(f"[{_typed(value)}]" + (f" * {count}" if count > 1 else "") for value, count in runs)
    return f"[{', '.join(map(_typed, values))}]" if len(values) <= _SHOWN else f"<{len(values)} numbers>"
