"""The pictures of the phase diagrams."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.arguments import Array
from ...theory.phase_diagram import Phase

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# light to dark along the order of the phases, so that they can be told apart without colour
PHASES = {
    Phase.NOISE: ("#f4f4f4", "noise"),
    Phase.CLASSES: ("#fbe7b2", "classes told apart"),
    Phase.COVERAGE: ("#c6e2f1", "coverage of the manifold"),
    Phase.TRAPS: ("#8fc1de", "traps at training points"),
    Phase.CONDENSED: ("#e79a6a", "condensed"),
    Phase.MEMORIZED: ("#b3542d", "condensed, density past its best"),
}
LINES = {
    "onset": (r"onset of traps $r_o$", "--"),
    "collapse": (r"collapse $r_c$", "-"),
    "generalization": (r"generalization $r_g$", ":"),
}


def noise_picture(numbers: "xarray.Dataset", name: str) -> "Figure":
    """Left: phases and the lines on which they meet. Right: retrieval E w_1, exact contours where computed."""
    from matplotlib import colors, patches, pyplot

    from .style import styled

    with styled():
        figure, axes = pyplot.subplots(1, 2, figsize=(10.5, 4.0), sharey=True, width_ratios=[1, 1.12])
        n, r = np.exp(numbers["log_n"].values), numbers["r"].values
        phase = numbers["phase"].values
        present = [p for p in PHASES if (phase == p).any()]
        paint = colors.ListedColormap([PHASES[p][0] for p in PHASES])
        axes[0].pcolormesh(
            n, r, phase.T, cmap=paint, vmin=-0.5, vmax=len(PHASES) - 0.5, shading="nearest", rasterized=True
        )
        mesh = axes[1].pcolormesh(
            n, r, numbers["retrieval"].values.T, vmin=0, vmax=1, shading="nearest", rasterized=True
        )
        figure.colorbar(mesh, ax=axes[1], label=r"retrieval $\mathrm{E}\,w_1$, Gaussian estimate")
        _draw_lines(axes[0], numbers, n, "black")
        _draw_lines(axes[1], numbers, n, "white")
        if "exact_retrieval" in numbers:
            exact = numbers["exact_retrieval"]
            grid = np.exp(exact["log_n_exact"].values), exact["r_exact"].values
            drawn = axes[1].contour(*grid, exact.values.T, levels=[0.1, 0.5, 0.9], colors="C1", linewidths=1.2)
            axes[1].clabel(drawn, fmt="exact %g", fontsize=7)
        for axis in axes:
            axis.set(xscale="log", yscale="log", xlabel="training points N", ylim=(r[0], r[-1]), xlim=(n[0], n[-1]))
        axes[0].set(ylabel="noise ratio r", title="(a) phases")
        axes[1].set_title("(b) width of the transition")
        handles = [patches.Patch(color=PHASES[p][0], label=PHASES[p][1]) for p in present]
        lines, labels = axes[0].get_legend_handles_labels()
        both = [*handles, *lines], [*(str(h.get_label()) for h in handles), *labels]
        figure.legend(*both, loc="outside lower center", ncols=4)
        figure.suptitle(name, fontsize=9)
        return figure


def _draw_lines(axis: "Axes", numbers: "xarray.Dataset", n: Array, color: str) -> None:
    for key, (label, style) in LINES.items():
        axis.plot(n, numbers[key].values, color=color, ls=style, lw=1.4, label=label)
    styles: dict[str, Any] = {"symmetry_breaking": "-.", "speciation": (0, (1, 4))}
    for key, dashes in styles.items():
        if key in numbers:
            axis.axhline(float(numbers[key]), color=color, ls=dashes, lw=1.2, label=key.replace("_", " "))


def dimension_picture(numbers: "xarray.Dataset", name: str) -> "Figure":
    """Onset, collapse and generalization over (N, d), on one colour scale."""
    from matplotlib import colors, pyplot

    from .style import styled

    with styled():
        figure, axes = pyplot.subplots(1, 3, figsize=(11.5, 3.7), sharey=True)
        n, d = np.exp(numbers["log_n"].values), numbers["intrinsic_dim"].values
        every = np.concatenate([numbers[key].values.ravel() for key in LINES])
        scale = colors.LogNorm(max(every.min(), 1e-6 * every.max()), every.max())
        for axis, letter, (key, (label, _)) in zip(axes, "abc", LINES.items(), strict=True):
            mesh = _log_map(axis, n, d, numbers[key].values, scale)
            axis.set(xscale="log", yscale="log", xlabel="training points N", title=f"({letter}) {label}")
            axis.set_ylim(d[0], d[-1])
        axes[0].set_ylabel("intrinsic dimension d")
        figure.colorbar(
            mesh,
            ax=axes,
            label="noise ratio r (a line at each decade)",
            extend="min" if every.min() < scale.vmin else "neither",
        )
        figure.suptitle(f"{name}: {numbers.attrs['family']}", fontsize=9)
        return figure


def _log_map(axis: "Axes", x: Array, y: Array, values: Array, scale: Any) -> Any:
    """Colour map with a contour at each decade of the values."""
    mesh = axis.pcolormesh(x, y, values, norm=scale, shading="nearest", rasterized=True)
    decades = 10.0 ** np.arange(np.ceil(np.log10(scale.vmin)), np.floor(np.log10(scale.vmax)) + 1)
    inside = decades[(decades > values.min()) & (decades < values.max())]
    if inside.size:
        axis.contour(x, y, values, levels=inside, colors="white", linewidths=0.8)
    return mesh


def ratio_picture(numbers: "xarray.Dataset", name: str) -> "Figure":
    """Collapse, the dimension seen there, and which part condenses first at its probe, over (N, ratio)."""
    from matplotlib import colors, pyplot

    from .style import styled

    with styled():
        figure, axes = pyplot.subplots(1, 3, figsize=(13.5, 3.9), sharey=True)
        n, ratio = np.exp(numbers["log_n"].values), numbers["ratio"].values
        collapse, seen = numbers["collapse"].values, numbers["dimension_at_collapse"].values
        scale = colors.LogNorm(max(collapse.min(), 1e-6 * collapse.max()), collapse.max())
        bars = [(_log_map(axes[0], n, ratio, collapse, scale), r"$r_c$ (a line at each decade)")]
        mesh = axes[1].pcolormesh(n, ratio, seen, shading="nearest", cmap="cividis", vmin=0, rasterized=True)
        contours = axes[1].contour(n, ratio, seen, colors="white", linewidths=0.8)
        axes[1].clabel(contours, fmt="%g", fontsize=7, inline_spacing=2)
        bars.append((mesh, r"$d(r_c)$"))
        lead = np.log10(numbers["condensation_first"].values / numbers["condensation_second"].values)
        lead_map(axes[2], n, ratio, lead, r"$\log_{10}\,r_1/r_2$  (> 0: larger variance first)")
        titles = ("(a) collapse", "(b) dimensions seen at collapse", r"(c) lost first at the probes $\sqrt{r}\,e_i$")
        for axis, title in zip(axes, titles, strict=True):
            axis.set(xscale="log", yscale="log", xlabel="training points N", title=title)
        for axis, (mesh, label) in zip(axes[:2], bars, strict=True):
            figure.colorbar(mesh, ax=axis, label=label)
        axes[0].set_ylabel("ratio of the two variances")
        figure.suptitle(f"{name}: {numbers.attrs['family']}", fontsize=9)
        return figure


def lead_map(axis: "Axes", x: Array, y: Array, lead: Array, label: str) -> None:
    """log10 r_1/r_2 in two colours that meet at zero, where the order reverses (black line), with its colour bar."""
    from matplotlib import colors

    reach = max(float(np.abs(lead).max()), 1e-12)
    linear = 0.02 * reach  # logarithmic beyond: small leads keep their sign's colour
    scale = colors.SymLogNorm(linear, linscale=0.3, vmin=-reach, vmax=reach)
    mesh = axis.pcolormesh(x, y, lead, norm=scale, cmap="PuOr_r", shading="nearest", rasterized=True)
    if lead.min() < 0 < lead.max():
        axis.contour(x, y, lead, levels=[0.0], colors="black", linewidths=1.4)
    ticks = 10.0 ** np.arange(np.ceil(np.log10(linear)), np.floor(np.log10(reach)) + 1)
    axis.figure.colorbar(mesh, ax=axis, label=label, ticks=[*-ticks[::-1], 0.0, *ticks], format="%g")
