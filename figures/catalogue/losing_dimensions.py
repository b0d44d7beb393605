"""Losing dimensions: the three panels of arXiv 2410.08727, and a fourth that puts its formula to the test.

Data of the paper: D = 30, standard deviations 1 (×2), 0.3 (×5), 0.01 (×23), normalised to the unit sphere.
Panels: ordered singular values of the score's Jacobian, divided by the largest shown, as noise falls, from
(1) the published Gaussian-energy formula, N = 1000; (2) a network trained on N = 500 points, probed around a
training point; (3) the empirical score of N = 1000 points, probed around the origin, σ from 1 to 0.01; the
last two through the paper's stacked orthogonal probes. (4): at the probe √r e_i, the share of ln N that the
local divergence has used up, exactly and by the published formula (for Gaussian energies it is (t_c/t)², with the
variances before normalisation, as published), and the participation measured on data sets of N = 1000 points.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.arguments import Array
from ...manifolds import NormalizedLinear
from ...probes.orthogonal_probes import orthogonal_probes
from ...theory import geometric_memorization, local_condensation
from ..results import provenance, save, writable
from ..stages import tracked, training_stage

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HIGH, LOW, DIM = 2, 5, 30
N_THEORY, N_NETWORK, N_EMPIRICAL = 1000, 500, 1000
REPEATS = 5  # Haar-random probe frames averaged, as in the paper's code
SHOWN = slice(DIM - 11, DIM)  # ordered singular values 20 … 30
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"steps": 8000, "ratios": 24, "data_sets": 40},
    "paper": {"steps": None, "ratios": 60, "data_sets": 400},
}


def draw(out: Path, preset: str = "quick", seed: int = 0) -> list[Path]:
    """Computes the four panels and writes them to `out`; the quick preset takes about a minute and a half."""
    writable(out)
    numbers = compute(out, preset, seed)
    record = provenance(figure="losing-dimensions", preset=preset, seed=seed, source="arXiv 2410.08727")
    return save(out, "losing-dimensions", _picture(numbers), numbers, record)


def compute(out: Path, preset: str, seed: int) -> "xarray.Dataset":
    """All numbers of the figure as a Dataset."""
    import xarray

    size = PRESETS[preset]
    law = NormalizedLinear.two_subspaces(HIGH, LOW, DIM)
    rng = np.random.default_rng(seed)
    r = np.geomspace(1.0, 1e-4, size["ratios"])
    published = geometric_memorization(law.variances, r, log_n=np.log(N_THEORY), normalized=True)
    network_points = law.sample(N_NETWORK, rng)
    spectra = {
        "published": np.sort(published.singular_values, axis=1)[:, ::-1],
        "network": _network_spectra(network_points, r, size["steps"], out, preset, seed, rng),
        "empirical": _empirical_spectra(law.sample(N_EMPIRICAL, rng), r, rng),
    }
    measured, error = _participation(law, r, size["data_sets"], rng)
    exact = np.array([_local_divergence(law, i, r) for i in (0, HIGH)]) / np.log(N_THEORY)
    variances = law.variances[[0, HIGH]]
    names = ["high", "low"]
    return xarray.Dataset(
        {name: (("noise_ratio", "rank"), values) for name, values in spectra.items()}
        | {
            "published_share": (("subspace", "noise_ratio"), variances[:, None] / (2 * r * np.log(N_THEORY))),
            "exact_share": (("subspace", "noise_ratio"), exact),
            "participation": (("subspace", "noise_ratio"), measured),
            "participation_error": (("subspace", "noise_ratio"), error),
            "published_condensation": ("subspace", variances / (2 * np.log(N_THEORY))),
            "exact_condensation": (
                "subspace",
                [local_condensation(law, i, log_n=np.log(N_THEORY)) for i in (0, HIGH)],
            ),
        },
        coords={"noise_ratio": r, "rank": np.arange(1, DIM + 1), "subspace": names},
    )


def _network_spectra(
    points: Array, r: Array, steps: int | None, out: Path, preset: str, seed: int, rng: np.random.Generator
) -> Array:
    from ...models import TrainingConfig, train

    # the smallest noise shown is σ = 0.01; training goes below it, because networks overshoot at the edge
    config = TrainingConfig.quick(steps=steps, sigma_min=0.004, seed=seed) if steps else TrainingConfig.paper(seed=seed)
    directory = out / "networks" / f"losing-dimensions-{preset}-{seed}"
    network = training_stage(
        f"network on N = {N_NETWORK} points", lambda report: train(points, config, directory, progress=report)
    )
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


def _participation(law: NormalizedLinear, r: Array, data_sets: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Mean participation (subspace, r) at the probes √r e_i of each subspace and its standard error."""
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
    return samples.mean(axis=0), samples.std(axis=0, ddof=1) / np.sqrt(data_sets)


def _picture(numbers: "xarray.Dataset") -> "Figure":
    from matplotlib import cm, colors, pyplot

    from ..drawing.style import styled

    with styled():
        figure, axes = pyplot.subplots(1, 4, figsize=(13.5, 3.7), width_ratios=[1, 1, 1, 1.35])
        scale = colors.LogNorm(1e-4, 1.0)
        titles = {
            "published": f"(a) published theory, N = {N_THEORY}",
            "network": f"(b) network, N = {N_NETWORK}",
            "empirical": f"(c) empirical score, N = {N_EMPIRICAL}",
        }
        for axis, (name, title) in zip(axes, titles.items(), strict=False):
            _spectra_panel(axis, numbers, name, title, scale)
        axes[0].set_ylabel("singular value / largest shown")
        bar = figure.colorbar(cm.ScalarMappable(scale, "viridis"), ax=axes[:3], pad=0.01, aspect=30)
        bar.set_label("noise ratio r = σ²")
        handles, labels = axes[0].get_legend_handles_labels()
        kept = [i for i, label in enumerate(labels) if "small values" in label]
        gap_legend = [handles[i] for i in kept], [labels[i] for i in kept]
        figure.legend(*gap_legend, loc="outside lower left", ncols=3, title="gap in the spectrum after this rank:")
        _condensation_panel(axes[3], numbers)
        return figure


def _spectra_panel(axis: "Axes", numbers: "xarray.Dataset", name: str, title: str, scale: object) -> None:
    from matplotlib import pyplot

    colormap = pyplot.get_cmap("viridis")
    for j, ratio in enumerate(numbers["noise_ratio"].values):
        values = numbers[name].values[j, SHOWN]
        axis.plot(numbers["rank"].values[SHOWN], values / values.max(), color=colormap(scale(ratio)), lw=1)  # type: ignore[operator]
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
    r = numbers["noise_ratio"].values
    for s, deviation in enumerate(("1", "0.3")):
        color, label = f"C{s}", f"std {deviation}"
        axis.plot(r, numbers["published_share"].values[s], color=color, ls=":", label=f"published, {label}")
        axis.plot(r, numbers["exact_share"].values[s], color=color, label=f"exact K/ln N, {label}")
        axis.errorbar(
            r,
            numbers["participation"].values[s],
            numbers["participation_error"].values[s],
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
