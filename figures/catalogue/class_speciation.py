"""Speciation on real classes: when the reverse process decides between two digits.

Ones and eights of MNIST (of scikit-learn's digits where MNIST is not installed), pixels in [0, 1], in the convention
of arXiv 2402.18491: Λ, the largest eigenvalue of the data's covariance, gives t_S = ½ ln Λ in Ornstein–Uhlenbeck time.
Measured: φ, the probability that two clones branched at t end in the same class, for the exact empirical score by
clones and by the class weights of its posterior; theory: a mixture of two Gaussians with the means of the classes and
their pooled covariance; and clones of a network, told apart by their nearest training points.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import Array
from ...conventions.datasets import dataset, stacked
from ...conventions.estimate import Estimate, fraction
from ...conventions.progress import tracked
from ...manifolds import ImageSet, Linear, Mixture, digits, mnist
from ...models import TrainingConfig
from ...theory import OrnsteinUhlenbeck, clone_probability, speciation
from ..comparison import Agreement, QuantityByLeg, agreement, recorded
from ..figure import Figure, Preset
from ..network_runs import NetworkRun, trained

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure as Picture

NAME = "class-speciation"
CLASSES = (1, 8)
TIMES = np.linspace(0.2, 2.4, 12)  # Ornstein–Uhlenbeck time
LEGS = ("empirical", "network")
NOISE = TrainingConfig.quick(sigma_min=0.05, sigma_max=15.0, learning_rate=1e-3)
MEANINGS = {
    "clone_probability_weights": ("probability that two clones end in one class, by class weights", "1"),
    "clone_probability_theory": ("probability that two clones end in one class, two Gaussians", "1"),
    "leading_variance": ("largest eigenvalue Λ of the covariance of the data", "1"),
    "speciation_time": ("speciation time ½ ln Λ", "1"),
    "mixture_time": ("speciation time of the two Gaussians", "1"),
}


@dataclass(frozen=True)
class Sizes(Preset):
    """Images; pairs of clones of the empirical score; the network, its pairs of clones and steps of these."""

    n: int
    pairs: int
    network: TrainingConfig
    network_pairs: int
    grid: int


PRESETS = (
    Sizes("quick", 4000, 1000, replace(NOISE, width=256, batch_size=128, steps=3000), network_pairs=200, grid=16),
    Sizes("paper", 10000, 10000, replace(NOISE, width=512, batch_size=256, steps=40_000), network_pairs=2000, grid=60),
)


def two_classes(n: int, seed: int) -> ImageSet:
    """At most `n` images of the two classes, pixel values in [0, 1] less their mean: of MNIST, else of digits()."""
    try:
        images = mnist()
    except ValueError:  # not installed; the figure names the set that it shows
        images = digits()
    pair = images.of_class(*CLASSES)
    pair = pair.subset(min(n, len(pair)), seed)
    pixels = (pair.points - pair.mean) * pair.scale
    return ImageSet(images.name, pixels, pair.labels, pair.image_shape)


def compute(size: Sizes, out: Path, seed: int) -> "xarray.Dataset":
    """All numbers of the figure, over Ornstein–Uhlenbeck time; the quick preset takes about three minutes."""
    from ...simulations import EmpiricalScore, class_clone_probability, clones

    r = OrnsteinUhlenbeck().noise_ratio(TIMES)
    pair = two_classes(size.n, seed)
    labels = np.asarray(pair.labels)
    law = gaussian_classes(pair)
    rng = np.random.default_rng([seed, 1])
    met = clones(EmpiricalScore(pair.points), r, rng, size.pairs, labels=labels).same_class
    weights = class_clone_probability(pair.points, labels, r, rng, size.pairs)
    network = _network_clones(pair, size, out, seed, r)
    variance = pair.leading_variance()
    assert met is not None  # labels were given
    return dataset(
        {
            "clone_probability": (("leg", "t"), stacked([met, network])),
            "clone_probability_weights": ("t", weights),
            "clone_probability_theory": ("t", clone_probability(law, r)),
            "leading_variance": ((), Estimate(variance, _variance_error(pair))),
            "speciation_time": ((), 0.5 * np.log(variance)),
            "mixture_time": ((), _time_or_nan(law)),
        },
        {"leg": list(LEGS), "t": TIMES, "r": ("t", r)},
        MEANINGS,
        data=pair.name,
        n=len(pair),
    )


def gaussian_classes(pair: ImageSet) -> Mixture:
    """Two Gaussians with the means, the shares and the pooled covariance of the classes."""
    parts = [pair.of_class(k) for k in CLASSES]
    weights = np.array([len(part) for part in parts]) / len(pair)
    within = ImageSet("within", np.concatenate([part.points - part.mean for part in parts]), None, pair.image_shape)
    spread = within.gaussian
    return Mixture(
        [Linear(spread.variances, basis=spread.embedding.basis, centre=part.mean) for part in parts], weights
    )


def _time_or_nan(law: Mixture) -> float:
    """Speciation of the mixture in Ornstein–Uhlenbeck time; NaN where its classes are apart at any noise or none."""
    try:
        return float(OrnsteinUhlenbeck().time(speciation(law)))
    except ValueError:
        return float("nan")


def _variance_error(pair: ImageSet) -> float:
    """Standard error of Λ: std(p²)/√N with p the projection on the leading direction (docs/data.md)."""
    projection = (pair.points - pair.mean) @ pair.direction(0)
    return float(np.std(projection**2) / np.sqrt(len(pair)))


def _network_clones(pair: ImageSet, size: Sizes, out: Path, seed: int, r: Array) -> Estimate:
    """Fraction of pairs of ancestral trajectories of a network, branched at each r, that end in the same class."""
    directory = out / "networks" / f"{NAME}-{pair.name}-{len(pair)}-{size.name}-{seed}"
    (network,) = trained([NetworkRun(pair.points, replace(size.network, seed=seed), directory)], "network")
    rng, pairs = np.random.default_rng([seed, 2]), size.network_pairs
    same = np.empty((r.size, pairs), dtype=bool)
    for i, ratio in enumerate(tracked(r, "clones of the network")):
        clean = pair.points[rng.integers(len(pair), size=pairs)]
        x = clean + np.sqrt(ratio) * rng.standard_normal(clean.shape)
        one, other = (_end_class(network, x, float(ratio), pair, size.grid, rng) for _ in range(2))
        same[i] = one == other
    return fraction(same)


def _end_class(
    network: Any, x: Array, r: float, pair: ImageSet, grid: int, rng: np.random.Generator
) -> NDArray[np.integer[Any]]:
    """The class (n,) of the nearest training points of the ends of ancestral trajectories from x (n, D) at r."""
    from ...simulations import reverse, two_nearest

    end = reverse(network, x, np.append(np.geomspace(r, 0.005, grid), 0.0), rng, "ancestral").x[-1]
    return np.asarray(pair.labels)[two_nearest(end, pair.points).which[:, 0]]


def comparison(numbers: "xarray.Dataset") -> tuple[list[QuantityByLeg], list[Agreement]]:
    """Λ, the speciation times and φ on the three legs; agreement before, around and after the decision."""
    t, theory, t_s = numbers["t"].values, numbers["clone_probability_theory"].values, float(numbers["speciation_time"])
    variance = Estimate(float(numbers["leading_variance"]), float(numbers["leading_variance_stderr"]))
    measured = _measured(numbers)
    empirical, learned = measured["weights"], measured["network"]
    rows = [
        QuantityByLeg("Λ of the data, pixels in [0, 1]", None, variance),
        QuantityByLeg("t_S = ½ ln Λ", None, Estimate(t_s, variance.stderr / (2 * variance.mean))),
    ]
    for i, time in enumerate(t):
        legs = [Estimate(float(mean[i]), float(stderr[i])) for mean, stderr in (empirical, learned)]
        rows.append(QuantityByLeg(f"φ at t = {time:.1f}", float(theory[i]), *legs))
    one_class = np.full(t.size, 1 - float(theory.min()))  # from independent ends to certainty
    parts = {"undecided, t > t_S + ½": t > t_s + 0.5, "speciation, |t - t_S| ≤ ½": np.abs(t - t_s) <= 0.5,
             "decided, t < t_S - ½": t < t_s - 0.5}  # fmt: skip
    agreed = [
        Agreement(
            f"{CLASSES[0]} and {CLASSES[1]} of {numbers.attrs['data']}",
            name,
            agreement(empirical.mean, theory, one_class, where),
            agreement(learned.mean, theory, one_class, where),
            None,
        )
        for name, where in parts.items()
    ]
    return rows, agreed


def _measured(numbers: "xarray.Dataset") -> dict[str, Estimate]:
    """φ(t) by the class weights and by clones of the empirical score, and by clones of the network."""
    clones = {"clones": numbers.sel(leg="empirical"), "network": numbers.sel(leg="network")}
    names = {"weights": "clone_probability_weights", "clones": "clone_probability", "network": "clone_probability"}
    return {
        key: Estimate(*(clones.get(key, numbers)[part].values for part in (name, f"{name}_stderr")))
        for key, name in names.items()
    }


def _picture(numbers: "xarray.Dataset") -> "Picture":
    from matplotlib import pyplot

    from ..drawing.style import styled

    t, attributes, measured = numbers["t"].values, numbers.attrs, _measured(numbers)
    with styled():
        figure, axis = pyplot.subplots(figsize=(6.4, 4.4))
        axis.plot(
            t,
            numbers["clone_probability_theory"].values,
            color="black",
            label="two Gaussians, pooled covariance (theory)",
        )
        shown = {
            "weights": ("C2", "^", "empirical score, class weights"),
            "clones": ("C0", "o", "empirical score, exact clones"),
            "network": ("C1", "s", "network, clones"),
        }
        for name, (color, marker, label) in shown.items():
            axis.errorbar(t, *measured[name], color=color, marker=marker, ls="none", mfc="white", label=label)
        t_s, mixture = float(numbers["speciation_time"]), float(numbers["mixture_time"])
        axis.axvline(t_s, color="black", ls=":", label=f"$t_S$ = ½ ln Λ = {t_s:.3f}")
        if np.isfinite(mixture):
            axis.axvline(mixture, color="0.5", ls="--", label="speciation of the two Gaussians")
        axis.set(xlim=(0, t.max() + 0.1), ylim=(0.45, 1.03), xlabel="Ornstein–Uhlenbeck time t")
        axis.set_ylabel("probability φ that clones end in one class")
        axis.set_title(f"{CLASSES[0]} and {CLASSES[1]} of {attributes['data']}, N = {attributes['n']}")
        axis.legend(loc="upper right")
        return figure


FIGURE = Figure(
    NAME, PRESETS, compute, _picture, lambda numbers: {"source": "arXiv 2402.18491", **recorded(*comparison(numbers))}
)
draw = FIGURE.draw
