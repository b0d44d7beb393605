"""All critical points of a law at once, in every clock."""

from collections.abc import Callable
from typing import NamedTuple

from ..conventions.arguments import positive_scalar
from ..conventions.law import Law
from .collapse import collapse
from .generalization import generalization
from .onset import onset
from .processes import DDPM, OrnsteinUhlenbeck, Process, RectifiedFlow, VarianceExploding
from .speciation import speciation
from .symmetry_breaking import symmetry_breaking

CLOCKS: dict[str, Process] = {
    "VE t": VarianceExploding(),
    "OU t": OrnsteinUhlenbeck(),
    "DDPM step": DDPM(),
    "flow t": RectifiedFlow(),
}


class CriticalPoint(NamedTuple):
    """A critical noise ratio r and the time that it is in each process; None beyond the end of a schedule.

    Where a law has no such point, r is None, `times` empty, and `reason` says why.
    """

    r: float | None
    times: dict[str, float | None]
    reason: str = ""


def critical_points(law: Law, *, log_n: float) -> dict[str, CriticalPoint]:
    """The critical points of N = e^log_n points of `law` by name, each to leading order (docs/theory.md §4).

    Onset of traps, collapse, generalization, symmetry breaking in its three conventions and, for a law with classes,
    speciation; times in the processes of `CLOCKS`. `log_n` = ln N > 0, ValueError otherwise.
    """
    log_n = positive_scalar(log_n, "log_n")
    quantities: dict[str, Callable[[], float]] = {
        "onset of traps": lambda: onset(law, log_n=log_n),
        "collapse": lambda: collapse(law, log_n=log_n),
        "generalization": lambda: generalization(law, log_n=log_n),
        "symmetry breaking (density)": lambda: symmetry_breaking(law, "density"),
        "symmetry breaking (drift)": lambda: symmetry_breaking(law, "drift"),
        "symmetry breaking (covariance)": lambda: symmetry_breaking(law, "covariance"),
    }
    if law.n_classes > 1:
        quantities["speciation"] = lambda: speciation(law)
    return {name: _point(quantity) for name, quantity in quantities.items()}


def _point(quantity: Callable[[], float]) -> CriticalPoint:
    try:
        r = quantity()
    except ValueError as error:
        return CriticalPoint(None, {}, str(error))
    return CriticalPoint(r, process_times(r))


def process_times(r: float) -> dict[str, float | None]:
    """The time of noise ratio r in each process of `CLOCKS`; None beyond the end of its schedule."""
    times: dict[str, float | None] = {}
    for name, process in CLOCKS.items():
        try:
            times[name] = float(process.time(r))
        except ValueError:
            times[name] = None
    return times
