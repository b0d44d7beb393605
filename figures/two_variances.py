"""Dimension against (r, N) in the setting of arXiv 2410.08727, as a table; the picture is `losing-dimensions`.

D = 30, standard deviations 1 (×2), 0.3 (×5), 0.01 (×23), normalised to the unit sphere. d(r) of N points by the
leading form of theory, of the empirical score, and of the network that `losing-dimensions` trains on N = 500 (trained
here if need be).
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from figures.comparison import Agreement, Row, agreements, recorded, regimes
from figures.digits_dimension import half_crossing
from figures.finite_dimension import leading_finite_dimension
from figures.losing_dimensions import DIM, HIGH, LOW, N_NETWORK, PRESETS
from figures.network_runs import Run, trained
from figures.results import provenance, writable
from manifolds import NormalizedLinear
from theory import collapse
from theory.estimate import Estimate
from theory.validation import Array, one_of

SIZES = (250, 500, 1000, 20000)
SHOWN = (0.1, 0.01, 0.001)
RATIOS = np.geomspace(1.0, 3e-4, 29)[::-1]


def write(out: Path, preset: str = "quick", seed: int = 0) -> Path:
    """Computes the table and writes it to two-variances.json in `out`, whole or not at all; about a minute."""
    record = table(writable(out), preset, seed)
    temporary, path = out / ".two-variances.json", out / "two-variances.json"
    temporary.write_text(json.dumps(record, indent=2) + "\n")
    os.replace(temporary, path)
    return path


def table(out: Path, preset: str = "quick", seed: int = 0, queries: int = 1000) -> dict[str, Any]:
    """The record of the comparison (JSON): rows theory | empirical score | network, agreement per regime."""
    one_of(preset, PRESETS, "preset")
    law, rng = NormalizedLinear.two_subspaces(HIGH, LOW, DIM), np.random.default_rng(seed)
    points = law.sample(N_NETWORK, rng)  # the first draw of losing-dimensions at this seed
    network = _network(points, out, preset, seed).dimension(RATIOS, points[:200], np.random.default_rng([seed, 1]))
    rows: list[Row] = []
    agreed: list[Agreement] = []
    for n in SIZES:
        data = points if n == N_NETWORK else law.sample(n, np.random.default_rng([seed, n]))
        more, fresh = _of_size(law, n, data, network if n == N_NETWORK else None, queries, seed)
        rows += more
        agreed += fresh
    return provenance(figure="two-variances", preset=preset, seed=seed, **recorded(rows, agreed))


def _network(points: Array, out: Path, preset: str, seed: int) -> Any:
    from models import TrainingConfig

    steps = PRESETS[preset]["steps"]
    config = TrainingConfig.quick(steps=steps, sigma_min=0.004, seed=seed) if steps else TrainingConfig.paper(seed=seed)
    (network,) = trained([Run(points, config, out / "networks" / f"losing-dimensions-{preset}-{seed}")], "network")
    return network


def _of_size(
    law: NormalizedLinear, n: int, data: Array, network: Estimate | None, queries: int, seed: int
) -> tuple[list[Row], list[Agreement]]:
    from simulations import EmpiricalScore

    population = np.asarray(law.dimension(RATIOS))
    theory = leading_finite_dimension(law.information(RATIOS), population, np.log(n), RATIOS)
    curve = EmpiricalScore(data).dimension(RATIOS, np.random.default_rng([seed, 2]), n_queries=queries)
    r_c = collapse(law, log_n=np.log(n))
    halves = [
        None if leg is None else half_crossing(RATIOS, np.asarray(leg.mean) / population) for leg in (curve, network)
    ]
    rows = [Row(f"N = {n}: r where d = ½ of the population's", r_c, *halves)]
    for ratio in SHOWN:
        expected = float(np.interp(np.log(ratio), np.log(RATIOS), theory))
        legs = [None if leg is None else _at(leg, ratio) for leg in (curve, network)]
        rows.append(Row(f"N = {n}: d({ratio:g})", expected, *legs))
    where = regimes(RATIOS, r_c, float(law.dimension(r_c)))
    learned = None if network is None else np.asarray(network.mean)
    empirical = np.asarray(curve.mean)
    case = f"N = {n}"
    return rows, agreements(case, where, population=population, theory=theory, empirical=empirical, network=learned)


def _at(leg: Estimate, ratio: float) -> Estimate:
    """Linear in ln r between the ratios."""
    return Estimate(*(float(np.interp(np.log(ratio), np.log(RATIOS), part)) for part in leg))
