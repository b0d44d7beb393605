"""Memorization during training: when a network generalizes, when it begins to copy, and with how many weights.

Points on the sphere S⁵ in R⁸, training at a constant rate. Along the way the network is compared with the
population's score, ½ ∫ E r|s - s_pop|² d ln r in nats at fresh points (the information that it loses, I-MMSE), and
samples it generates are compared with the training points. arXiv 2505.17638 finds that the time τ_gen to generalize
does not depend on N while the time τ_mem to memorize grows as N.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.arguments import Array
from ...conventions.datasets import dataset, stacked
from ...conventions.estimate import Estimate
from ...conventions.progress import tracked
from ...manifolds import Sphere
from ...theory import collapse
from ..comparison import COLLAPSED, GENERALIZING, Agreement, QuantityByLeg, recorded
from ..drawing.training_pictures import picture
from ..figure import Figure, Preset
from ..network_runs import side_by_side

if TYPE_CHECKING:
    import xarray

    from ...models import ScoreNetwork

NAME = "training-memorization"
LAW = Sphere(5, ambient_dim=8)
RATIOS = np.geomspace(0.02, 2.0, 9)  # of the error in nats: the largest N collapses below
GENERATION = np.append(np.geomspace(9.0, 1e-3, 25), 0.0)  # noise ratios of generated samples, and their end
LEVEL_GEN, LEVEL_MEM = 1.0, 0.25  # nats lost; fraction of samples that are copies
EVENTS = {"generalization": ("lost_information", -1.0, LEVEL_GEN), "memorization": ("memorized", 1.0, LEVEL_MEM)}
MEANINGS = {
    "lost_information": ("information lost, ½ ∫ E r|s - s_pop|² d ln r", "nat"),
    "lost_information_empirical": ("information lost by the empirical score", "nat"),
    "share": ("share of memory at r = r_c/2: 0 the population's score, 1 the empirical score", "1"),
    "weights": ("number of weights of the network", "1"),
    "event": ("when a network generalizes, and when it begins to copy", "1"),
    "event_time": ("training step at which the level of the event is reached", "1"),
    "exponent": ("exponent of the time of the event in N", "1"),
    "level": ("level of the event: information lost in nats, fraction of copies", "1"),
}


@dataclass(frozen=True)
class Sizes(Preset):
    """How long and how often is looked.

    Attributes:
        sizes: numbers of points N.
        steps, moments: length of the training, and how often it is looked at.
        batch: points in a step.
        samples: generated each time.
        widths, capacity_steps: of the networks of the last panel.
    """

    sizes: tuple[int, ...]
    steps: int
    moments: int
    batch: int
    samples: int
    widths: tuple[int, ...]
    capacity_steps: int


PRESETS = (
    Sizes("quick", (64, 128, 256, 512), 10000, 12, batch=256, samples=300, widths=(8, 16, 32, 64), capacity_steps=3000),
    Sizes(
        "paper", (64, 128, 256, 512, 1024, 2048), 200_000, 24,
        batch=512, samples=4000, widths=(8, 16, 32, 64, 128, 256), capacity_steps=40_000,
    ),
)  # fmt: skip


def compute(size: Sizes, out: Path, seed: int) -> "xarray.Dataset":
    """Errors and memorized fractions over (n, step), their times, and the memorized share over (width, n).

    The quick preset takes about ten minutes on two cores.
    """
    steps = moments(size.steps, size.moments)
    folder = out / "networks" / f"{NAME}-{size.name}-{seed}"
    followed = [partial(follow, folder / f"{n}", size.batch, n, seed, list(steps)) for n in size.sizes]
    small = [
        partial(follow, folder / f"{n}-{width}", size.batch, n, seed, [size.capacity_steps], width)
        for width in size.widths
        for n in size.sizes
    ]
    side_by_side(followed[::-1] + small[::-1], f"{len(followed) + len(small)} networks")  # the longest first
    lost, copies = [], []
    for n in tracked(size.sizes, "along training"):
        networks = [_at(folder / f"{n}", int(step)) for step in steps]
        lost.append(stacked(lost_information(network, seed) for network in networks))
        copies.append(stacked(copied(network, training_points(n, seed), size.samples, seed) for network in networks))
    share = [
        stacked(memorized_share(_at(folder / f"{n}-{width}", size.capacity_steps), n, seed) for n in size.sizes)
        for width in tracked(size.widths, "capacity")
    ]
    found = {"lost_information": stacked(lost), "memorized": stacked(copies)}
    times = stacked(
        stacked(crossing_time(steps, found[name].mean[i], found[name].stderr[i], sign, level) for i in range(len(lost)))
        for name, sign, level in EVENTS.values()
    )
    return dataset(
        {name: (("n", "step"), values) for name, values in found.items()}
        | {
            "lost_information_empirical": (
                "n",
                stacked(lost_information(_empirical(n, seed), seed) for n in size.sizes),
            ),
            "event_time": (("event", "n"), times),
            "exponent": ("event", stacked(exponent(np.array(size.sizes), tau) for tau in times.mean)),
            "level": ("event", [level for _, _, level in EVENTS.values()]),
            "share": (("width", "n"), stacked(share)),
            "weights": ("width", [_weights(folder / f"{size.sizes[0]}-{w}") for w in size.widths]),
            "collapse": ("n", [collapse(LAW, log_n=np.log(n)) for n in size.sizes]),
        },
        {"n": list(size.sizes), "step": steps, "width": list(size.widths), "event": list(EVENTS)},
        MEANINGS,
    )


def moments(steps: int, count: int) -> Array:
    """Steps of training at which it is looked at: `count` of them, geometric from 20 to `steps`."""
    return np.unique(np.rint(np.geomspace(min(20, steps), steps, count)).astype(int))


def training_points(n: int, seed: int) -> Array:
    """The N training points, nested in N."""
    return LAW.sample(n, np.random.default_rng([seed, 0]))


def follow(directory: Path, batch: int, n: int, seed: int, steps: list[int], width: int = 128) -> None:
    """Trains on N points and leaves the averaged network of each of `steps` in a folder of its own.

    Interrupted, it is taken up at the last of these. The rate is constant, and the average short, so that a network
    is that of its step.
    """
    import torch

    from ...models import TrainingConfig
    from ...models.training.noised_batches import NoisedBatches
    from ...models.training.run import TrainingRun
    from ...models.training.run_directory import RunDirectory, identity

    torch.set_num_threads(1)
    points = training_points(n, seed)
    config = TrainingConfig.quick(
        steps=steps[-1], width=width, batch_size=batch, decay=0.0, ema=0.99, learning_rate=1e-3,
        sigma_min=0.03, sigma_max=3.0, seed=seed,
    )  # fmt: skip
    run = TrainingRun(NoisedBatches(points, config), config, torch.device("cpu"))
    store = RunDirectory(directory, identity(points, config, None))
    store.resume(run)
    for step in steps:
        if run.step >= step:
            continue
        while run.step < step:
            loss = run.advance()
        run.score_network("cpu").save(directory / f"step-{step}")
        store.log(run, float(loss))
        store.save(run)


def lost_information(score: Any, seed: int, points: int = 400) -> Estimate:
    """½ ∫ E r|s - s_pop|² d ln r over `RATIOS` at fresh points, in nats, with its standard error over points."""
    from ...probes import score_error

    fresh = LAW.sample(points, np.random.default_rng([seed, 1]))
    error = score_error(score, LAW, fresh, RATIOS, np.random.default_rng([seed, 2]))
    # the same points and noise at every ratio: their errors add up, at most
    return Estimate(*(0.5 * float(np.trapezoid(part, np.log(RATIOS))) for part in error))


def copied(score: Any, training: Array, samples: int, seed: int) -> Estimate:
    """Fraction of samples, generated by the probability flow from the largest ratio down to 0, that are copies."""
    from ...simulations import memorized_fraction, reverse

    rng = np.random.default_rng([seed, 3])
    start = LAW.sample(samples, rng) + np.sqrt(GENERATION[0]) * rng.standard_normal((samples, LAW.ambient_dim))
    return memorized_fraction(reverse(score, start, GENERATION, rng, "ode").x[-1], training)


def memorized_share(network: "ScoreNetwork", n: int, seed: int, points: int = 400) -> Estimate:
    """Where a network stands at noised training points at r = r_c/2: 0 at the population, 1 at the empirical score."""
    from ...probes import share_of_memory

    training = training_points(n, seed)
    clean = training[np.arange(points) % n]
    r = collapse(LAW, log_n=np.log(n)) / 2
    return share_of_memory(network, LAW, _empirical(n, seed), clean, r, np.random.default_rng([seed, 4])).memorized


def first_step(steps: Array, values: Array, level: float) -> float | None:
    """First step at which `values` rise to `level`, linear in ln step between two; None if they never do."""
    above = np.flatnonzero(values >= level)
    if not len(above) or above[0] == 0:
        return None
    j = above[0]
    weight = (level - values[j - 1]) / (values[j] - values[j - 1])
    return float(steps[j - 1] * (steps[j] / steps[j - 1]) ** weight)


def crossing_time(steps: Array, values: Array, error: Array, sign: float, level: float) -> Estimate:
    """First step at which `values` rise (sign 1) or fall (-1) to `level`; NaN if they never do.

    Its error: half of how much later it is for values one standard error farther from the level than for nearer ones.
    """
    at = steps.astype(float)
    late, time, early = (first_step(at, sign * values + shift * error, sign * level) for shift in (-1, 0, 1))
    if time is None:
        return Estimate(np.nan, np.nan)
    return Estimate(time, 0.5 * ((late or at[-1]) - (early or at[0])))


def exponent(n: Array, times: Array) -> Estimate:
    """Slope of ln τ against ln N by least squares, with its standard error; NaN with fewer than three times."""
    known = np.isfinite(times)
    if known.sum() < 3:
        return Estimate(np.nan, np.nan)
    x, y = np.log(n[known]), np.log(times[known])
    slope, offset = np.polyfit(x, y, 1)
    residual = y - slope * x - offset
    return Estimate(float(slope), float(np.sqrt(residual @ residual / (len(x) - 2) / np.sum((x - x.mean()) ** 2))))


def comparison(numbers: "xarray.Dataset") -> tuple[list[QuantityByLeg], list[Agreement]]:
    """Exponents and times; agreement of the fraction of copies before and after memorization."""

    def measured(name: str, **at: Any) -> Estimate | None:
        mean, stderr = (float(numbers[part].sel(at)) for part in (name, f"{name}_stderr"))
        return None if np.isnan(mean) else Estimate(mean, stderr)

    symbols = {"generalization": "τ_gen", "memorization": "τ_mem"}
    rows = [
        QuantityByLeg(f"exponent of {symbols[event]} in N", predicted, None, measured("exponent", event=event))
        for event, predicted in (("generalization", 0.0), ("memorization", 1.0))
    ]
    agreed = []
    for n in numbers["n"].values:
        last = measured("lost_information", n=n, step=numbers["step"].values[-1])
        limit = measured("lost_information_empirical", n=n)
        rows.append(QuantityByLeg(f"N = {n}: information lost after training [nats]", None, limit, last))
        rows += [
            QuantityByLeg(f"N = {n}: {symbol} [steps]", None, None, measured("event_time", event=event, n=n))
            for event, symbol in symbols.items()
        ]
        agreed += _copies_agree(numbers.sel(n=n))
    return rows, agreed


def _copies_agree(one: "xarray.Dataset") -> list[Agreement]:
    """1 - mean |f - f*|: f* = 0, the population's, before τ_mem, and 1, the empirical score's, well after it."""
    steps, copies = one["step"].values, one["memorized"].values
    time = float(one["event_time"].sel(event="memorization"))
    case, end = f"N = {int(one['n'])}", np.inf if np.isnan(time) else time
    before, after = copies[steps < end], copies[steps > 3 * end]
    return [
        Agreement(case, f"{GENERALIZING}, before τ_mem", None, None, float(1 - before.mean()) if before.size else None),
        Agreement(case, f"{COLLAPSED}, after 3 τ_mem", None, float(after.mean()) if after.size else None, None),
    ]


def _at(directory: Path, step: int) -> "ScoreNetwork":
    from ...models import ScoreNetwork

    return ScoreNetwork.load(directory / f"step-{step}")


def _weights(directory: Path) -> int:
    network = _at(directory, int(max(int(path.name.split("-")[1]) for path in directory.glob("step-*")))).network
    return sum(parameter.numel() for parameter in network.parameters())


def _empirical(n: int, seed: int) -> Any:
    from ...simulations import EmpiricalScore

    return EmpiricalScore(training_points(n, seed))


def _remarks(numbers: "xarray.Dataset") -> dict[str, Any]:
    return {"source": "arXiv 2505.17638", **recorded(*comparison(numbers))}


FIGURE = Figure(NAME, PRESETS, compute, picture, _remarks)
draw = FIGURE.draw
