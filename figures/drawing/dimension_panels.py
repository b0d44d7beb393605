"""Panels of d(r): population, theory for N points, empirical score and networks, one law and one N in each."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...conventions.arguments import Array

LEGS = {"empirical": ("empirical score", "C2", "o"), "network": ("network", "C1", "s")}


def panels(numbers: "xarray.Dataset", titles: dict[str, str], theory: str) -> "Figure":
    """One row for each law, one column for each N; `titles` of the laws, `theory` what its curve is."""
    from matplotlib import pyplot

    from .style import styled

    rows, columns = len(titles), numbers.sizes["n"]
    with styled():
        figure, axes = pyplot.subplots(
            rows, columns, figsize=(11.0, 0.8 + 2.7 * rows), sharex=True, sharey="row", squeeze=False
        )
        for row, (name, title) in zip(axes, titles.items(), strict=True):
            for axis, n in zip(row, numbers["n"].values, strict=True):
                _panel(axis, numbers.sel(law=name, n=n), theory)
                axis.set_title(f"{title}, N = {n}")
            row[0].set_ylabel("dimension d(r)")
        for axis, letter in zip(axes.flat, "abcdefghi", strict=False):
            axis.set_title(f"({letter}) {axis.get_title()}")
        for axis in axes[-1]:
            axis.set_xlabel("noise ratio r")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        return figure


def spread_points(axis: "Axes", r: "Array", curves: "Array", color: str, marker: str, label: str | None = None) -> None:
    """Mean and spread over seeds of curves (seed, r)."""
    mean, deviation = curves.mean(axis=0), curves.std(axis=0, ddof=min(1, len(curves) - 1))
    axis.errorbar(r, mean, deviation, color=color, marker=marker, ls="none", mfc="white", ms=3.5, label=label)


def _panel(axis: "Axes", one: "xarray.Dataset", theory: str) -> None:
    r, population, seeds = one["r"].values, one["dimension_population"].values, one.sizes["seed"]
    axis.plot(r, population, color="black", label="population")
    axis.plot(r, population / 2, color="black", lw=0.8, ls="--", label="half of it")
    axis.plot(r, one["dimension_theory"].values, color="C0", label=theory)
    for leg, (shown, color, marker) in LEGS.items():
        label = f"{shown}, mean and spread of {seeds} seeds"
        spread_points(axis, r, one["dimension"].sel(leg=leg).values, color=color, marker=marker, label=label)
    axis.axvline(float(one["collapse"]), color="C0", ls=":", label="predicted collapse $r_c$")
    axis.set(xscale="log", xlim=(r.min(), r.max()), ylim=(0, 1.35 * population.max()))
