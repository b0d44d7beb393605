"""Phase diagrams of memorization over (ln N, r), (d, N) or (variance ratio, N): arrays from theory, drawn and kept."""

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...conventions.arguments import Array, fail, one_of, positive_integer
from ...conventions.atomic_files import writable
from ...conventions.datasets import dataset
from ...conventions.law import has_energies
from ...conventions.progress import stage, tracked
from ...manifolds import Linear, Manifold, Mixture
from ...theory import finite_size, speciation, symmetry_breaking
from ...theory.phase_diagram import collapse_line, critical_lines, noise_plane
from ..drawing.phase_pictures import dimension_picture, noise_picture, ratio_picture
from ..figure import Preset, chosen
from ..results import provenance, save
from .phase_families import dimension_family, ratio_family

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

AXES = ("logn-r", "d-n", "ratio-n")
LINES = ("collapse", "onset", "generalization")
EXACT_GRID = 16  # a finite-size average takes from 0.05 to 1 second
RATIOS_OF_A_SLOW_LAW = 7  # between which ln r_c is a spline in ln ratio
TOLERANCE = {True: 1e-12, False: 1e-4}  # of the curves, for laws of closed energies, known to rounding, and others


class Ranges(NamedTuple):
    """Both axes of a diagram; None for a range of r that holds all lines."""

    grid: int = 200
    n: tuple[float, float] = (10.0, 1e12)
    r: tuple[float, float] | None = None
    d: tuple[int, int] = (1, 200)
    ratio: tuple[float, float] = (1e-4, 1.0)

    def log_n(self, count: int | None = None) -> Array:
        """ln N, evenly spaced."""
        return np.linspace(math.log(self.n[0]), math.log(self.n[1]), count or self.grid)

    def checked(self) -> "Ranges":
        """Itself; ValueError names what is wrong."""
        if positive_integer(self.grid, "grid") < 2:
            raise fail("grid", self.grid, "must be ≥ 2")
        lowest = {"n": 1.0, "r": 0.0, "d": 0, "ratio": 0.0}
        for name, low in lowest.items():
            values = getattr(self, name)
            if values is not None and not (low < values[0] < values[1] < math.inf):
                raise fail(f"{name}-min, {name}-max", values, f"must be increasing, finite and > {low:g}")
        return self


@dataclass(frozen=True)
class Sizes(Preset):
    """Points along each axis."""

    grid: int


PRESETS = (Sizes("quick", 100), Sizes("paper", 200))
MEANINGS = {
    "deficit": ("what the data set lacks, ln N - I(r)", "nat"),
    "phase": ("phase, a number of theory.phase_diagram.Phase", "1"),
    "variance": ("variance of the information density", "1"),
    "exact_retrieval": ("retrieval E w_1, exact at N", "1"),
    "log_n_exact": ("ln N, for the exact retrieval", "1"),
    "dimension_at_collapse": ("dimension d(r_c) seen at collapse", "1"),
    "condensation_first": ("noise ratio at which the larger variance condenses at its probe √r e_i", "1"),
    "condensation_second": ("noise ratio at which the smaller variance condenses at its probe √r e_i", "1"),
}


def draw(out: Path, preset: str = "quick", seed: int = 0) -> list[Path]:
    """The three diagrams of a linear manifold of 16 equal variances; there is nothing random in them."""
    ranges = Ranges(grid=chosen(PRESETS, preset).grid)
    paths: list[Path] = []
    for axes in AXES:
        paths += diagram(Linear([1.0] * 16), "linear:variances=1x16", axes, ranges, out)[0]
    return paths


