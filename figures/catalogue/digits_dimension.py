"""Dimension of real digits at scale r: the empirical score, trained networks, and the predicted collapse.

Left: d(r) = E tr C/r of the empirical score of N digits (exact), of networks trained on the same N digits
(exact trace of the denoiser's Jacobian at noised training points), and of all 1797 digits, the stand-in for
the population. Right: the information I(r) of all digits by the sum rule; N points collapse where it has used
up ln N. The stand-in is itself a sample: the prediction holds while ln N is well below ln 1797.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.arguments import Array
from ...conventions.datasets import dataset, stacked
from ...conventions.estimate import Estimate
from ...conventions.progress import tracked, training
from ...manifolds import digits
from ...models import TrainingConfig
from ...probes.crossings import half_crossing
from ...theory import MeasuredLaw, collapse
from ..figure import Figure, Preset

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure as Picture

SIZES = (50, 200, 1000)
NETWORK_RATIOS = np.geomspace(0.02, 30.0, 12)
# trained below √0.02, the smallest scale shown: networks overshoot at the edge of their training range
QUICK = TrainingConfig.quick(sigma_min=0.06, sigma_max=20.0, steps=5000)
PAPER = replace(QUICK, steps=40000, width=256, learning_rate=2e-3)
MEANINGS = {
    "dimension_empirical": ("dimension d(r) of the empirical score", "1"),
    "dimension_network": ("dimension d(r) of a network", "1"),
    "dimension_population": ("dimension d(r) of the empirical score of all images, for the population", "1"),
    "information": ("information I(r) of all images, by the sum rule", "nat"),
}


@dataclass(frozen=True)
class Sizes(Preset):
    """The networks; noise ratios, queries to the empirical score, points at which networks are probed."""

    network: TrainingConfig
    ratios: int
    queries: int
    network_points: int


PRESETS = (
    Sizes("quick", QUICK, ratios=49, queries=3600, network_points=96),
    Sizes("paper", PAPER, ratios=65, queries=14400, network_points=400),
)


def compute(size: Sizes, out: Path, seed: int) -> "xarray.Dataset":
    """All numbers of the figure; the quick preset takes about two minutes."""
    from ...simulations import EmpiricalScore

    images = digits()
    r = np.geomspace(1e-3, 1e3, size.ratios)
    subsets = [images.sample(n, np.random.default_rng(seed)) for n in SIZES]  # nested
    curves = [
        EmpiricalScore(points).dimension(r, np.random.default_rng(seed + 1), n_queries=size.queries)
        for points in tracked([*subsets, images.points], "d(r) of the empirical score")
    ]
    learned = [_learned(points, size, out, seed) for points in subsets]
    reference = MeasuredLaw(r, np.asarray(curves[-1].mean))
    return dataset(
        {
            "dimension_empirical": (("n", "r"), stacked(curves[:-1])),
            "dimension_network": (("n", "r_network"), stacked(learned)),
            "dimension_population": ("r", curves[-1]),
            "participation": (("n", "r"), [_participation(points, r, seed + 3, size.queries) for points in subsets]),
            "information": ("r", reference.information(r)),
            "collapse": ("n", [collapse(reference, log_n=np.log(n)) for n in SIZES]),
        },
        {"r": r, "r_network": NETWORK_RATIOS, "n": list(SIZES)},
        MEANINGS,
        images=len(images),
    )


def predictions(numbers: "xarray.Dataset") -> list[dict[str, Any]]:
    """For each N the predicted r_c and two measured ones, None where nothing collapses in the range shown.

    "empirical": where the participation of the empirical score passes ½; "network": where the network's d(r)
    falls below half that of the network trained on most points, which generalizes.
    """
    r, coarse = numbers["r"].values, numbers["r_network"].values
    learned = numbers["dimension_network"].values
    return [
        {
            "n": int(n),
            "predicted": float(numbers["collapse"].values[i]),
            "empirical": half_crossing(r, 1 - numbers["participation"].values[i]),
            "network": half_crossing(coarse, learned[i] / learned[-1]),
        }
        for i, n in enumerate(numbers["n"].values)
    ]


def _participation(points: Array, r: Array, seed: int, queries: int) -> Array:
    """E Y(r) over planted points."""
    from ...simulations import EmpiricalScore

    score = EmpiricalScore(points)
    planted = (score.planted(ratio, np.random.default_rng(seed), queries)[0] for ratio in r)
    return np.array([np.mean(score.participation(x, ratio)) for x, ratio in zip(planted, r, strict=True)])


def _learned(points: Array, size: Sizes, out: Path, seed: int) -> Estimate:
    """d(r) of a network trained on `points`, at noised training points."""
    from ...models import train

    config = replace(size.network, seed=seed)
    directory = out / "networks" / f"digits-{len(points)}-{size.name}-{seed}"
    with training(True, f"network on N = {len(points)} digits", config.steps) as report:
        network = train(points, config, directory, progress=report)
    rng = np.random.default_rng(seed + 2)
    probed = points[rng.permutation(len(points))[: size.network_points]]
    return network.dimension(NETWORK_RATIOS, rng, points=probed)


def _picture(numbers: "xarray.Dataset") -> "Picture":
    from matplotlib import pyplot

    from ..drawing.style import styled

    r, coarse = numbers["r"].values, numbers["r_network"].values
    with styled():
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(10.5, 4.3), width_ratios=[1.25, 1])
        left.plot(
            r, numbers["dimension_population"].values, color="black", label=f"all {numbers.attrs['images']} digits"
        )
        right.plot(r, numbers["information"].values, color="black", label="I(r) of all digits (sum rule)")
        for i, n in enumerate(numbers["n"].values):
            color, marker = f"C{i}", "os^"[i]
            left.plot(r, numbers["dimension_empirical"].values[i], color=color, label=f"empirical score, N = {n}")
            left.errorbar(
                coarse,
                numbers["dimension_network"].values[i],
                numbers["dimension_network_stderr"].values[i],
                color=color,
                marker=marker,
                ls="none",
                mfc="white",
                label=f"network, N = {n}",
            )
            r_c = float(numbers["collapse"].values[i])
            left.axvline(r_c, color=color, ls=":", lw=1.2)
            right.plot([r.min(), r_c, r_c], [np.log(n), np.log(n), 0], color=color, ls=":", lw=1.2)
            right.plot(r_c, np.log(n), color=color, marker=marker, ls="none", label=f"N = {n}: r_c = {r_c:.3g}")
        left.plot([], [], color="black", ls=":", lw=1.2, label="predicted collapse r_c")
        left.set(xlim=(1e-2, 3e2), ylim=(0.03, 80), xlabel="noise ratio r (mean pixel variance = 1)")
        left.set(xscale="log", yscale="log", ylabel="dimension d(r)")
        left.set_title("(a) dimension at scale r: the empirical score collapses, networks may generalize")
        right.set(xscale="log", xlim=(1e-2, 3e2), ylim=(0, 8), xlabel="noise ratio r (mean pixel variance = 1)")
        right.set_ylabel("information I(r)  [nats]")
        right.set_title("(b) collapse: I(r_c) = ln N")
        right.legend(loc="upper right")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=4)
        return figure


FIGURE = Figure("digits-dimension", PRESETS, compute, _picture, lambda numbers: {"predicted": predictions(numbers)})
draw = FIGURE.draw
