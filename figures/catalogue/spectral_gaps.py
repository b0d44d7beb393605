"""Spectral gaps: random linear manifolds of arXiv 2410.05898, theory against sampled matrices.

Setting of the paper, D = 100, m = 40, two variances of the latent directions and their swap; the values are ours:
1 on 10 of them and 0.01 on 30 in the upper row, 1 on 30 and 0.01 on 10 in the lower row. Left: eigenvalues of the
rescaled Jacobian rJ at three noise ratios, one per phase; histogram of sampled matrices, line of the limiting law
(Silverstein's equation), and the spike at -1. Right: sizes of the final and the intermediate gap against r, in the
limit of large D (lines) and averaged over the sampled matrices (points, with the standard error of the mean); where
each rises above ½ (opening), is widest and falls below ½ again (closing), and the three phases.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...conventions.arguments import Array
from ...conventions.datasets import dataset
from ...conventions.estimate import Estimate
from ...theory import spectra
from ..figure import Figure, Preset

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

DIM, LATENT_DIM = 100, 40
VARIANCES = (1.0, 0.01)
COUNTS = {"10 strong, 30 weak": (10, 30), "30 strong, 10 weak": (30, 10)}
NOISE_RATIOS = (10.0, 0.3, 1e-3)
THRESHOLD = 0.5
MEANINGS = {
    "setting": ("numbers of latent directions of the two variances", "1"),
    "which": ("gap between which eigenvalues", "1"),
    "matrix": ("sampled matrix", "1"),
    "eigenvalues": ("positive eigenvalues of F Fᵀ", "1"),
    "gap": ("size of the gap in the spectrum of the rescaled Jacobian, sampled matrices", "1"),
    "gap_theory": ("size of the gap in the limit of large D", "1"),
}


@dataclass(frozen=True)
class Sizes(Preset):
    """Sampled matrices in each setting."""

    matrices: int


PRESETS = (Sizes("quick", 300), Sizes("paper", 5000))


def compute(size: Sizes, out: Path, seed: int) -> "xarray.Dataset":
    """All numbers of the figure; a few seconds."""
    rng, matrices = np.random.default_rng(seed), size.matrices
    r = np.geomspace(1e-5, 1e3, 400)
    measured_at = np.geomspace(1e-5, 1e3, 25)
    laws = [_law(counts) for counts in COUNTS.values()]
    sampled = np.array([_eigenvalues(counts, matrices, rng) for counts in COUNTS.values()])
    measured = np.array([
        _sampled_gaps(eigenvalues, counts[0], measured_at)
        for eigenvalues, counts in zip(sampled, COUNTS.values(), strict=True)
    ])  # fmt: skip
    over_matrices = Estimate(measured.mean(axis=2), measured.std(axis=2, ddof=1) / np.sqrt(matrices))
    return dataset(
        {
            "eigenvalues": (("setting", "matrix", "rank"), sampled),
            "gap": (("setting", "which", "r_sampled"), over_matrices),
            "gap_theory": (("setting", "which", "r"), [[gap.size(r) for gap in spectra.gaps(law)] for law in laws]),
        },
        {"setting": list(COUNTS), "which": ["final", "intermediate"], "r": r, "r_sampled": measured_at},
        MEANINGS,
    )


def _law(counts: tuple[int, int]) -> spectra.CovarianceLaw:
    return spectra.covariance_law(VARIANCES, counts, aspect=LATENT_DIM / DIM)


def _eigenvalues(counts: tuple[int, int], matrices: int, rng: np.random.Generator) -> Array:
    """The 40 positive eigenvalues of F Fᵀ, largest first, shape (matrices, 40)."""
    scale = np.sqrt(np.repeat(VARIANCES, counts) / LATENT_DIM)
    factors = rng.standard_normal((matrices, DIM, LATENT_DIM)) * scale
    return np.asarray(np.linalg.svd(factors, compute_uv=False) ** 2)


def _sampled_gaps(eigenvalues: Array, strong: int, r: Array) -> Array:
    """Final and intermediate gap of each matrix, shape (2, matrices, len(r))."""
    above, below = eigenvalues[:, [-1, strong - 1], None], eigenvalues[:, [strong], None]
    lower = np.concatenate([np.zeros_like(below), below], axis=1)
    sizes = r / (r + lower) - r / (r + above)
    return np.asarray(sizes.transpose(1, 0, 2))


def _picture(numbers: "xarray.Dataset") -> "Picture":
    from matplotlib import pyplot

    from ..drawing.style import styled

    with styled():
        figure, axes = pyplot.subplots(2, 4, figsize=(14.5, 6.2), width_ratios=[1, 1, 1, 1.75])
        for row, (setting, counts) in zip(axes, COUNTS.items(), strict=True):
            law = _law(counts)
            for axis, r in zip(row, NOISE_RATIOS, strict=False):
                _density_panel(axis, law, numbers["eigenvalues"].sel(setting=setting).values, r)
            row[0].set_ylabel(f"{setting}\ndensity")
            _gap_panel(row[3], law, numbers.sel(setting=setting))
        for axis in axes[1, :3]:
            axis.set_xlabel("eigenvalue of rJ")
        axes[1, 3].set_xlabel("noise ratio r")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower left", ncols=3)
        figure.legend(*axes[0, 3].get_legend_handles_labels(), loc="outside lower right", ncols=4)
        return figure


def _density_panel(axis: "Axes", law: spectra.CovarianceLaw, eigenvalues: Array, r: float) -> None:
    jacobian = spectra.jacobian_density(law, r)
    values = (-r / (r + eigenvalues)).ravel()
    for i, (left, right) in enumerate(jacobian.edges):
        first = i == 0
        bins = np.linspace(left - 0.2 * (right - left), right + 0.2 * (right - left), 57)
        heights = np.histogram(values, bins)[0] / (len(eigenvalues) * DIM * np.diff(bins))
        label = f"sampled, D = {DIM}, m = {LATENT_DIM}"
        axis.stairs(heights, bins, fill=True, color="C0", alpha=0.4, label=label if first else None)
        inside = left + (right - left) * np.sin(np.linspace(0, np.pi / 2, 300)) ** 2
        axis.plot(inside, jacobian.density(inside), color="black", lw=1, label="limit of large D" if first else None)
    axis.axvspan(-1.04, -1, color="C3", lw=0, label=f"spike at −1, off the manifold, weight {jacobian.spike:.1f}")
    axis.set(yscale="log", xlim=(-1.04, 0.04), ylim=(0.02, 5e3))
    axis.set_title(f"r = {r:g}: {spectra.phases(law, THRESHOLD).at(r)}")


def _gap_panel(axis: "Axes", law: spectra.CovarianceLaw, numbers: "xarray.Dataset") -> None:
    r = numbers["r"].values
    for i, gap in enumerate(spectra.gaps(law)):
        color, name = f"C{i + 1}", "final gap" if gap.final else "intermediate gap"
        axis.plot(r, numbers["gap_theory"].values[i], color=color, label=name)
        axis.errorbar(
            numbers["r_sampled"].values,
            numbers["gap"].values[i],
            numbers["gap_stderr"].values[i],
            color=color,
            marker="os"[i],
            ms=3.5,
            mfc="white",
            ls="none",
            label="sampled",
        )
        visible = gap.visible(THRESHOLD)
        if visible is None:
            continue
        closing, opening = visible
        marks = [("opens", opening, THRESHOLD, (-6, -11) if gap.final else (6, 5), "right" if gap.final else "left")]
        if not gap.final:
            marks += [("closes", closing, THRESHOLD, (-7, 5), "right")]
            marks += [("widest", gap.widest, gap.widest_size, (0, 8), "center")]
        for word, x, y, offset, side in marks:
            axis.plot(x, y, marker="D", color=color, ms=6, ls="none")
            axis.annotate(word, (x, y), offset, textcoords="offset points", color=color, fontsize=8, ha=side)
    boundaries = spectra.phases(law, THRESHOLD)
    axis.axhline(THRESHOLD, color="black", lw=0.6, ls=":")
    for x in boundaries:
        axis.axvline(x, color="gray", lw=0.8, ls="--")
    middle = float(np.sqrt(boundaries.coverage * boundaries.consolidation))
    for x, name in (
        (np.sqrt(r[-1] * boundaries.coverage), "trivial"),
        (middle, "manifold coverage"),
        (np.sqrt(r[0] * boundaries.consolidation), "consolidation"),
    ):
        axis.text(x, 1.06, name, ha="center", fontsize=8, color="gray")
    axis.set(xscale="log", xlim=(r[0], r[-1]), ylim=(0, 1.14), ylabel="size of the gap")


FIGURE = Figure("spectral-gaps", PRESETS, compute, _picture, lambda numbers: {"source": "arXiv 2410.05898"})
draw = FIGURE.draw
