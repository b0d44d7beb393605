"""Dimension against (r, N) in the setting of arXiv 2410.08727: theory for N points, empirical score, networks.

D = 30, standard deviations 1 (×2), 0.3 (×5), 0.01 (×23), normalised to the unit sphere; N = 100 … 20000, several
data sets ("seeds") each, networks for N = 100 (which memorizes) and N = 500 (which does not in the same number of
steps). Its spectra are the figure `losing-dimensions`. The quick preset trains six networks, about 6 minutes on two
cores.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...manifolds import NormalizedLinear
from ...models import TrainingConfig
from ..dimension_curves import Study, StudySizes, at_ratio, leading_curves
from ..drawing.dimension_panels import spread_points
from ..figure import Figure
from .losing_dimensions import DIM, HIGH, LOW

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

# the smallest noise shown is σ = 0.017; training goes below it, because networks overshoot at the edge
RECIPE = TrainingConfig.quick(
    predicts="x0",
    loss_on="v",
    sigma_min=0.01,
    sigma_max=2.0,
    width=256,
    batch_size=128,
    learning_rate=3e-3,
    steps=10000,
)
LONG = replace(RECIPE, batch_size=512, steps=40000)
PRESETS = (
    StudySizes("quick", seeds=3, ratios=29, queries=500, points=200, networks=(RECIPE, None, RECIPE, None, None)),
    StudySizes("paper", seeds=8, ratios=57, queries=4000, points=1000, networks=(LONG,) * 5),
)
STUDY = Study(
    name="two-variances",
    laws={"normalized": NormalizedLinear.two_subspaces(HIGH, LOW, DIM)},
    sizes=(100, 250, 500, 1000, 20000),
    ends=(3e-4, 1.0),
    shown=(0.1, 0.01, 0.001),
)
MARKERS, STYLES = "os^Dv", ("-", "--", "-.", (0, (3, 1, 1, 1)), (0, (5, 1)))


def _picture(numbers: "xarray.Dataset") -> "Picture":
    from matplotlib import pyplot

    from ..drawing.style import styled

    one = numbers.isel(law=0)
    with styled():
        figure, axes = pyplot.subplots(1, 3, figsize=(12.5, 4.4))
        trained = [n for n in one["n"].values if not np.isnan(one["dimension"].sel(leg="network", n=n)).all()]
        _curves_panel(axes[0], one, list(one["n"].values), "empirical")
        axes[0].set_title("(a) empirical score (points) and theory for N points (lines)")
        _curves_panel(axes[1], one, trained, "network")
        axes[1].set_title("(b) networks (points) and theory for N points (lines)")
        _sizes_panel(axes[2], one)
        return figure


def _curves_panel(axis: "Axes", one: "xarray.Dataset", sizes: list[int], leg: str) -> None:
    """d(r) of one leg over theory, one colour for each N; vertical lines at r_c."""
    r = one["r"].values
    axis.plot(r, one["dimension_population"].values, color="black", label="population")
    for n in sizes:
        i = list(one["n"].values).index(n)
        at = one.sel(n=n)
        axis.plot(r, at["dimension_theory"].values, color=f"C{i}", ls=STYLES[i])
        spread_points(axis, r, at["dimension"].sel(leg=leg).values, color=f"C{i}", marker=MARKERS[i], label=f"N = {n}")
        axis.axvline(float(at["collapse"]), ymax=0.62, color=f"C{i}", ls=":", lw=1.2)  # below the legend
    axis.plot([], [], color="black", ls=":", lw=1.2, label="predicted collapse $r_c$")
    axis.set(xscale="log", xlim=(r.min(), r.max()), ylim=(0, 9), xlabel="noise ratio r", ylabel="dimension d(r)")
    axis.legend(loc="upper right")


def _sizes_panel(axis: "Axes", one: "xarray.Dataset") -> None:
    """d against N at the ratios of the table."""
    r, n = one["r"].values, one["n"].values
    many = np.unique(np.geomspace(n.min() / 2, n.max() * 20, 40).astype(int))
    population = one["dimension_population"].values
    theory = leading_curves(one["information"].values, population, list(many), r)
    for i, ratio in enumerate(STUDY.shown):
        axis.plot(many, at_ratio(theory, r, ratio), color=f"C{i}", ls=STYLES[i], label=f"theory, r = {ratio:g}")
        axis.axhline(float(at_ratio(population, r, ratio)), color=f"C{i}", lw=0.8, ls=":")
        for leg, filled in (("empirical", "white"), ("network", f"C{i}")):
            values = at_ratio(one["dimension"].sel(leg=leg).values, r, ratio)
            mean, deviation = values.mean(axis=1), values.std(axis=1, ddof=min(1, values.shape[1] - 1))
            axis.errorbar(n, mean, deviation, color=f"C{i}", marker=MARKERS[i], mfc=filled, ms=5, ls="none")
    axis.plot([], [], color="black", marker="o", mfc="white", ls="none", label="empirical score")
    axis.plot([], [], color="black", marker="o", ls="none", label="network")
    axis.plot([], [], color="black", lw=0.8, ls=":", label="population")
    axis.set(xscale="log", xlim=(many.min(), many.max()), ylim=(0, 10.5), xlabel="training points N")
    axis.set(ylabel="dimension d(r)", title="(c) dimension against N")
    axis.legend(loc="upper left", ncols=2)


FIGURE = Figure(STUDY.name, PRESETS, STUDY.compute, _picture, STUDY.remarks)
draw = FIGURE.draw
