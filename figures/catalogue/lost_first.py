"""Which subspace is lost first? Published order, exact order and measurement, and where the orders disagree.

Data of arXiv 2410.08727: D = 30, standard deviations 1 (×2), 0.3 (×5), 0.01 (×23), N = 1000; above normalized to the
unit sphere, below as they are. Left: at the probe √r e_i, the share of ln N that the local divergence uses up,
published (Gaussian energies, (t_c/t)²) and exact, and the participation measured on data sets. Middle: at typical
noisy points, the fraction of the population's posterior variance that the empirical posterior keeps, measured, and
exact for the linear manifold (theory.lost_first). Right: where the order of the probes is the published one, over the
ratio of the two variances and ln N.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.datasets import described
from ...conventions.estimate import Estimate
from ...conventions.progress import tracked
from ...manifolds import Linear, NormalizedLinear
from ...theory.lost_first import (
    probe_condensation,
    probe_divergence,
    published_condensation,
    reversal,
    surviving_fraction,
)
from ..drawing.phase_pictures import lead_map
from ..figure import Figure, Preset

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

HIGH, MIDDLE, DIM, N = 2, 5, 30, 1000
VARIANCES = np.array([1.0] * HIGH + [0.09] * MIDDLE + [1e-4] * (DIM - HIGH - MIDDLE))
PARTS = {"high": slice(0, HIGH), "middle": slice(HIGH, HIGH + MIDDLE)}
LAWS: dict[str, type[NormalizedLinear] | type[Linear]] = {"normalized": NormalizedLinear, "linear": Linear}
PROBED = {"normalized": (1.0, 1e-5), "linear": (3.0, 3e-3)}  # noise ratios at the probes
TYPICAL = {"normalized": (0.2, 1e-3), "linear": (1.0, 5e-3)}
OTHER_DIMS = [(8, 8), (32, 32)]  # further boundaries in the diagram, without the small variances
BACKED: dict[str, Any] = {"frameon": True, "framealpha": 0.9, "edgecolor": "none"}  # legends over lines
MEANINGS = {
    "part": ("subspace of high or middle variance", "1"),
    "log_n": ("ln N of the number of training points", "1"),
    "ratio_coarse": ("ratio of the two variances, for the boundaries", "1"),
    "dims": ("numbers of directions of the two variances", "1"),
}
for _law in LAWS:
    MEANINGS |= {
        f"published_share_{_law}": (f"share of ln N used up at the probe √r e_i, published formula, {_law} data", "1"),
        f"exact_share_{_law}": (f"share of ln N used up at the probe √r e_i, {_law} data", "1"),
        f"participation_{_law}": (f"participation Y at the probe √r e_i, {_law} data", "1"),
        f"published_condensation_{_law}": (f"noise ratio of condensation, published formula, {_law} data", "1"),
        f"exact_condensation_{_law}": (f"noise ratio of condensation at the probe, {_law} data", "1"),
        f"surviving_{_law}": (f"surviving fraction R_i of the posterior variance, {_law} data", "1"),
        f"surviving_exact_{_law}": (f"surviving fraction R_i, exact, {_law} data", "1"),
        f"free_weight_{_law}": (f"1 - Y at typical points, {_law} data", "1"),
        f"lead_{_law}": (f"log10 of the ratio of the two condensation points, {_law} data", "1"),
        f"boundary_{_law}": (f"ln N at which the order of the probes reverses, {_law} data", "1"),
    }


@dataclass(frozen=True)
class Sizes(Preset):
    """Data sets, noisy points in each, noise ratios, points along each axis of the diagrams."""

    data_sets: int
    queries: int
    ratios: int
    grid: int


PRESETS = (
    Sizes("quick", data_sets=24, queries=200, ratios=12, grid=60),
    Sizes("paper", data_sets=200, queries=500, ratios=24, grid=200),
)


def compute(size: Sizes, out: Path, seed: int) -> "xarray.Dataset":
    """All numbers of the figure; the quick preset takes about a minute."""
    import xarray

    rng = np.random.default_rng(seed)
    parts = [_probes(name, size, rng) for name in LAWS]
    parts += [_typical(name, size, rng) for name in LAWS]
    parts += [_orders(name, size.grid) for name in LAWS]
    return described(xarray.merge(parts), MEANINGS)


def _probes(name: str, size: Sizes, rng: np.random.Generator) -> "xarray.Dataset":
    """Shares of ln N and measured participation at √r e_i, (part, r)."""
    import xarray

    from ...simulations import EmpiricalScore

    r, normalized, log_n = np.geomspace(*PROBED[name], 2 * size.ratios), name == "normalized", np.log(N)
    law, indices = LAWS[name](VARIANCES), [part.start for part in PARTS.values()]
    samples = np.empty((len(PARTS), r.size, size.data_sets))
    for k in tracked(range(size.data_sets), f"probes of {name} data"):
        score = EmpiricalScore(law.sample(N, rng))
        for j, ratio in enumerate(r):
            y = np.asarray(score.participation(np.sqrt(ratio) * np.eye(DIM), ratio))
            samples[:, j, k] = [y[part].mean() for part in PARTS.values()]
    measured = Estimate.of(samples)
    exact = [probe_divergence(law, i, r) / log_n for i in indices]
    common = 0.0 if normalized else np.sum(VARIANCES**2) / 2
    published = (common + r * VARIANCES[indices][:, None]) / (2 * log_n * r**2)
    over = ("part", f"r_probed_{name}")
    return xarray.Dataset(
        {
            f"published_share_{name}": (over, published),
            f"exact_share_{name}": (over, exact),
            f"participation_{name}": (over, measured.mean),
            f"participation_{name}_stderr": (over, measured.stderr),
            f"published_condensation_{name}": (
                "part",
                published_condensation(VARIANCES, log_n, normalized=normalized)[indices],
            ),
            f"exact_condensation_{name}": (
                "part",
                [float(probe_condensation(law, i, log_n)) for i in indices],
            ),
        },
        coords={over[1]: r, "part": list(PARTS)},
    )


def _typical(name: str, size: Sizes, rng: np.random.Generator) -> "xarray.Dataset":
    """Surviving fractions R_i at x ~ p_r, measured and (linear) exact, and the measured 1 - Y: (part, r), (r,)."""
    import xarray

    from ...simulations import EmpiricalScore

    r, law = np.geomspace(*TYPICAL[name], size.ratios), LAWS[name](VARIANCES)
    kept = np.empty((len(PARTS), r.size, size.data_sets))
    free = np.empty((r.size, size.data_sets))
    population = np.array([_population_variances(law, float(ratio), rng) for ratio in r]).T
    for k in tracked(range(size.data_sets), f"typical points of {name} data"):
        score = EmpiricalScore(law.sample(N, rng))
        for j, ratio in enumerate(r):
            x, _ = score.planted(float(ratio), rng, size.queries)
            variances = np.einsum("nii->i", score.posterior_covariance(x, ratio)) / len(x)
            kept[:, j, k] = [variances[part].mean() for part in PARTS.values()] / population[:, j]
            free[j, k] = 1 - np.mean(score.participation(x, ratio))
    over, measured, loose = ("part", f"r_typical_{name}"), Estimate.of(kept), Estimate.of(free)
    fields: dict[str, Any] = {
        f"surviving_{name}": (over, measured.mean),
        f"surviving_{name}_stderr": (over, measured.stderr),
        f"free_weight_{name}": (over[1], loose.mean),
        f"free_weight_{name}_stderr": (over[1], loose.stderr),
    }
    if name == "linear":
        exact = [
            [surviving_fraction(Linear(VARIANCES), part.start, log_n=np.log(N), r=float(ratio)) for ratio in r]
            for part in tracked(PARTS.values(), "exact surviving fractions")
        ]
        fields["surviving_exact_linear"] = (over, exact)
    return xarray.Dataset(fields, coords={over[1]: r, "part": list(PARTS)})


def _population_variances(law: Linear | NormalizedLinear, r: float, rng: np.random.Generator) -> list[float]:
    """E C_ii of the population over x ~ p_r, for each part: closed, or from 4000 points (0.5 %)."""
    if isinstance(law, Linear):
        return [float(v * r / (v + r)) for v in law.variances[[part.start for part in PARTS.values()]]]
    x = law.sample(4000, rng) + np.sqrt(r) * rng.standard_normal((4000, DIM))
    diagonal = np.einsum("nii->i", law.posterior_covariance(x, r)) / len(x)
    return [float(diagonal[part].mean()) for part in PARTS.values()]


def _orders(name: str, grid: int) -> "xarray.Dataset":
    """log10 r_1/r_2 over (ratio, ln N), and the boundary ln N*(ratio) for several dimensions."""
    import xarray

    ratio, log_n = np.geomspace(1e-4, 0.95, grid), np.linspace(1.0, 30.0, grid)
    lead = np.empty((grid, grid))
    for i, q in enumerate(tracked(ratio, f"order of the probes, {name}")):
        law = LAWS[name](np.where(VARIANCES[HIGH] == VARIANCES, q, VARIANCES))
        first, second = (probe_condensation(law, part, log_n) for part in (0, HIGH))
        lead[i] = np.log10(first / second)
    coarse = np.geomspace(1e-4, 0.95, 25)
    dims = [(HIGH, MIDDLE), *OTHER_DIMS]
    boundary = [
        [reversal(LAWS[name]([1.0] * d1 + [float(q)] * d2), 0, d1).log_n for q in coarse]
        for d1, d2 in tracked(dims, f"boundaries, {name}")
    ]
    return xarray.Dataset(
        {f"lead_{name}": (("ratio", "log_n"), lead), f"boundary_{name}": (("dims", "ratio_coarse"), boundary)},
        coords={"ratio": ratio, "log_n": log_n, "ratio_coarse": coarse, "dims": [f"{a}, {b}" for a, b in dims]},
    )


def _picture(numbers: "xarray.Dataset") -> "Picture":
    from matplotlib import pyplot

    from ..drawing.style import styled

    with styled():
        figure, axes = pyplot.subplots(2, 3, figsize=(13.0, 7.4), width_ratios=[1, 1, 1.2])
        for row, name in zip(axes, LAWS, strict=True):
            _probe_panel(row[0], numbers, name)
            _typical_panel(row[1], numbers, name)
            _order_panel(row[2], numbers, name)
        for axis, letter in zip(axes.flat, "abcdef", strict=True):
            axis.set_title(f"({letter}) {axis.get_title()}")
        return figure


def _probe_panel(axis: "Axes", numbers: "xarray.Dataset", name: str) -> None:
    r = numbers[f"r_probed_{name}"].values
    for s, deviation in enumerate(("1", "0.3")):
        color, label = f"C{s}", f"std {deviation}"
        axis.plot(r, numbers[f"published_share_{name}"].values[s], color=color, ls=":", label=f"published, {label}")
        axis.plot(r, numbers[f"exact_share_{name}"].values[s], color=color, ls=("-", "--")[s], label=f"exact, {label}")
        measured = numbers[f"participation_{name}"].values[s], numbers[f"participation_{name}_stderr"].values[s]
        axis.errorbar(r, *measured, color=color, marker="os"[s], ls="none", mfc="white", label=f"measured Y, {label}")
    axis.axhline(1, color="black", lw=0.8)
    axis.set(xscale="log", xlim=(r.min(), r.max()), ylim=(0, 2.1), xlabel="noise ratio r")
    axis.set_ylabel("share of ln N used  |  participation Y")
    axis.set_title(f"{name} data, probe √r eᵢ, N = {N}")
    axis.legend(loc="upper right", ncols=2, fontsize=7, **BACKED)


def _typical_panel(axis: "Axes", numbers: "xarray.Dataset", name: str) -> None:
    r = numbers[f"r_typical_{name}"].values
    for s, deviation in enumerate(("1", "0.3")):
        color = f"C{s}"
        measured = numbers[f"surviving_{name}"].values[s], numbers[f"surviving_{name}_stderr"].values[s]
        axis.errorbar(
            r, *measured, color=color, marker="os"[s], ls="none", mfc="white", label=f"std {deviation}, measured"
        )
        if name == "linear":
            exact = numbers["surviving_exact_linear"].values[s]
            axis.plot(r, exact, color=color, ls=("-", "--")[s], label=f"std {deviation}, exact")
    axis.plot(r, numbers[f"free_weight_{name}"].values, color="0.5", lw=1.0, label="1 - Y, measured")
    axis.set(xscale="log", xlim=(r.min(), r.max()), ylim=(0, 1.05), xlabel="noise ratio r")
    axis.set_ylabel("surviving fraction Rᵢ of the posterior variance")
    axis.set_title(f"{name} data, typical points, N = {N}")
    axis.legend(loc="upper left", fontsize=7.5)


def _order_panel(axis: "Axes", numbers: "xarray.Dataset", name: str) -> None:
    ratio, log_n = numbers["ratio"].values, numbers["log_n"].values
    label = r"$\log_{10}\,r_1/r_2$  (> 0: larger variance first)"
    lead_map(axis, ratio, log_n, numbers[f"lead_{name}"].values.T, label)
    for k, dims in enumerate(numbers["dims"].values):
        line = numbers[f"boundary_{name}"].values[k]
        style = ("-", "--", "-.")[k]
        axis.plot(numbers["ratio_coarse"].values, line, color="black", ls=style, lw=1.3, label=f"$d_1, d_2$ = {dims}")
    axis.set(xscale="log", xlim=(ratio[0], ratio[-1]), ylim=(1, 30), xlabel=r"ratio of variances $\lambda_2/\lambda_1$")
    axis.set_ylabel("ln N")
    axis.set_title(f"{name}: published order holds below the line")
    axis.legend(loc="upper right", fontsize=7.5, **BACKED)


FIGURE = Figure("lost-first", PRESETS, compute, _picture, lambda numbers: {"source": "arXiv 2410.08727"})
draw = FIGURE.draw
