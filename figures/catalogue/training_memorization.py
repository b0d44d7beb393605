"""Memorization during training: when a network generalizes, when it begins to copy, and with how many weights.

Points on the sphere S⁵ in R⁸, training at a constant rate. Along the way the network is compared with the
population's score, ½ ∫ E r|s - s_pop|² d ln r in nats at fresh points (the information that it loses, I-MMSE), and
samples it generates are compared with the training points. arXiv 2505.17638 finds that the time τ_gen to generalize
does not depend on N while the time τ_mem to memorize grows as N.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.arguments import Array, one_of
from ...conventions.estimate import Estimate
from ...manifolds import Sphere
from ...theory import collapse
from ..comparison import COLLAPSED, GENERALIZING, Agreement, Row, recorded
from ..network_runs import side_by_side
from ..results import provenance, save, writable
from ..stages import tracked

if TYPE_CHECKING:
    import xarray

    from ...models import ScoreNetwork

NAME = "training-memorization"
LAW = Sphere(5, ambient_dim=8)
RATIOS = np.geomspace(0.02, 2.0, 9)  # of the error in nats: the largest N collapses below
GENERATION = np.append(np.geomspace(9.0, 1e-3, 25), 0.0)  # noise ratios of generated samples, and their end
LEVEL_GEN, LEVEL_MEM = 1.0, 0.25  # nats lost; fraction of samples that are copies
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"sizes": (64, 128, 256, 512), "steps": 10000, "moments": 12, "batch": 256, "samples": 300,
              "widths": (8, 16, 32, 64), "capacity_steps": 3000},
    "paper": {"sizes": (64, 128, 256, 512, 1024, 2048), "steps": 200_000, "moments": 24, "batch": 512, "samples": 4000,
              "widths": (8, 16, 32, 64, 128, 256), "capacity_steps": 40_000},
}  # fmt: skip


def draw(out: Path, preset: str = "quick", seed: int = 0) -> list[Path]:
    """Computes and writes the figure; the quick preset takes about ten minutes on two cores."""
    one_of(preset, PRESETS, "preset")
    from ..drawing.training_pictures import picture

    writable(out)
    numbers = compute(out, preset, seed)
    rows, agreed = comparison(numbers)
    record = provenance(figure=NAME, preset=preset, seed=seed, source="arXiv 2505.17638", **recorded(rows, agreed))
    return save(out, NAME, picture(numbers), numbers, record)


def compute(out: Path, preset: str, seed: int) -> "xarray.Dataset":
    """Errors and memorized fractions over (n, step), and the memorized share over (width, n)."""
    import xarray

    size = PRESETS[preset]
    steps = moments(size["steps"], size["moments"])
    folder = out / "networks" / f"{NAME}-{preset}-{seed}"
    followed = [partial(follow, folder / f"{n}", size["batch"], n, seed, list(steps)) for n in size["sizes"]]
    small = [
        partial(follow, folder / f"{n}-{width}", size["batch"], n, seed, [size["capacity_steps"]], width)
        for width in size["widths"]
        for n in size["sizes"]
    ]
    side_by_side(followed[::-1] + small[::-1], f"{len(followed) + len(small)} networks")  # the longest first
    shape = (len(size["sizes"]), steps.size)
    fields = {name: np.empty(shape) for name in ("error", "error_se", "memorized", "memorized_se")}
    for i, n in enumerate(tracked(size["sizes"], "along training")):
        for j, step in enumerate(steps):
            network = _at(folder / f"{n}", int(step))
            fields["error"][i, j], fields["error_se"][i, j] = lost_information(network, seed)
            copies = copied(network, training_points(n, seed), size["samples"], seed)
            fields["memorized"][i, j], fields["memorized_se"][i, j] = copies
    share = np.array(
        [
            [memorized_share(_at(folder / f"{n}-{width}", size["capacity_steps"]), n, seed) for n in size["sizes"]]
            for width in tracked(size["widths"], "capacity")
        ]
    )
    limits = [lost_information(_empirical(n, seed), seed) for n in size["sizes"]]
    return xarray.Dataset(
        {name: (("n", "step"), values) for name, values in fields.items()}
        | {
            "empirical_error": ("n", [limit.mean for limit in limits]),
            "empirical_error_se": ("n", [limit.stderr for limit in limits]),
            "share": (("width", "n"), share[..., 0]),
            "share_se": (("width", "n"), share[..., 1]),
            "weights": ("width", [_weights(folder / f"{size['sizes'][0]}-{w}") for w in size["widths"]]),
            "collapse": ("n", [collapse(LAW, log_n=np.log(n)) for n in size["sizes"]]),
        },
        coords={"n": list(size["sizes"]), "step": steps, "width": list(size["widths"])},
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


def exponent(n: Array, times: list[float | None]) -> Estimate | None:
    """Slope of ln τ against ln N by least squares, with its standard error; None with fewer than three times."""
    known = [i for i, time in enumerate(times) if time is not None]
    if len(known) < 3:
        return None
    x, y = np.log(n[known]), np.log(np.array([times[i] for i in known], dtype=float))
    slope, offset = np.polyfit(x, y, 1)
    residual = y - slope * x - offset
    return Estimate(float(slope), float(np.sqrt(residual @ residual / (len(x) - 2) / np.sum((x - x.mean()) ** 2))))


def times(numbers: "xarray.Dataset") -> dict[str, list[float | None]]:
    """τ_gen and τ_mem in steps for each N: where the lost information falls to, the copies rise to, their level."""
    steps = numbers["step"].values.astype(float)
    return {
        "gen": [first_step(steps, -error, -LEVEL_GEN) for error in numbers["error"].values],
        "mem": [first_step(steps, copies, LEVEL_MEM) for copies in numbers["memorized"].values],
    }


def comparison(numbers: "xarray.Dataset") -> tuple[list[Row], list[Agreement]]:
    """Exponents and times; agreement of the fraction of copies before and after memorization."""
    n, tau = numbers["n"].values, times(numbers)
    rows = [
        Row("exponent of τ_gen in N", 0.0, None, exponent(n, tau["gen"])),
        Row("exponent of τ_mem in N", 1.0, None, exponent(n, tau["mem"])),
    ]
    agreed = []
    for i, size in enumerate(n):
        last = Estimate(float(numbers["error"].values[i, -1]), float(numbers["error_se"].values[i, -1]))
        limit = Estimate(float(numbers["empirical_error"].values[i]), float(numbers["empirical_error_se"].values[i]))
        rows.append(Row(f"N = {size}: information lost after training [nats]", None, limit, last))
        rows += [Row(f"N = {size}: τ_{name} [steps]", None, None, _time(numbers, i, name)) for name in tau]
        agreed += _copies_agree(numbers, i, tau["mem"][i])
    return rows, agreed


def _time(numbers: "xarray.Dataset", i: int, name: str) -> Estimate | None:
    """A time and its error: half of how much later it is for values one standard error lower than for higher ones."""
    field, sign, level = {"gen": ("error", -1, -LEVEL_GEN), "mem": ("memorized", 1, LEVEL_MEM)}[name]
    steps, error = numbers["step"].values.astype(float), numbers[f"{field}_se"].values[i]
    values = sign * numbers[field].values[i]
    late, time, early = (first_step(steps, values + shift * error, level) for shift in (-1, 0, 1))
    if time is None:
        return None
    return Estimate(time, 0.5 * ((late or steps[-1]) - (early or steps[0])))


def _copies_agree(numbers: "xarray.Dataset", i: int, memorized: float | None) -> list[Agreement]:
    """1 - mean |f - f*|: f* = 0, the population's, before τ_mem, and 1, the empirical score's, well after it."""
    steps, copies = numbers["step"].values, numbers["memorized"].values[i]
    case, end = f"N = {int(numbers['n'].values[i])}", np.inf if memorized is None else memorized
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