def diagram(
    manifold: Manifold,
    name: str,
    axes: str,
    ranges: Ranges,
    out: Path,
    *,
    fixed: str | None = None,
    exact: bool = False,
) -> tuple[list[Path], dict[str, Any]]:
    """Computes and writes phase-diagram-AXES-KIND; returns the paths and the record, with the lines at a few N."""
    one_of(axes, AXES, "axes")
    if exact and axes != "logn-r":
        raise fail("exact", exact, "is for the axes logn-r")
    if exact and not has_energies(manifold):
        raise fail("exact", exact, "needs a manifold whose energies have a closed law, like linear and sphere")
    if fixed is not None and axes != "d-n":
        raise fail("fixed", fixed, "is for the axes d-n")
    ranges.checked()
    writable(out)
    start = time.perf_counter()
    if axes == "logn-r":
        numbers = noise_numbers(manifold, ranges, exact)
    elif axes == "d-n":
        numbers = dimension_numbers(manifold, ranges, fixed)
    else:
        numbers = ratio_numbers(manifold, ranges)
    seconds = time.perf_counter() - start
    draw_picture = {"logn-r": noise_picture, "d-n": dimension_picture, "ratio-n": ratio_picture}[axes]
    picture: Figure = draw_picture(numbers, name)
    record = provenance(
        figure="phase-diagram",
        manifold=name,
        axes=axes,
        ranges=ranges._asdict(),
        fixed=fixed,
        seconds=round(seconds, 2),
    )
    record["lines"] = _lines_at_decades(numbers)
    return save(out, f"phase-diagram-{axes}-{name.partition(':')[0]}", picture, numbers, record), record


def noise_numbers(law: Manifold, ranges: Ranges, exact: bool = False) -> "xarray.Dataset":
    """Fields of theory.phase_diagram.NoisePlane over (log_n, r), and the ratios that do not depend on N."""
    tolerance = TOLERANCE[has_energies(law)]
    log_n, fixed_points = ranges.log_n(), _points_without_n(law)
    with stage("information and free-energy gap"):
        r = _noise_axis(law, ranges, fixed_points, tolerance)
        splits = _splits(law, fixed_points)
        options = {"noise_above": splits[0], "coverage_below": splits[1], "tolerance": tolerance}
        plane = noise_plane(law, log_n, r, **options)
    fields = {
        name: (("log_n", "r"), getattr(plane, name)) for name in ("deficit", "retrieval", "excess_entropy", "phase")
    }
    curves = {name: ("r", getattr(plane, name)) for name in ("information", "dimension", "variance")}
    lines = {name: ("log_n", values) for name, values in zip(LINES, plane.lines, strict=True)}
    points = {name: ((), value) for name, value in fixed_points.items()}
    numbers = dataset(fields | curves | lines | points, {"log_n": log_n, "r": r}, MEANINGS)
    return numbers.merge(_exact_retrieval(law, log_n, r)) if exact else numbers


def _noise_axis(law: Manifold, ranges: Ranges, fixed_points: dict[str, float], tolerance: float) -> Array:
    low, high = ranges.r or (0.0, 0.0)
    if ranges.r is None:
        ends = critical_lines(law, ranges.log_n(2), tolerance=tolerance)
        shown = np.concatenate([*ends, list(fixed_points.values())])
        low, high = 0.5 * shown.min(), 4 * shown.max()
    return np.geomspace(low, high, ranges.grid)


def _points_without_n(law: Manifold) -> dict[str, float]:
    """Symmetry breaking (density) and, for a mixture, speciation: noise ratios, where they exist."""
    points = {}
    with suppress(ValueError):
        points["symmetry_breaking"] = symmetry_breaking(law)
    if isinstance(law, Mixture):
        with suppress(ValueError):
            points["speciation"] = speciation(law)
    return points


def _splits(law: Manifold, points: dict[str, float]) -> tuple[float, float]:
    """r above which there is noise only, and r below which the population is covered."""
    breaking = points.get("symmetry_breaking", math.inf)
    if not isinstance(law, Mixture):
        return breaking, breaking
    inside = law.components[0].leading_variance()
    above = max(points.get("speciation", breaking), inside)
    return above, min(above, inside)


