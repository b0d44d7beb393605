"""One network on one data set, and its dimension curve beside the empirical score's and the population's."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

from ...conventions.arguments import Array, fail, one_of
from ...conventions.atomic_files import writable
from ...conventions.datasets import dataset, stacked
from ...conventions.progress import training
from ...manifolds.data_source import Source
from ...models import TrainingConfig
from ...simulations import EmpiricalScore
from ...theory import DDPM, collapse
from ..drawing.run_pictures import dimension_picture
from ..figure import Preset, chosen
from ..results import provenance, save

if TYPE_CHECKING:
    import xarray

    from ...models import ScoreNetwork

LEGS = ("empirical", "network")


@dataclass(frozen=True)
class Sizes(Preset):
    """Noised points at which the network's Jacobian is averaged."""

    probed: int


PRESETS = (Sizes("quick", 200), Sizes("paper", 1000))
RATIOS = 12
LARGEST_TRACE = 128  # dimensions up to which a trace takes all directions; beyond, `PROBES` random ones
PROBES = 32


def run(
    data: Source, n: int | None, preset: str, seed: int, out: Path, device: str = "cpu", **sizes: int | None
) -> tuple[dict[str, Any], list[Path]]:
    """Trains, or takes up, the network in `out`/networks/NAME; writes `out`/NAME: picture, numbers, record.

    `n`: default 1000, or all of a smaller set. `sizes`: steps and width, None for the preset's. Returns the record and
    the paths. ValueError for bad arguments before anything is written, and for a directory of another run.
    """
    size = chosen(PRESETS, preset)
    count = n if n is not None else min(1000, len(data.images) if data.images is not None else 1000)
    points = data.points(count, seed)
    if count < 2:
        raise fail("n", count, "must be ≥ 2")
    _available(device)
    r_c = None if data.law is None else collapse(data.law, log_n=math.log(count))
    changes = {name: value for name, value in sizes.items() if value is not None}
    r = shown_ratios(points, seed)
    config = configuration(data, points, preset, seed, float(r[0]), changes)
    name = "-".join(["train", data.slug, str(count), preset, str(seed), *(f"{k}{v}" for k, v in changes.items())])
    directory = writable(out) / "networks" / name
    network = _trained(points, config, directory, device)
    numbers = compared(data, points, network, r, size.probed, seed, r_c)
    record = provenance(
        command="train", source=data.name, n=count, preset=preset, seed=seed, device=device, network=str(directory),
        rows=rows(numbers), **numbers.attrs, **({} if r_c is None else {"collapse": r_c}),
    )  # fmt: skip
    return record, save(out, name, dimension_picture(numbers), numbers, record)


def shown_ratios(points: Array, seed: int) -> Array:
    """Noise ratios from a fifth of where the empirical score condenses (E Y = ½) to twice the largest variance."""
    score, largest = EmpiricalScore(points), _largest_variance(points)

    def excess(log_r: float) -> float:
        r, rng = math.exp(log_r), np.random.default_rng([seed, 3])
        return float(np.mean(score.participation(score.planted(r, rng, 128)[0], r))) - 0.5

    low, high = math.log(1e-8 * largest), math.log(2 * largest)
    # of very few points Y is never below ½
    half = math.exp(brentq(excess, low, high, xtol=0.05)) if excess(high) < 0 < excess(low) else 0.05 * largest
    return np.geomspace(half / 5, 2 * largest, RATIOS)


def configuration(
    data: Source, points: Array, preset: str, seed: int, smallest: float, changes: dict[str, Any]
) -> "TrainingConfig":
    """Parameters of the run: the preset's, with noise levels that hold the ratios shown.

    quick: a perceptron from σ = ½√r of the smallest ratio to ten times the largest deviation of the data. It returns
    the clean point: "v" may miss a direction (docs/experiments.md), and the part of x that it passes on would have to
    be undone in all D of them. paper: arXiv 2410.08727, for pictures with their U-Net.
    """
    if preset == "paper" and data.images is not None and data.images.image_shape[1] > 1:
        width = changes.pop("width", None)
        config = TrainingConfig.paper_images(data.images.image_shape, seed=seed, **changes)
        assert config.unet is not None
        return config if width is None else replace(config, unet=replace(config.unet, width=width))
    if preset == "paper":
        return TrainingConfig.paper(seed=seed, **changes)
    noise = {"sigma_min": 0.5 * math.sqrt(smallest), "sigma_max": 10 * math.sqrt(_largest_variance(points))}
    return TrainingConfig.quick(seed=seed, predicts="x0", loss_on="v", **noise, **changes)


def _trained(points: Array, config: "TrainingConfig", directory: Path, device: str) -> "ScoreNetwork":
    from ...models import train

    process = None if config.unet is None else DDPM()
    with training(True, f"network on N = {len(points)} points", config.steps) as report:
        return train(points, config, directory, process, progress=report, device=device)


def compared(
    data: Source, points: Array, network: "ScoreNetwork", r: Array, probed: int, seed: int, r_c: float | None
) -> "xarray.Dataset":
    """d(r) of the network at noised training points, of the empirical score, and of the population.

    The population is the law, or the empirical score of a whole set of more than the N images.
    """
    rng = np.random.default_rng([seed, 1])
    clean = points[rng.permutation(len(points))[:probed]]
    clean = np.concatenate([clean] * -(-probed // len(clean)))  # few points: more noise for each
    probes = None if points.shape[1] <= LARGEST_TRACE else PROBES
    curves = {
        "network": network.dimension(r, rng, points=clean, probes=probes),
        "empirical": EmpiricalScore(points).dimension(r, np.random.default_rng([seed, 2])),
    }
    variables: dict[str, tuple[Any, Any]] = {"dimension": (("leg", "r"), stacked(curves[leg] for leg in LEGS))}
    attributes: dict[str, Any] = {}
    if data.law is not None:
        variables["dimension_population"] = ("r", data.law.dimension(r))
        attributes["population"] = "population"
    elif data.images is not None and len(data.images) > len(points):
        whole = EmpiricalScore(data.images.points, dtype="float32").dimension(r, np.random.default_rng([seed, 2]))
        variables["dimension_population"] = ("r", whole)
        attributes["population"] = f"empirical score, all {len(data.images)}"
    if r_c is not None:
        variables["collapse"] = ((), r_c)
    return dataset(variables, {"leg": list(LEGS), "r": r}, **attributes)


def rows(numbers: "xarray.Dataset") -> list[dict[str, float]]:
    """One row for each noise ratio."""
    columns = {
        f"{leg}{suffix}": numbers[f"dimension{suffix}"].sel(leg=leg).values
        for leg in ("network", "empirical")
        for suffix in ("", "_stderr")
    }
    for suffix in ("", "_stderr"):
        if f"dimension_population{suffix}" in numbers:
            columns[f"population{suffix}"] = numbers[f"dimension_population{suffix}"].values
    return [
        {"r": float(r), **{name: float(values[i]) for name, values in columns.items()}}
        for i, r in enumerate(numbers["r"].values)
    ]


def _largest_variance(points: Array) -> float:
    """Of the principal directions of the points; ValueError if all are equal."""
    largest = float(np.linalg.norm(points - points.mean(axis=0), 2)) ** 2 / len(points)
    if largest == 0:
        raise fail("source", len(points), "points are all equal")
    return largest


def _available(device: str) -> None:
    one_of(device, ["cpu", "cuda", "mps"], "device")
    if device != "cpu":
        import torch

        if not getattr(torch, "cuda" if device == "cuda" else "mps").is_available():
            raise fail("device", device, "is not available on this machine")
