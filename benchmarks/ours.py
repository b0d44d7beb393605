"""Our side of the comparisons: prepare a call without arguments, all observables computed."""

from typing import Any

from ..simulations import EmpiricalScore
from .data import Problem
from .peers import Call


def brute_force(**case: Any) -> Call:
    """Float32, every point summed: pruning off."""
    return _observe("float32", "vectors", case)


def automatic(**case: Any) -> Call:
    """Float32, the engine chosen by `plan`."""
    return _observe("float32", "auto", case)


def automatic_double(**case: Any) -> Call:
    """Float64, the engine chosen by `plan`."""
    return _observe("float64", "auto", case)


def plain_double(**case: Any) -> Call:
    """Float64, every point summed by the plain kernel."""
    return _observe("float64", "plain", case)


def _observe(dtype: str, engine: str, case: dict[str, Any]) -> Call:
    points, queries, r = Problem(**case).float64()
    empirical = EmpiricalScore(points, dtype=dtype, engine=engine)
    return lambda: empirical.observe(queries, r).mean
