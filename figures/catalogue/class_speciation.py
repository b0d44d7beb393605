"""Speciation on real classes: when the reverse process decides between two digits.

Ones and eights of MNIST (of scikit-learn's digits where MNIST is not installed), pixels in [0, 1], in the convention
of arXiv 2402.18491: Λ, the largest eigenvalue of the data's covariance, gives t_S = ½ ln Λ in Ornstein–Uhlenbeck time.
Measured: φ, the probability that two clones branched at t end in the same class, for the exact empirical score by
clones and by the class weights of its posterior; theory: a mixture of two Gaussians with the means of the classes and
their pooled covariance; and clones of a network, told apart by their nearest training points.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import Array, one_of
from ...conventions.estimate import Estimate, fraction
from ...manifolds import ImageSet, Linear, Mixture, digits, mnist
from ...theory import OrnsteinUhlenbeck, clone_probability, speciation
from ..comparison import Agreement, Row, agreement, recorded
from ..network_runs import Run, trained
from ..results import provenance, save, writable
from ..stages import tracked

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

NAME = "class-speciation"
CLASSES = (1, 8)
TIMES = np.linspace(0.2, 2.4, 12)  # Ornstein–Uhlenbeck time
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"n": 4000, "pairs": 1000, "network": {"width": 256, "batch_size": 128, "steps": 3000}, "grid": 16,
              "network_pairs": 200},
    "paper": {"n": 10000, "pairs": 10000, "network": {"width": 512, "batch_size": 256, "steps": 40_000}, "grid": 60,
              "network_pairs": 2000},
}  # fmt: skip


def draw(out: Path, preset: str = "quick", seed: int = 0) -> list[Path]:
    """Computes and writes the figure; the quick preset takes about three minutes."""
    one_of(preset, PRESETS, "preset")
    writable(out)
    numbers = compute(out, preset, seed)
    rows, agreed = comparison(numbers)
    record = provenance(figure=NAME, preset=preset, seed=seed, source="arXiv 2402.18491", **recorded(rows, agreed))
    return save(out, NAME, _picture(numbers), numbers, record)


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


def compute(out: Path, preset: str, seed: int) -> "xarray.Dataset":
    """All numbers of the figure, over Ornstein–Uhlenbeck time."""
    import xarray

    from ...simulations import EmpiricalScore, class_clone_probability, clones

    size, r = PRESETS[preset], OrnsteinUhlenbeck().noise_ratio(TIMES)
    pair = two_classes(size["n"], seed)
    labels = np.asarray(pair.labels)
    law = gaussian_classes(pair)
    rng = np.random.default_rng([seed, 1])
    met = clones(EmpiricalScore(pair.points), r, rng, size["pairs"], labels=labels).same_class
    weights = class_clone_probability(pair.points, labels, r, rng, size["pairs"])
    network = _network_clones(pair, out, preset, seed, r)
    measured = {"clones": met, "weights": weights, "network": network}
    variance = pair.leading_variance()
    return xarray.Dataset(
        {"theory": ("time", clone_probability(law, r))}
        | {name: ("time", np.asarray(value.mean)) for name, value in measured.items()}  # type: ignore[union-attr]
        | {f"{name}_se": ("time", np.asarray(value.stderr)) for name, value in measured.items()},  # type: ignore[union-attr]
        coords={"time": TIMES, "noise_ratio": ("time", r)},
        attrs={
            "data": pair.name,
            "n": len(pair),
            "leading_variance": variance,
            "leading_variance_se": _variance_error(pair),
            "speciation_time": 0.5 * np.log(variance),
            "mixture_time": _time_or_nan(law),
        },
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


def _network_clones(pair: ImageSet, out: Path, preset: str, seed: int, r: Array) -> Estimate:
    """Fraction of pairs of ancestral trajectories of a network, branched at each r, that end in the same class."""
    from ...models import TrainingConfig

    size = PRESETS[preset]
    config = TrainingConfig.quick(sigma_min=0.05, sigma_max=15.0, learning_rate=1e-3, seed=seed, **size["network"])
    directory = out / "networks" / f"{NAME}-{pair.name}-{len(pair)}-{preset}-{seed}"
    (network,) = trained([Run(pair.points, config, directory)], "network")
    rng, pairs = np.random.default_rng([seed, 2]), size["network_pairs"]
    same = np.empty((r.size, pairs), dtype=bool)
    for i, ratio in enumerate(tracked(r, "clones of the network")):
        clean = pair.points[rng.integers(len(pair), size=pairs)]
        x = clean + np.sqrt(ratio) * rng.standard_normal(clean.shape)
        one, other = (_end_class(network, x, float(ratio), pair, size["grid"], rng) for _ in range(2))
        same[i] = one == other
    return fraction(same)


def _end_class(
    network: Any, x: Array, r: float, pair: ImageSet, grid: int, rng: np.random.Generator
) -> NDArray[np.integer[Any]]:
    """The class (n,) of the nearest training points of the ends of ancestral trajectories from x (n, D) at r."""
    from ...simulations import reverse, two_nearest

    end = reverse(network, x, np.append(np.geomspace(r, 0.005, grid), 0.0), rng, "ancestral").x[-1]
    return np.asarray(pair.labels)[two_nearest(end, pair.points).which[:, 0]]


def comparison(numbers: "xarray.Dataset") -> tuple[list[Row], list[Agreement]]:
    """Λ, the speciation times and φ on the three legs; agreement before, around and after the decision."""
    t, theory, t_s = numbers["time"].values, numbers["theory"].values, numbers.attrs["speciation_time"]
    variance = Estimate(numbers.attrs["leading_variance"], numbers.attrs["leading_variance_se"])
    rows = [
        Row("Λ of the data, pixels in [0, 1]", None, variance),
        Row("t_S = ½ ln Λ", None, Estimate(t_s, variance.stderr / (2 * variance.mean))),
    ]
    for i, time in enumerate(t):
        empirical = Estimate(float(numbers["weights"].values[i]), float(numbers["weights_se"].values[i]))
        network = Estimate(float(numbers["network"].values[i]), float(numbers["network_se"].values[i]))
        rows.append(Row(f"φ at t = {time:.1f}", float(theory[i]), empirical, network))
    one_class = np.full(t.size, 1 - float(theory.min()))  # from independent ends to certainty
    parts = {"undecided, t > t_S + ½": t > t_s + 0.5, "speciation, |t - t_S| ≤ ½": np.abs(t - t_s) <= 0.5,
             "decided, t < t_S - ½": t < t_s - 0.5}  # fmt: skip
    agreed = [
        Agreement(
            f"{CLASSES[0]} and {CLASSES[1]} of {numbers.attrs['data']}",
            name,
            agreement(numbers["weights"].values, theory, one_class, where),
            agreement(numbers["network"].values, theory, one_class, where),
            None,
        )
        for name, where in parts.items()
    ]
    return rows, agreed


def _picture(numbers: "xarray.Dataset") -> "Figure":
    from matplotlib import pyplot

    from ..drawing.style import styled

    t, attributes = numbers["time"].values, numbers.attrs
    with styled():
        figure, axis = pyplot.subplots(figsize=(6.4, 4.4))
        axis.plot(t, numbers["theory"].values, color="black", label="two Gaussians, pooled covariance (theory)")
        shown = {
            "weights": ("C2", "^", "empirical score, class weights"),
            "clones": ("C0", "o", "empirical score, exact clones"),
            "network": ("C1", "s", "network, clones"),
        }
        for name, (color, marker, label) in shown.items():
            values = numbers[name].values, numbers[f"{name}_se"].values
            axis.errorbar(t, *values, color=color, marker=marker, ls="none", mfc="white", label=label)
        t_s = attributes["speciation_time"]
        axis.axvline(t_s, color="black", ls=":", label=f"$t_S$ = ½ ln Λ = {t_s:.3f}")
        if np.isfinite(attributes["mixture_time"]):
            axis.axvline(attributes["mixture_time"], color="0.5", ls="--", label="speciation of the two Gaussians")
        axis.set(xlim=(0, t.max() + 0.1), ylim=(0.45, 1.03), xlabel="Ornstein–Uhlenbeck time t")
        axis.set_ylabel("probability φ that clones end in one class")
        axis.set_title(f"{CLASSES[0]} and {CLASSES[1]} of {attributes['data']}, N = {attributes['n']}")
        axis.legend(loc="upper right")
        return figure
