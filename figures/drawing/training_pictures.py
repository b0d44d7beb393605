"""The four panels of memorization during training."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def picture(numbers: "xarray.Dataset") -> "Figure":
    """The four panels, from the numbers of the figure `training-memorization`."""
    from matplotlib import pyplot

    from .style import styled

    generalization, memorization = (
        float(numbers["level"].sel(event=event)) for event in ("generalization", "memorization")
    )
    with styled():
        figure, axes = pyplot.subplots(2, 2, figsize=(10.0, 7.2))
        _along_training(axes[0, 0], numbers, "lost_information", "information lost  [nats]")
        axes[0, 0].axhline(generalization, color="black", lw=0.8, ls="--")
        axes[0, 0].set(yscale="log", yticks=(0.1, 0.3, 1, 3, 10), yticklabels=("0.1", "0.3", "1", "3", "10"))
        axes[0, 0].minorticks_off()
        axes[0, 0].set(title="(a) distance to the population; dashed: level of $\\tau_{gen}$")
        _along_training(axes[0, 1], numbers, "memorized", "fraction of samples that are copies")
        axes[0, 1].axhline(memorization, color="black", lw=0.8, ls="--")
        axes[0, 1].set(ylim=(-0.03, 1.03), title="(b) generated samples; dashed: level of $\\tau_{mem}$")
        _times_panel(axes[1, 0], numbers)
        _capacity_panel(axes[1, 1], numbers)
        return figure


def _along_training(axis: "Axes", numbers: "xarray.Dataset", name: str, label: str) -> None:
    for i, n in enumerate(numbers["n"].values):
        values, error = numbers[name].values[i], numbers[f"{name}_stderr"].values[i]
        axis.errorbar(
            numbers["step"].values, values, error, color=f"C{i}", marker="os^Dv*"[i], mfc="white", label=f"N = {n}"
        )
    axis.set(xscale="log", xlabel="training step", ylabel=label)
    axis.legend()


def _times_panel(axis: "Axes", numbers: "xarray.Dataset") -> None:
    n = numbers["n"].values.astype(float)
    shown = {"generalization": ("C0", "o", "gen", 0.0, "constant"), "memorization": ("C1", "s", "mem", 1.0, "∝ N")}
    for event, (color, marker, name, power, published) in shown.items():
        one = numbers.sel(event=event)
        tau, slope = one["event_time"].values, float(one["exponent"])
        known = np.isfinite(tau)
        if not known.any():
            continue
        found = "" if np.isnan(slope) else f", exponent {slope:.2f} ± {float(one['exponent_stderr']):.2f}"
        axis.plot(n[known], tau[known], color=color, marker=marker, mfc="white", label=f"$\\tau_{{{name}}}${found}")
        scale = np.exp(np.mean(np.log(tau[known] / n[known] ** power)))  # through the geometric mean of the points
        axis.plot(n, scale * n**power, color=color, ls=":", label=published)
    steps = numbers["step"].values
    axis.set(xlim=(n.min() / 1.2, 1.2 * n.max()), ylim=(steps.min(), steps.max()))
    axis.set(xscale="log", yscale="log", xlabel="training points N", ylabel="training step")
    _label_sizes(axis, numbers)
    axis.set_title("(c) times to generalize and to memorize")
    if axis.lines:
        axis.legend()


def _capacity_panel(axis: "Axes", numbers: "xarray.Dataset") -> None:
    n = numbers["n"].values
    for i, width in enumerate(numbers["width"].values):
        label = f"width {width}, {int(numbers['weights'].values[i])} weights"
        share, error = numbers["share"].values[i], numbers["share_stderr"].values[i]
        axis.errorbar(n, share, error, color=f"C{i}", marker="os^Dv*"[i], mfc="white", label=label)
    for level in (0.0, 1.0):
        axis.axhline(level, color="black", lw=0.8, ls="--")
    axis.set(xscale="log", ylim=(-0.15, 1.1), xlabel="training points N")
    axis.set_ylabel("share of memory at r = $r_c$/2")
    _label_sizes(axis, numbers)
    axis.set_title("(d) capacity; 0: population's score, 1: empirical score")
    axis.legend()


def _label_sizes(axis: "Axes", numbers: "xarray.Dataset") -> None:
    """The N that were computed, in figures."""
    n = numbers["n"].values
    axis.xaxis.minorticks_off()
    axis.set_xticks(n, [str(one) for one in n])
