"""Losing dimensions: the three panels of arXiv 2410.08727, and a fourth that puts its formula to the test.

Data of the paper: D = 30, standard deviations 1 (×2), 0.3 (×5), 0.01 (×23), normalised to the unit sphere.
Panels: ordered singular values of the score's Jacobian, divided by the largest shown, as noise falls, from
(1) the published Gaussian-energy formula, N = 1000; (2) a network trained on N = 500 points, probed around a
training point; (3) the empirical score of N = 1000 points, probed around the origin, σ from 1 to 0.01; the
last two through the paper's stacked orthogonal probes. (4): at the probe √r e_i, the share of ln N that the
local divergence has used up, exactly and by the published formula (for Gaussian energies it is (t_c/t)², with the
variances before normalisation, as published), and the participation measured on data sets of N = 1000 points.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...conventions.arguments import Array
from ...conventions.datasets import dataset
from ...conventions.estimate import Estimate
from ...conventions.progress import tracked, training
from ...manifolds import NormalizedLinear
from ...models import TrainingConfig
from ...probes.orthogonal_probes import orthogonal_probes
from ...theory import geometric_memorization, local_condensation
from ..figure import Figure, Preset

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

HIGH, LOW, DIM = 2, 5, 30
N_THEORY, N_NETWORK, N_EMPIRICAL = 1000, 500, 1000
REPEATS = 5  # Haar-random probe frames averaged, as in the paper's code
SHOWN = slice(DIM - 11, DIM)  # ordered singular values 20 … 30
LEGS = {
    "published": f"(a) published theory, N = {N_THEORY}",
    "network": f"(b) network, N = {N_NETWORK}",
    "empirical": f"(c) empirical score, N = {N_EMPIRICAL}",
}
MEANINGS = {
    "leg": ("published theory, network or empirical score", "1"),
    "subspace": ("subspace of high or low variance", "1"),
    "singular_values": ("singular values of the score's Jacobian times r, probed", "1"),
    "published_share": ("share of ln N used up at the probe √r e_i, published formula", "1"),
    "exact_share": ("share of ln N used up at the probe √r e_i", "1"),
    "participation": ("participation Y at the probe √r e_i", "1"),
    "published_condensation": ("noise ratio of condensation at the probe, published formula", "1"),
    "exact_condensation": ("noise ratio of condensation at the probe", "1"),
}


@dataclass(frozen=True)
class Sizes(Preset):
    """The network, noise ratios, and data sets of N points for the participation."""

    network: TrainingConfig
    ratios: int
    data_sets: int


PRESETS = (
    # the smallest noise shown is σ = 0.01; training goes below it, because networks overshoot at the edge
    Sizes("quick", TrainingConfig.quick(steps=8000, sigma_min=0.004), ratios=24, data_sets=40),
    Sizes("paper", TrainingConfig.paper(), ratios=60, data_sets=400),
)


def compute(size: Sizes, out: Path, seed: int) -> "xarray.Dataset":
    """All numbers of the figure; the quick preset takes about a minute and a half."""
    law = NormalizedLinear.two_subspaces(HIGH, LOW, DIM)
    rng = np.random.default_rng(seed)
    r = np.geomspace(1.0, 1e-4, size.ratios)
    published = geometric_memorization(law.variances, r, log_n=np.log(N_THEORY), normalized=True)
    network_points = law.sample(N_NETWORK, rng)
    spectra = {
        "published": np.sort(published.singular_values, axis=1)[:, ::-1],
        "network": _network_spectra(network_points, r, size, out, seed, rng),
        "empirical": _empirical_spectra(law.sample(N_EMPIRICAL, rng), r, rng),
    }
    measured = _participation(law, r, size.data_sets, rng)
    exact = np.array([_local_divergence(law, i, r) for i in (0, HIGH)]) / np.log(N_THEORY)
    variances = law.variances[[0, HIGH]]
    return dataset(
        {
            "singular_values": (("leg", "r", "rank"), np.array([spectra[leg] for leg in LEGS])),
            "published_share": (("subspace", "r"), variances[:, None] / (2 * r * np.log(N_THEORY))),
            "exact_share": (("subspace", "r"), exact),
            "participation": (("subspace", "r"), measured),
            "published_condensation": ("subspace", variances / (2 * np.log(N_THEORY))),
            "exact_condensation": (
                "subspace",
                [local_condensation(law, i, log_n=np.log(N_THEORY)) for i in (0, HIGH)],
            ),
        },
        {"leg": list(LEGS), "r": r, "rank": np.arange(1, DIM + 1), "subspace": ["high", "low"]},
        MEANINGS,
    )


def _network_spectra(points: Array, r: Array, size: Sizes, out: Path, seed: int, rng: np.random.Generator) -> Array:
    from ...models import train

    config = replace(size.network, seed=seed)
    directory = out / "networks" / f"losing-dimensions-{size.name}-{seed}"
    with training(True, f"network on N = {N_NETWORK} points", config.steps) as report:
        network = train(points, config, directory, progress=report)
    return np.array([_probed(network.score, points[0], ratio, rng) for ratio in r])


def _empirical_spectra(points: Array, r: Array, rng: np.random.Generator) -> Array:
    from ...simulations import EmpiricalScore

    score = EmpiricalScore(points).score
    return np.array(
        [_probed(score, np.zeros(DIM), ratio, rng) for ratio in tracked(r, f"empirical score of N = {N_EMPIRICAL}")]
    )


def _probed(score: object, centre: Array, r: float, rng: np.random.Generator) -> Array:
    return np.mean([orthogonal_probes(score, centre, r, rng) for _ in range(REPEATS)], axis=0)  # type: ignore[arg-type]


def _local_divergence(law: NormalizedLinear, i: int, r: Array) -> Array:
    axis = law.direction(i)
    return np.array([float(law.local_divergence(np.sqrt(ratio) * axis, ratio)) for ratio in r])


def _participation(law: NormalizedLinear, r: Array, data_sets: int, rng: np.random.Generator) -> Estimate:
    """Participation (subspace, r) at the probes √r e_i of each subspace, over data sets."""
    from ...simulations import EmpiricalScore

    subspaces = (slice(0, HIGH), slice(HIGH, HIGH + LOW))
    samples = np.empty((data_sets, 2, len(r)))
    for sample in tracked(range(data_sets), f"participation of {data_sets} data sets"):
        score = EmpiricalScore(law.sample(N_THEORY, rng))
        for j, ratio in enumerate(r):
            probes = np.sqrt(ratio) * np.eye(DIM)[: HIGH + LOW]
            participation = np.asarray(score.participation(probes, ratio))
            for s, subspace in enumerate(subspaces):
                samples[sample, s, j] = participation[subspace].mean()
    return Estimate(samples.mean(axis=0), samples.std(axis=0, ddof=1) / np.sqrt(data_sets))


def _picture(numbers: "xarray.Dataset") -> "Picture":
    from matplotlib import cm, colors, pyplot

    from ..drawing.style import styled

    with styled():
        figure, axes = pyplot.subplots(1, 4, figsize=(13.5, 3.7), width_ratios=[1, 1, 1, 1.35])
        scale = colors.LogNorm(1e-4, 1.0)
        for axis, (leg, title) in zip(axes, LEGS.items(), strict=False):
            _spectra_panel(axis, numbers["singular_values"].sel(leg=leg), title, scale)
        axes[0].set_ylabel("singular value / largest shown")
        bar = figure.colorbar(cm.ScalarMappable(scale, "viridis"), ax=axes[:3], pad=0.01, aspect=30)
        bar.set_label("noise ratio r = σ²")
        handles, labels = axes[0].get_legend_handles_labels()
        kept = [i for i, label in enumerate(labels) if "small values" in label]
        gap_legend = [handles[i] for i in kept], [labels[i] for i in kept]
        figure.legend(*gap_legend, loc="outside lower left", ncols=3, title="gap in the spectrum after this rank:")
        _condensation_panel(axes[3], numbers)
        return figure


def _spectra_panel(axis: "Axes", spectra: "xarray.DataArray", title: str, scale: object) -> None:
    from matplotlib import pyplot

    colormap = pyplot.get_cmap("viridis")
    for j, ratio in enumerate(spectra["r"].values):
        values = spectra.values[j, SHOWN]
        axis.plot(spectra["rank"].values[SHOWN], values / values.max(), color=colormap(scale(ratio)), lw=1)  # type: ignore[operator]
    gaps = {
        DIM - HIGH - LOW: "7 small values: the whole tangent space",
        DIM - LOW: "5 small values",
        DIM - HIGH: "2 small values",
    }
    for style, (position, label) in zip(("-", "--", ":"), gaps.items(), strict=True):
        axis.axvline(position, color="black", lw=0.9, ls=style, label=label)
    axis.set(
        title=title,
        xlabel="rank of singular value",
        xlim=(20, 30),
        ylim=(-0.03, 1.05),
        xticks=[20, 23, 25, 28, 30],
    )


def _condensation_panel(axis: "Axes", numbers: "xarray.Dataset") -> None:
    r = numbers["r"].values
    for s, deviation in enumerate(("1", "0.3")):
        color, label = f"C{s}", f"std {deviation}"
        axis.plot(r, numbers["published_share"].values[s], color=color, ls=":", label=f"published, {label}")
        axis.plot(r, numbers["exact_share"].values[s], color=color, label=f"exact K/ln N, {label}")
        axis.errorbar(
            r,
            numbers["participation"].values[s],
            numbers["participation_stderr"].values[s],
            color=color,
            marker="os"[s],
            ls="none",
            mfc="white",
            label=f"measured Y, {label}",
        )

    axis.axhline(1, color="black", lw=0.8)
    axis.text(1.02, 1.0, "condensed\nabove", va="center", fontsize=8, transform=axis.get_yaxis_transform())
    axis.set(xscale="log", xlim=(r.min(), r.max()), ylim=(0, 1.6), xlabel="noise ratio r")
    axis.set_ylabel("share of ln N used  |  participation Y")
    axis.set_title(f"(d) which direction is lost first? probe √r eᵢ, N = {N_THEORY}")
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.25))


FIGURE = Figure("losing-dimensions", PRESETS, compute, _picture, lambda numbers: {"source": "arXiv 2410.08727"})
draw = FIGURE.draw
