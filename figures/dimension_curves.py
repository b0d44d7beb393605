"""d(r) of laws with a known population: theory for N points, the empirical score and trained networks.

What `curved-dimension`, `hidden-dimension` and `two-variances` have in common: a study is some laws, some N, and for
each of them several data sets ("seeds") with a network of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..conventions.arguments import Array
from ..conventions.datasets import dataset
from ..conventions.estimate import Estimate
from ..conventions.progress import tracked
from ..manifolds import Manifold
from ..models import TrainingConfig
from ..probes.crossings import half_crossing
from ..theory import collapse
from ..theory.finite_size.dimension import leading_finite_dimension
from .comparison import Agreement, QuantityByLeg, agreements, recorded, regimes, spread
from .figure import Preset
from .network_runs import NetworkRun, trained

if TYPE_CHECKING:
    import xarray

    from ..models import ScoreNetwork

LEGS = ("empirical", "network")
MEANINGS = {"information": ("information I(r) of the population", "nat")}


def at_ratio(curves: Array, r: Array, ratio: float) -> Array:
    """Curves (…, m) over increasing r at one ratio, linear in ln r: (…)."""
    return np.apply_along_axis(lambda curve: np.interp(np.log(ratio), np.log(r), curve), -1, curves)


def leading_curves(information: Array, dimension: Array, sizes: Sequence[int], r: Array) -> Array:
    """The leading form of d_N(r) for each N, shape (len(sizes), m)."""
    return np.array([leading_finite_dimension(information, dimension, np.log(n), r) for n in sizes])


@dataclass(frozen=True)
class StudySizes(Preset):
    """How much a study measures.

    Attributes:
        seeds: data sets for each law and N.
        ratios: noise ratios.
        queries: to each empirical score.
        points: at which each network is probed.
        networks: for each N the parameters of its networks, None for no network.
    """

    seeds: int
    ratios: int
    queries: int
    points: int
    networks: tuple[TrainingConfig | None, ...]


@dataclass(frozen=True)
class Study:
    """What a figure asks for.

    Attributes:
        name: of the figure.
        laws: by name.
        sizes: numbers of points N.
        ends: smallest and largest noise ratio.
        shown: noise ratios at which the table gives d.
        exact: (law, sizes, r) → d_N(r), (len(sizes), len(r)); by its leading form where it is not given.
        sample: (law, n, rng) → points.
    """

    name: str
    laws: Mapping[str, Manifold]
    sizes: tuple[int, ...]
    ends: tuple[float, float]
    shown: tuple[float, ...]
    exact: Callable[[Any, Sequence[int], Array], Array] | None = None
    sample: Callable[[Any, int, np.random.Generator], Array] = Manifold.sample

    def compute(self, size: StudySizes, out: Path, seed: int) -> "xarray.Dataset":
        """All numbers of the figure: d(r) over (leg, law, n, seed, r), NaN where no network was asked for."""
        r = np.geomspace(*self.ends, size.ratios)
        shape = (len(self.laws), len(self.sizes), size.seeds)
        mean, stderr = (np.full((len(LEGS), *shape, r.size), np.nan) for _ in range(2))
        runs: dict[tuple[int, ...], NetworkRun] = {}
        population, information, theory = zip(
            *(self._theory(law, r) for law in tracked(self.laws.values(), "theory")), strict=True
        )
        for at in tracked(np.ndindex(shape), "d(r) of the empirical score"):
            points = self._points(at, seed)
            mean[0][at], stderr[0][at] = _empirical(points, r, size.queries, seed + at[2])
            config = size.networks[at[1]]
            if config is not None:
                name = f"{self.name}-{list(self.laws)[at[0]]}-{len(points)}-{size.name}-{seed + at[2]}"
                runs[at] = NetworkRun(points, replace(config, seed=seed + at[2]), out / "networks" / name)
        longest_first = sorted(runs, key=lambda at: -_effort(runs[at]))
        networks = trained([runs[at] for at in longest_first], f"{len(runs)} networks")
        for at, learned in tracked(zip(longest_first, networks, strict=True), "d(r) of the networks"):
            mean[1][at], stderr[1][at] = _learned(learned, runs[at].points, r, size.points, seed + at[2])
        collapses = [[collapse(law, log_n=np.log(n)) for n in self.sizes] for law in self.laws.values()]
        return dataset(
            {
                "dimension": (("leg", "law", "n", "seed", "r"), Estimate(mean, stderr)),
                "dimension_theory": (("law", "n", "r"), np.array(theory)),
                "dimension_population": (("law", "r"), np.array(population)),
                "information": (("law", "r"), np.array(information)),
                "collapse": (("law", "n"), collapses),
            },
            {
                "leg": list(LEGS),
                "law": list(self.laws),
                "n": list(self.sizes),
                "seed": seed + np.arange(size.seeds),
                "r": r,
            },
            MEANINGS,
        )

    def remarks(self, numbers: "xarray.Dataset") -> dict[str, Any]:
        """What the record says: the comparison of the three legs."""
        return {"errors": "spread over seeds", **recorded(*self.comparison(numbers))}

    def comparison(self, numbers: "xarray.Dataset") -> tuple[list[QuantityByLeg], list[Agreement]]:
        """Half-crossings and dimensions on the three legs, and their agreement per regime."""
        rows: list[QuantityByLeg] = []
        agreed: list[Agreement] = []
        r = numbers["r"].values
        for name, law in self.laws.items():
            for n in self.sizes:
                one = numbers.sel(law=name, n=n)
                case, r_c = f"{name}, N = {n}" if len(self.laws) > 1 else f"N = {n}", float(one["collapse"])
                rows.append(QuantityByLeg(f"{case}: r where d = ½ of the population's", r_c, *_halves(one, r)))
                rows += [QuantityByLeg(f"{case}: d({ratio:g})", *_dimensions(one, r, ratio)) for ratio in self.shown]
                means = {leg: None if curves is None else curves.mean(axis=0) for leg, curves in _legs(one).items()}
                where = regimes(r, r_c, float(law.dimension(r_c)))
                given = {name: one[f"dimension_{name}"].values for name in ("population", "theory")}
                agreed += agreements(case, where, **given, **means)  # type: ignore[arg-type]
        return rows, agreed

    def _theory(self, law: Manifold, r: Array) -> tuple[Array, Array, Array]:
        """d(r) and I(r) of the population, (m,), and d_N(r) for N points, (len(sizes), m)."""
        dimension, information = np.asarray(law.dimension(r)), np.asarray(law.information(r))
        if self.exact is not None:
            return dimension, information, self.exact(law, self.sizes, r)
        return dimension, information, leading_curves(information, dimension, self.sizes, r)

    def _points(self, at: tuple[int, ...], seed: int) -> Array:
        law = list(self.laws.values())[at[0]]
        return self.sample(law, self.sizes[at[1]], np.random.default_rng([seed + at[2], 0]))


def _empirical(points: Array, r: Array, queries: int, seed: int) -> Estimate:
    from ..simulations import EmpiricalScore

    return EmpiricalScore(points).dimension(r, np.random.default_rng([seed, 1]), n_queries=queries)


def _learned(network: "ScoreNetwork", points: Array, r: Array, count: int, seed: int) -> Estimate:
    """d(r) of a network at `count` noised training points; few points take part more than once, with fresh noise."""
    rng = np.random.default_rng([seed, 2])
    some = points[rng.permutation(len(points))[:count]]
    repeated = np.concatenate([some] * -(-count // len(some)))
    return network.dimension(r, rng, points=repeated)


def _effort(run: NetworkRun) -> int:
    """What a run costs, up to a factor."""
    return run.config.steps * run.config.batch_size * run.config.width**2


def _legs(one: "xarray.Dataset") -> dict[str, Array | None]:
    """The curves (seed, r) of each leg, None where there is no network."""
    curves = {leg: one["dimension"].sel(leg=leg).values for leg in LEGS}
    return {leg: None if np.isnan(values).all() else values for leg, values in curves.items()}


def _halves(one: "xarray.Dataset", r: Array) -> list[Estimate | None]:
    population = one["dimension_population"].values
    return [
        None if curves is None else spread([half_crossing(r, curve / population) for curve in curves])
        for curves in _legs(one).values()
    ]


def _dimensions(one: "xarray.Dataset", r: Array, ratio: float) -> list[Any]:
    """d(ratio) by theory and its spread on the other legs."""
    spreads = [None if curves is None else spread(list(at_ratio(curves, r, ratio))) for curves in _legs(one).values()]
    return [float(at_ratio(one["dimension_theory"].values, r, ratio)), *spreads]
