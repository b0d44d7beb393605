"""The critical points of a manifold, in every clock."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from manifolds import Manifold, Mixture
from theory import (
    DDPM,
    OrnsteinUhlenbeck,
    Process,
    RectifiedFlow,
    VarianceExploding,
    collapse,
    generalization,
    onset,
    speciation,
    symmetry_breaking,
)

CLOCKS: dict[str, Process] = {
    "VE t": VarianceExploding(),
    "OU t": OrnsteinUhlenbeck(),
    "DDPM step": DDPM(),
    "flow t": RectifiedFlow(),
}


def critical_points(law: Manifold, log_n: float) -> dict[str, float | str]:
    """Noise ratio of each critical point that exists for N = e^log_n points; the reason where there is none."""
    quantities: dict[str, Callable[[], float]] = {
        "onset of traps": lambda: onset(law, log_n=log_n),
        "collapse": lambda: collapse(law, log_n=log_n),
        "generalization": lambda: generalization(law, log_n=log_n),
        "symmetry breaking (density)": lambda: symmetry_breaking(law, "density"),
        "symmetry breaking (drift)": lambda: symmetry_breaking(law, "drift"),
        "symmetry breaking (covariance)": lambda: symmetry_breaking(law, "covariance"),
    }
    if isinstance(law, Mixture):
        quantities["speciation"] = lambda: speciation(law)
    return {name: _or_reason(quantity) for name, quantity in quantities.items()}


def _or_reason(quantity: Callable[[], float]) -> float | str:
    try:
        return quantity()
    except ValueError as error:
        return str(error)


def clocks(r: float) -> dict[str, float | None]:
    """The time of noise ratio r in each process; None beyond the end of its schedule."""
    times: dict[str, float | None] = {}
    for name, process in CLOCKS.items():
        try:
            times[name] = float(process.time(r))
        except ValueError:
            times[name] = None
    return times


def rows(law: Manifold, n: float) -> list[dict[str, Any]]:
    """One row for each critical point: quantity, r, times; or quantity and the reason why there is none."""
    if not (np.isfinite(n) and n > 1):
        raise ValueError(f"n = {n:g}: must be a number of points > 1")
    found = critical_points(law, math.log(n))
    return [
        {"quantity": name, "reason": value}
        if isinstance(value, str)
        else {"quantity": name, "r": value, **clocks(value)}
        for name, value in found.items()
    ]
