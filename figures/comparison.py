"""Three legs side by side: a table theory | empirical score | network, and one number for how well they agree.

A figure puts both into its record (JSON); `remanifold compare NAME` prints them.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..conventions.arguments import Array, fail
from ..conventions.estimate import Estimate

GENERALIZING, GEOMETRIC, COLLAPSED = "generalizing", "geometric memorization", "collapsed"


class QuantityByLeg(NamedTuple):
    """One quantity on the three legs: with its error, a bare number where there is none, None where nothing answers."""

    quantity: str
    theory: float | None
    empirical: Estimate | float | None = None
    network: Estimate | float | None = None


class Agreement(NamedTuple):
    """Agreement of the curves of one case in one regime, 1 for equal ones; None where nothing was computed.

    `empirical`, `network`: with theory for N points. `population`: of the network with the population, N → ∞.
    """

    case: str
    regime: str
    empirical: float | None
    network: float | None
    population: float | None


def regimes(r: Array, collapse: float, dimension: float) -> dict[str, NDArray[np.bool_]]:
    """Which of the ratios r belong to which regime, by theory alone: within the width of the transition, above, below.

    The width of collapse in ln r is √V/|dI/d ln r| = 2/√d(r_c), with V = d(r), exact for linear manifolds
    (docs/theory.md §5). `collapse`: r_c; `dimension`: d(r_c) of the population.
    """
    offset, width = np.log(r / collapse), 2 / np.sqrt(dimension)
    return {GENERALIZING: offset > width, GEOMETRIC: np.abs(offset) <= width, COLLAPSED: offset < -width}


def agreement(curve: Array, reference: Array, scale: Array, where: NDArray[np.bool_]) -> float | None:
    """1 - ∫|curve - reference| d ln r / ∫ scale d ln r over the ratios `where`, equally spaced in ln r.

    With `scale` the population's d(r): the fraction of the population's dimension on which two curves agree. 1 for
    equal curves, 0 for a full against an empty space, negative where a curve overshoots by more than the whole.
    None if there are no ratios.
    """
    if not where.any():
        return None
    return float(1 - np.abs(curve - reference)[where].sum() / scale[where].sum())


def agreements(
    case: str,
    where: dict[str, NDArray[np.bool_]],
    *,
    population: Array,
    theory: Array | None,
    empirical: Array,
    network: Array | None,
) -> list[Agreement]:
    """The agreement of d(r) in every regime: empirical score and network with theory, network with the population."""

    def compared(curve: Array | None, reference: Array | None, inside: NDArray[np.bool_]) -> float | None:
        return None if curve is None or reference is None else agreement(curve, reference, population, inside)

    return [
        Agreement(
            case,
            regime,
            compared(empirical, theory, inside),
            compared(network, theory, inside),
            compared(network, population, inside),
        )
        for regime, inside in where.items()
    ]


def spread(values: list[float | None]) -> Estimate | None:
    """Mean and standard deviation over seeds (the spread, not the error of the mean); None if a value is missing."""
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(values) or not numbers:
        return None
    return Estimate(float(np.mean(numbers)), float(np.std(numbers, ddof=1)) if len(numbers) > 1 else 0.0)


def recorded(rows: list[QuantityByLeg], agreed: list[Agreement]) -> dict[str, Any]:
    """The two tables as they stand in a record."""

    def plain(row: QuantityByLeg) -> dict[str, Any]:
        values = {leg: getattr(row, leg) for leg in _LEGS}
        legs = {leg: list(value) if isinstance(value, tuple) else value for leg, value in values.items()}
        return {"quantity": row.quantity, "theory": row.theory, **legs}

    return {"comparison": [plain(row) for row in rows], "agreement": [entry._asdict() for entry in agreed]}


def record(out: Path, name: str) -> dict[str, Any]:
    """The record (JSON) of the figure `name` drawn into `out`; ValueError if there is none, or no comparison in it."""
    file = out / f"{name}.json"
    if not file.is_file():
        raise fail("name", name, f"there is no {file}: first  remanifold figure {name} --out {out}")
    found: dict[str, Any] = json.loads(file.read_text())
    if "comparison" not in found:
        raise fail("name", name, f"{file} holds no comparison of the three legs")
    return found


def tables(out: Path, name: str) -> list[tuple[list[str], list[list[str]]]]:
    """The two tables of a figure, each a header and its lines, ready to print; errors as `record`."""
    drawn = record(out, name)
    header = ["", "theory", *(f"{title} ± {drawn.get('errors', 's.e.')}" for title in _LEGS.values())]
    lines = [
        [row["quantity"], _shown(row["theory"]), *(_shown(row[leg]) for leg in _LEGS)] for row in drawn["comparison"]
    ]
    agreed = [
        [f"{entry['case']}: {entry['regime']}", *(_shown(entry[leg], "{:.2f}") for leg in _AGREEMENTS)]
        for entry in drawn["agreement"]
    ]
    return [(header, lines), (["agreement", *_AGREEMENTS.values()], agreed)]


_LEGS = {"empirical": "empirical score", "network": "network"}
_AGREEMENTS = {
    "empirical": "empirical – theory(N)",
    "network": "network – theory(N)",
    "population": "network – population",
}


def _shown(value: Any, form: str = "{:.3g}") -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return f"{form.format(value[0])} ± {value[1]:.1g}"
    return form.format(value)