def _exact_retrieval(law: Manifold, log_n: Array, r: Array) -> "xarray.Dataset":
    """E w_1 by theory.finite_size.averages on a coarse grid of the same plane."""
    sizes = np.linspace(log_n[0], log_n[-1], EXACT_GRID)
    noise = np.geomspace(r[0], r[-1], EXACT_GRID)
    values = [
        [finite_size.retrieval(law, float(size), float(ratio)) for ratio in noise]  # type: ignore[arg-type]
        for size in tracked(sizes, "exact retrieval")
    ]
    over = ("log_n_exact", "r_exact")
    return dataset({"exact_retrieval": (over, values)}, {"log_n_exact": sizes, "r_exact": noise}, MEANINGS)


def dimension_numbers(manifold: Manifold, ranges: Ranges, fixed: str | None = None) -> "xarray.Dataset":
    """Collapse, onset and generalization over (intrinsic_dim, log_n)."""
    family, log_n = dimension_family(manifold, fixed), ranges.log_n()
    dims = np.unique(np.round(np.linspace(*ranges.d, ranges.grid)).astype(int))
    lines = [critical_lines(family.law(int(d)), log_n) for d in tracked(dims, "critical lines, d by d")]
    stacked = {
        name: (("intrinsic_dim", "log_n"), np.stack(rows))
        for name, rows in zip(LINES, zip(*lines, strict=True), strict=True)
    }
    return dataset(stacked, {"intrinsic_dim": dims, "log_n": log_n}, family=family.description)


def ratio_numbers(manifold: Manifold, ranges: Ranges) -> "xarray.Dataset":
    """Over (ratio, log_n): collapse, d(r_c), and where each of the two parts condenses at its probe √r e_i."""
    family, log_n = ratio_family(manifold), ranges.log_n()
    ratio = np.geomspace(*ranges.ratio, ranges.grid)
    computed = np.geomspace(*ranges.ratio, RATIOS_OF_A_SLOW_LAW) if family.slow else ratio
    tolerance = TOLERANCE[not family.slow]
    lines = [
        collapse_line(family.law(q), log_n, tolerance=tolerance) for q in tracked(computed, "collapse, ratio by ratio")
    ]
    collapse, dimension = np.stack([line.ratio for line in lines]), np.stack([line.dimension for line in lines])
    if family.slow:
        collapse = np.exp(_between(computed, np.log(collapse), ratio))
        dimension = _between(computed, dimension, ratio)
    probes = np.array(
        [[family.condensation(q, part, log_n) for part in (0, 1)] for q in tracked(ratio, "probes, ratio by ratio")]
    )
    over = ("ratio", "log_n")
    return dataset(
        {
            "collapse": (over, collapse),
            "dimension_at_collapse": (over, dimension),
            "condensation_first": (over, probes[:, 0]),
            "condensation_second": (over, probes[:, 1]),
        },
        {"ratio": ratio, "log_n": log_n},
        MEANINGS,
        family=family.description,
    )


def _between(computed: Array, values: Array, ratio: Array) -> Array:
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(np.log(computed), values)(np.log(ratio)))


def _lines_at_decades(numbers: "xarray.Dataset") -> list[dict[str, float]]:
    """For a reader: each line at the whole powers of ten of N (at the middle of the other axis, if there is one)."""
    log_n = numbers["log_n"].values
    first, last = (math.ceil(log_n[0] / math.log(10) - 1e-9), math.floor(log_n[-1] / math.log(10) + 1e-9))
    rows = []
    for power in range(first, last + 1):
        row: dict[str, float] = {"n": 10.0**power}
        for name in (*LINES, "dimension_at_collapse", "condensation_first", "condensation_second"):
            if name not in numbers:
                continue
            values = numbers[name].values
            middle = values if values.ndim == 1 else values[len(values) // 2]
            exact = name == "dimension_at_collapse"
            interpolated = np.interp(power * math.log(10), log_n, middle if exact else np.log(middle))
            row[name] = float(interpolated if exact else np.exp(interpolated))
        rows.append(row)
    return rows
