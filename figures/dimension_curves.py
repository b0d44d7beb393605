"""d(r) of laws with a known population: theory for N points, the empirical score and trained networks.

What `curved-dimension`, `hidden-dimension` and `two-variances` have in common: a study is some laws, some N, and for
each of them several data sets ("seeds") with a network of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..conventions.arguments import Array, one_of
from ..conventions.estimate import Estimate
from ..manifolds import Manifold
from ..theory import collapse
from ..theory.finite_size.dimension import leading_finite_dimension
from .catalogue.digits_dimension import half_crossing
from .comparison import Agreement, Row, agreements, recorded, regimes, spread
from .network_runs import Run, trained
from .results import provenance, save, writable
from .stages import tracked

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

    from ..models import ScoreNetwork


def at_ratio(curves: Array, r: Array, ratio: float) -> Array:
    """Curves (…, m) over increasing r at one ratio, linear in ln r: (…)."""
    return np.apply_along_axis(lambda curve: np.interp(np.log(ratio), np.log(r), curve), -1, curves)


def leading_curves(information: Array, dimension: Array, sizes: Sequence[int], r: Array) -> Array:
    """The leading form of d_N(r) for each N, shape (len(sizes), m)."""
    return np.array([leading_finite_dimension(information, dimension, np.log(n), r) for n in sizes])


@dataclass(frozen=True)
class Study:
    """What a figure asks for.

    Attributes:
        name: of the figure.
        laws: by name.
        sizes: numbers of points N.
        ends: smallest and largest noise ratio.
        shown: noise ratios at which the table gives d.
        presets: of each preset the number of "seeds", of "ratios", of "queries" to the empirical score, of "points" at
            which networks are probed, and "networks": the parameters of `TrainingConfig.quick` for each N, or None.
        exact: (law, sizes, r) → d_N(r), (len(sizes), len(r)); by its leading form where it is not given.
        sample: (law, n, rng) → points.
    """

    name: str
    laws: Mapping[str, Manifold]
    sizes: tuple[int, ...]
    ends: tuple[float, float]
    shown: tuple[float, ...]
    presets: Mapping[str, Mapping[str, Any]]
    exact: Callable[[Any, Sequence[int], Array], Array] | None = None
    sample: Callable[[Any, int, np.random.Generator], Array] = Manifold.sample

    def draw(self, out: Path, preset: str, seed: int, picture: "Callable[[xarray.Dataset], Figure]") -> list[Path]:
        """Computes and writes the figure; ValueError for an unknown preset or a folder that cannot be written to."""
        one_of(preset, self.presets, "preset")
        writable(out)
        numbers = self.compute(out, preset, seed)
        rows, agreed = self.comparison(numbers)
        errors = "spread over seeds"
        record = provenance(figure=self.name, preset=preset, seed=seed, errors=errors, **recorded(rows, agreed))
        return save(out, self.name, picture(numbers), numbers, record)

    def compute(self, out: Path, preset: str, seed: int) -> "xarray.Dataset":
        """All numbers of the figure: d(r) over (law, n, seed, noise_ratio), NaN where no network was asked for."""
        import xarray

        size = self.presets[preset]
        r = np.geomspace(*self.ends, size["ratios"])
        shape = (len(self.laws), len(self.sizes), size["seeds"])
        empirical, network = np.empty((*shape, r.size)), np.full((*shape, r.size), np.nan)
        runs: dict[tuple[int, ...], Run] = {}
        population, information, theory = zip(
            *(self._theory(law, r) for law in tracked(self.laws.values(), "theory")), strict=True
        )
        for at in tracked(np.ndindex(shape), "d(r) of the empirical score"):
            points = self._points(at, seed)
            empirical[at] = _empirical(points, r, size["queries"], seed + at[2])
            run = self._run(at, points, out, preset, seed)
            if run is not None:
                runs[at] = run
        longest_first = sorted(runs, key=lambda at: -_effort(runs[at]))
        networks = trained([runs[at] for at in longest_first], f"{len(runs)} networks")
        for at, learned in tracked(zip(longest_first, networks, strict=True), "d(r) of the networks"):
            network[at] = _learned(learned, runs[at].points, r, size["points"], seed + at[2])
        over = ("law", "n", "seed", "noise_ratio")
        collapses = [[collapse(law, log_n=np.log(n)) for n in self.sizes] for law in self.laws.values()]
        return xarray.Dataset(
            {
                "population": (("law", "noise_ratio"), np.array(population)),
                "information": (("law", "noise_ratio"), np.array(information)),
                "theory": (("law", "n", "noise_ratio"), np.array(theory)),
                "empirical": (over, empirical),
                "network": (over, network),
                "collapse": (("law", "n"), collapses),
            },
            coords={
                "law": list(self.laws),
                "n": list(self.sizes),
                "seed": seed + np.arange(size["seeds"]),
                "noise_ratio": r,
            },
        )

    def comparison(self, numbers: "xarray.Dataset") -> tuple[list[Row], list[Agreement]]:
        """Half-crossings and dimensions on the three legs, and their agreement per regime."""
        rows: list[Row] = []
        agreed: list[Agreement] = []
        r = numbers["noise_ratio"].values
        for name, law in self.laws.items():
            for n in self.sizes:
                one = numbers.sel(law=name, n=n)
                case, r_c = f"{name}, N = {n}" if len(self.laws) > 1 else f"N = {n}", float(one["collapse"])
                rows.append(Row(f"{case}: r where d = ½ of the population's", r_c, *_halves(one, r)))
                rows += [Row(f"{case}: d({ratio:g})", *_dimensions(one, r, ratio)) for ratio in self.shown]
                means = {leg: None if curves is None else curves.mean(axis=0) for leg, curves in _legs(one).items()}
                where = regimes(r, r_c, float(law.dimension(r_c)))
                given = {name: one[name].values for name in ("population", "theory")}
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

    def _run(self, at: tuple[int, ...], points: Array, out: Path, preset: str, seed: int) -> Run | None:
        """The training run of one data set, if a network is asked for."""
        from ..models import TrainingConfig

        parameters = self.presets[preset]["networks"][at[1]]
        if parameters is None:
            return None
        config = TrainingConfig.quick(seed=seed + at[2], **parameters)
        name = f"{self.name}-{list(self.laws)[at[0]]}-{len(points)}-{preset}-{seed + at[2]}"
        return Run(points, config, out / "networks" / name)


def _empirical(points: Array, r: Array, queries: int, seed: int) -> Array:
    from ..simulations import EmpiricalScore

    return np.asarray(EmpiricalScore(points).dimension(r, np.random.default_rng([seed, 1]), n_queries=queries).mean)


def _learned(network: "ScoreNetwork", points: Array, r: Array, count: int, seed: int) -> Array:
    """d(r) of a network at `count` noised training points; few points take part more than once, with fresh noise."""
    rng = np.random.default_rng([seed, 2])
    some = points[rng.permutation(len(points))[:count]]
    repeated = np.concatenate([some] * -(-count // len(some)))
    return np.asarray(network.dimension(r, rng, points=repeated).mean)


def _effort(run: Run) -> int:
    """What a run costs, up to a factor."""
    return run.config.steps * run.config.batch_size * run.config.width**2


def _legs(one: "xarray.Dataset") -> dict[str, Array | None]:
    """The curves (seed, noise_ratio) of empirical score and network, None where there is no network."""
    network = one["network"].values
    return {"empirical": one["empirical"].values, "network": None if np.isnan(network).all() else network}


def _halves(one: "xarray.Dataset", r: Array) -> list[Estimate | None]:
    population = one["population"].values
    return [
        None if curves is None else spread([half_crossing(r, curve / population) for curve in curves])
        for curves in _legs(one).values()
    ]


def _dimensions(one: "xarray.Dataset", r: Array, ratio: float) -> list[Any]:
    """d(ratio) by theory and its spread on the other legs."""
    spreads = [None if curves is None else spread(list(at_ratio(curves, r, ratio))) for curves in _legs(one).values()]
    return [float(at_ratio(one["theory"].values, r, ratio)), *spreads]
