"""Pictures of the commands `simulate`, `sweep` and `train`: measured curves with error bars, beside theory."""

from typing import TYPE_CHECKING, Any

from .dimension_panels import LEGS
from .style import styled

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {
    "participation": "participation E Y",
    "retrieval": "retrieval E $w_1$",
    "excess_entropy": "excess entropy  [nats]",
    "dimension": "dimension d(r)",
    "information": "information I(r)  [nats]",
}


def process_picture(numbers: "xarray.Dataset") -> "Figure":
    """d(r) along the process, and how far it has condensed."""
    from matplotlib import pyplot

    theory = _theory(numbers.attrs["exact"])
    with styled():
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(9.6, 3.8))
        r = numbers["r"].values
        left.plot(r, numbers["dimension_population"].values, color="black", label="population")
        left.plot(r, numbers["dimension_theory"].values, color="C0", label=theory)
        _measured(left, numbers, "dimension", "C2", "o", "along the reverse process")
        right.plot(r, numbers["participation_theory"].values, color="C0", label=f"E Y, {theory}")
        _measured(right, numbers, "participation", "C2", "o", "E Y along the reverse process")
        _measured(right, numbers, "memorized", "C1", "s", "memorized fraction")
        right.plot(
            numbers["r_fine"].values,
            numbers["settled"].values,
            color="C3",
            ls="--",
            label="nearest point final (exact)",
        )
        for axis, title in ((left, TITLES["dimension"]), (right, "shares of trajectories")):
            _collapse(axis, float(numbers["collapse"]))
            axis.set(xscale="log", xlabel="noise ratio r", title=title)
            axis.legend()
        return figure


def sweep_picture(numbers: "xarray.Dataset", over: str | None, observables: list[str]) -> "Figure":
    """A panel for each observable, a row for each value of the parameter, a colour for each N."""
    from matplotlib import pyplot

    values = [None] if over is None else list(numbers[over].values)
    with styled():
        figure, axes = pyplot.subplots(
            len(values),
            len(observables),
            figsize=(4.6 * len(observables), 3.4 * len(values)),
            squeeze=False,
            sharex=True,
        )
        for row, value in zip(axes, values, strict=True):
            one = numbers if value is None else numbers.sel({over: value})
            for axis, name in zip(row, observables, strict=True):
                _sweep_panel(axis, one, name)
                axis.set_title(TITLES[name] + ("" if value is None else f", {over} = {value}"))
        for axis in axes[-1]:
            axis.set_xlabel("noise ratio r")
        for axis in axes[0]:
            axis.legend()
        return figure


def _sweep_panel(axis: "Axes", one: "xarray.Dataset", name: str) -> None:
    for i, n in enumerate(one["n"].values):
        at, color = one.sel(n=n), f"C{i % 10}"
        axis.plot(at["r"].values, at[f"{name}_theory"].values, color=color)
        _measured(axis, at, name, color, "os^Dv"[i % 5], f"N = {n}")
        _collapse(axis, float(at["collapse"]), color, label=None)
    if f"{name}_population" in one:
        population = one[f"{name}_population"].isel(n=0).values
        axis.plot(one["r"].values, population, color="black", lw=0.8, ls="--", label="population")
    axis.plot([], [], color="gray", label=_theory(float(one["exact"].min())))
    axis.set_xscale("log")
    if name == "information":
        axis.set_ylim(0, 1.1 * float(one[name].max()))


def dimension_picture(numbers: "xarray.Dataset") -> "Figure":
    """d(r) of the network, of the empirical score, and of the population or what stands in for it."""
    from matplotlib import pyplot

    with styled():
        figure, axis = pyplot.subplots(figsize=(5.6, 4.0))
        if "dimension_population" in numbers:
            population = numbers["dimension_population"].values
            axis.plot(numbers["r"].values, population, color="black", label=numbers.attrs["population"])
        for leg, (label, color, marker) in LEGS.items():
            _measured(axis, numbers.sel(leg=leg), "dimension", color, marker, label)
        if "collapse" in numbers:
            _collapse(axis, float(numbers["collapse"]))
        axis.set(xscale="log", xlabel="noise ratio r", title=TITLES["dimension"], ylim=(0, None))
        axis.legend()
        return figure


def _measured(axis: "Axes", numbers: "xarray.Dataset", name: str, color: str, marker: str, label: str) -> None:
    error = numbers[f"{name}_stderr"].values if f"{name}_stderr" in numbers else None
    style: dict[str, Any] = {"color": color, "marker": marker, "ls": "none", "mfc": "white", "ms": 4}
    axis.errorbar(numbers["r"].values, numbers[name].values, error, label=label, **style)


def _collapse(axis: "Axes", r_c: float, color: str = "C0", label: str | None = "predicted collapse $r_c$") -> None:
    axis.axvline(r_c, color=color, ls=":", lw=1.2, label=label)


def _theory(exact: float) -> str:
    return "theory at N, exact" if exact else "theory at N, leading order"
