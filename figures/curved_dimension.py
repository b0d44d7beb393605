"""Dimension d(r) of curved manifolds: population, N points exactly, the empirical score and trained networks.

A sphere S⁵ in R²⁰ and a torus T³ in R¹² with N = 50, 300 and 20000 points, several data sets ("seeds") each. Where a
curve falls to half of the population's is compared with the predicted collapse r_c.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.comparison import Agreement, Row, agreements, recorded, regimes, spread
from figures.digits_dimension import half_crossing
from figures.finite_dimension import finite_dimension
from figures.network_runs import Run, trained
from figures.results import provenance, save, writable
from figures.stages import tracked
from manifolds import Sphere, Torus
from theory import collapse
from theory.validation import Array, one_of

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "curved-dimension"
LAWS: dict[str, Sphere | Torus] = {
    "sphere": Sphere(5, ambient_dim=20),
    "torus": Torus([1.0, 0.9, 0.8], ambient_dim=12),
}
TITLES = {"sphere": "sphere S⁵ in R²⁰", "torus": "torus T³ in R¹²"}
SIZES = (50, 300, 20000)
SMALLEST, LARGEST = 1.5e-3, 3.0  # noise ratios
PLATEAU = 3e-3  # where a network on many points is asked for the dimension
# to memorize 300 points takes a wider network and longer than to generalize from 20000
WIDE: dict[str, Any] = {"width": 256, "batch_size": 256, "learning_rate": 2e-3, "sigma_min": 0.03}
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"seeds": 3, "networks": ({"steps": 5000}, {**WIDE, "steps": 18000}, {"steps": 5000}), "ratios": 25,
              "knots": 17, "queries": 1000, "points": 200},
    "paper": {"seeds": 8, "networks": ({**WIDE, "steps": 20000}, {**WIDE, "steps": 60000}, {**WIDE, "steps": 60000}),
              "ratios": 49, "knots": 25, "queries": 4000, "points": 1000},
}  # fmt: skip


def draw(out: Path, preset: str = "quick", seed: int = 0) -> list[Path]:
    """Computes and writes the figure; the quick preset trains 18 networks, about 20 minutes on two cores."""
    one_of(preset, PRESETS, "preset")
    writable(out)
    numbers = compute(out, preset, seed)
    rows, agreed = comparison(numbers)
    record = provenance(figure=NAME, preset=preset, seed=seed, errors="spread over seeds", **recorded(rows, agreed))
    return save(out, NAME, _picture(numbers), numbers, record)


def compute(out: Path, preset: str, seed: int) -> "xarray.Dataset":
    """All numbers of the figure: d(r) over (law, n, seed, noise_ratio)."""
    import xarray

    size = PRESETS[preset]
    r = np.geomspace(SMALLEST, LARGEST, size["ratios"])
    shape = (len(LAWS), len(SIZES), size["seeds"], r.size)
    runs, empirical, network = [], np.empty(shape), np.empty(shape)
    theory = np.array(
        [
            [finite_dimension(law, np.log(n), r, size["knots"]) for n in SIZES]
            for law in tracked(LAWS.values(), "exact averages at N")
        ]
    )
    for i, j, k in tracked(np.ndindex(shape[:3]), "d(r) of the empirical score"):
        run, empirical[i, j, k] = _data_set(i, j, seed + k, r, out, preset)
        runs.append(run)
    networks = trained(runs, f"{len(runs)} networks")
    probed = tracked(zip(np.ndindex(shape[:3]), runs, networks, strict=True), "d(r) of the networks")
    for (i, j, k), run, learned in probed:
        rng = np.random.default_rng([seed + k, 2])
        points = run.points[rng.permutation(len(run.points))[: size["points"]]]
        repeated = np.concatenate([points] * -(-size["points"] // len(points)))  # few points: more noise for each
        network[i, j, k] = learned.dimension(r, repeated, rng).mean
    over = ("law", "n", "seed", "noise_ratio")
    return xarray.Dataset(
        {
            "population": (("law", "noise_ratio"), [law.dimension(r) for law in LAWS.values()]),
            "theory": (("law", "n", "noise_ratio"), theory),
            "empirical": (over, empirical),
            "network": (over, network),
            "collapse": (("law", "n"), [[collapse(law, log_n=np.log(n)) for n in SIZES] for law in LAWS.values()]),
        },
        coords={"law": list(LAWS), "n": list(SIZES), "seed": seed + np.arange(size["seeds"]), "noise_ratio": r},
    )


def comparison(numbers: "xarray.Dataset") -> tuple[list[Row], list[Agreement]]:
    """Half-crossings and plateau dimensions on the three legs, and their agreement per regime."""
    rows: list[Row] = []
    agreed: list[Agreement] = []
    r = numbers["noise_ratio"].values
    for name, law in LAWS.items():
        for n in SIZES:
            one = numbers.sel(law=name, n=n)
            population, r_c = one["population"].values, float(one["collapse"])
            rows += [
                Row(f"{name}, N = {n}: r where d = ½ of the population's", r_c, *_halves(one, r)),
                Row(f"{name}, N = {n}: d({PLATEAU:g})", *_at_plateau(one, r)),
            ]
            where = regimes(r, r_c, float(law.dimension(r_c)))
            means = {leg: one[leg].mean("seed").values for leg in ("empirical", "network")}
            theory = one["theory"].values
            agreed += agreements(f"{name}, N = {n}", where, population=population, theory=theory, **means)
    return rows, agreed


def _halves(one: "xarray.Dataset", r: Array) -> list[Any]:
    population = one["population"].values
    return [
        spread([half_crossing(r, curve / population) for curve in one[leg].values]) for leg in ("empirical", "network")
    ]


def _at_plateau(one: "xarray.Dataset", r: Array) -> list[Any]:
    """d at `PLATEAU`: exact at N, and the spread on the other legs; linear in ln r between the ratios."""

    def there(curve: Array) -> float:
        return float(np.interp(np.log(PLATEAU), np.log(r), curve))

    legs = [spread([there(curve) for curve in one[leg].values]) for leg in ("empirical", "network")]
    return [there(one["theory"].values), *legs]


def _data_set(i: int, j: int, seed: int, r: Array, out: Path, preset: str) -> tuple[Run, Array]:
    """The training run of one data set, and d(r) of its empirical score."""
    from models import TrainingConfig
    from simulations import EmpiricalScore

    size, (name, law), n = PRESETS[preset], list(LAWS.items())[i], SIZES[j]
    points = law.sample(n, np.random.default_rng([seed, 0]))
    curve = EmpiricalScore(points).dimension(r, np.random.default_rng([seed, 1]), n_queries=size["queries"]).mean
    # trained below √r of the smallest ratio shown: networks overshoot at the edge of their range
    config = TrainingConfig.quick(**{"sigma_min": 0.02, "sigma_max": 3.0, "seed": seed, **size["networks"][j]})
    return Run(points, config, out / "networks" / f"{NAME}-{name}-{n}-{preset}-{seed}"), np.asarray(curve)


def _picture(numbers: "xarray.Dataset") -> "Figure":
    from matplotlib import pyplot

    from figures.style import styled

    with styled():
        figure, axes = pyplot.subplots(len(LAWS), len(SIZES), figsize=(11.0, 6.2), sharex=True, sharey="row")
        for row, name in zip(axes, LAWS, strict=True):
            for axis, n in zip(row, SIZES, strict=True):
                _panel(axis, numbers.sel(law=name, n=n))
                axis.set_title(f"{TITLES[name]}, N = {n}")
            row[0].set_ylabel("dimension d(r)")
        for axis, letter in zip(axes.flat, "abcdef", strict=True):
            axis.set_title(f"({letter}) {axis.get_title()}")
        for axis in axes[-1]:
            axis.set_xlabel("noise ratio r")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        return figure


def _panel(axis: "Axes", one: "xarray.Dataset") -> None:
    r, population, seeds = one["noise_ratio"].values, one["population"].values, one.sizes["seed"]
    axis.plot(r, population, color="black", label="population")
    axis.plot(r, population / 2, color="black", lw=0.8, ls="--", label="half of it")
    axis.plot(r, one["theory"].values, color="C0", label="theory: mean over data sets of N points, exact")
    for leg, color, marker, shown in (("empirical", "C2", "o", "empirical score"), ("network", "C1", "s", "network")):
        mean, deviation = one[leg].values.mean(axis=0), one[leg].values.std(axis=0, ddof=min(1, seeds - 1))
        label = f"{shown}, mean and spread of {seeds} seeds"
        axis.errorbar(r, mean, deviation, color=color, marker=marker, ls="none", mfc="white", ms=3.5, label=label)
    axis.axvline(float(one["collapse"]), color="C0", ls=":", label="predicted collapse $r_c$")
    axis.set(xscale="log", xlim=(r.min(), r.max()), ylim=(0, 1.35 * population.max()))
