"""Checks of arguments: one clear ValueError that names the argument, the value and what is allowed."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def fail(argument: str, value: object, allowed: str) -> ValueError:
    """The ValueError for a bad argument, to be raised by the caller."""
    shown = np.array2string(value, threshold=6) if isinstance(value, np.ndarray) else repr(value)
    return ValueError(f"{argument} = {shown}: {allowed}")


def numbers(value: ArrayLike, argument: str) -> Array:
    """`value` as a float64 array of finite numbers; raises ValueError otherwise."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise fail(argument, value, "must be numbers") from None
    if not np.all(np.isfinite(array)):
        raise fail(argument, value, "must be finite, without NaN")
    return array


def positive(value: ArrayLike, argument: str) -> Array:
    """`value` as a float64 array of finite numbers > 0."""
    array = numbers(value, argument)
    if not np.all(array > 0):
        raise fail(argument, value, "must be > 0")
    return array


def nonnegative(value: ArrayLike, argument: str) -> Array:
    """`value` as a float64 array of finite numbers ≥ 0."""
    array = numbers(value, argument)
    if not np.all(array >= 0):
        raise fail(argument, value, "must be ≥ 0")
    return array


def positive_scalar(value: Any, argument: str) -> float:
    """`value` as one finite float > 0."""
    array = positive(value, argument)
    if array.ndim != 0:
        raise fail(argument, value, "must be one number")
    return float(array)


def nonnegative_scalar(value: Any, argument: str) -> float:
    """`value` as one finite float ≥ 0."""
    array = nonnegative(value, argument)
    if array.ndim != 0:
        raise fail(argument, value, "must be one number")
    return float(array)


def positive_integer(value: Any, argument: str) -> int:
    """`value` as an int ≥ 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise fail(argument, value, "must be an integer ≥ 1")
    return int(value)


def points(x: ArrayLike, ambient_dim: int, argument: str = "x") -> Array:
    """`x` of shape (D,) or (n, D) as a finite float64 array of shape (n, D)."""
    array = numbers(x, argument)
    if array.ndim not in (1, 2) or array.shape[-1] != ambient_dim or array.size == 0:
        allowed = f"must have shape ({ambient_dim},) or (n, {ambient_dim}) with n ≥ 1"
        raise ValueError(f"{argument} has shape {array.shape}: {allowed}")
    return np.atleast_2d(array)


def generator(rng: object) -> np.random.Generator:
    """`rng` if it is a numpy Generator; raises ValueError otherwise."""
    if not isinstance(rng, np.random.Generator):
        raise fail("rng", rng, "must be a numpy.random.Generator, e.g. numpy.random.default_rng(0)")
    return rng


def one_of(value: object, allowed: Iterable[object], argument: str) -> None:
    """Raises ValueError unless `value` is among `allowed`."""
    allowed = list(allowed)
    if value not in allowed:
        raise fail(argument, value, "must be one of " + ", ".join(map(str, allowed)))
