"""What theory says of N points of a law at each noise ratio: exactly where the law allows it, else to leading order."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...conventions.arguments import Array
from ...conventions.energy_law import has_energy_law
from ...manifolds import Manifold
from .. import collapse, finite_size
from .dimension import finite_dimension, leading_finite_dimension
from .scaling import annealed_form

OBSERVABLES = ("participation", "dimension", "information", "retrieval", "excess_entropy")


def expected(law: Manifold, n: int, r: Array, names: Sequence[str]) -> dict[str, Array]:
    """Means over data sets of N points of the `OBSERVABLES` named, each an array over r (m,), increasing.

    Exact at finite N for a law with energies of closed form (`theory.finite_size`; d_N within 0.01). Otherwise
    E w_1 ≈ E expit(I - ln N - √d z) and S ≈ E softplus(ln N - I + √d z), z ~ N(0, 1), with d(r) for the variance of the
    information density, which is so for linear manifolds; measured errors, from a tenth to ten times r_c, up to 0.12,
    0.25 nats and 0.55 in d_N there, 0.18, 0.4 nats and 0.45 on spheres. E Y = E w_1, I_N = ln N - S. docs/sweeps.md.
    """
    averages = _exact(law, n, r, names) if has_energy_law(law) else _leading(law, n, r)
    averages["participation"] = averages["retrieval"]
    averages["information"] = math.log(n) - averages["excess_entropy"]
    return {name: averages[name] for name in names}


def _exact(law: Any, n: int, r: Array, names: Sequence[str]) -> dict[str, Array]:
    log_n, known = math.log(n), {}
    pairs = []
    for ratio in r.tolist():  # both of one ratio are one calculation, remembered for a while
        pairs.append([average(law, log_n, ratio) for average in (finite_size.retrieval, finite_size.excess_entropy)])
    known["retrieval"], known["excess_entropy"] = np.array(pairs).T
    if "dimension" in names:
        knots = 5 + math.ceil(2 * math.log(r.max() / r.min()))
        curve = finite_dimension(law, log_n, r, knots)
        known["dimension"] = np.maximum(curve, 0.0)  # a spline may dip below
    return known


def _leading(law: Manifold, n: int, r: Array) -> dict[str, Array]:
    log_n = math.log(n)
    count = 9 + math.ceil(4 * math.log(r.max() / r.min()))
    fine = np.geomspace(r.min() / 1.6, r.max() * 1.6, count)
    information, dimension = np.asarray(law.information(fine)), np.asarray(law.dimension(fine))
    form = annealed_form(log_n - information, dimension)
    curves = {
        "retrieval": form.retrieval,
        "excess_entropy": form.excess_entropy,
        "dimension": leading_finite_dimension(information, dimension, log_n, fine),
    }
    return {name: np.interp(np.log(r), np.log(fine), curve) for name, curve in curves.items()}


def ratios_around(laws: Sequence[Manifold], sizes: Sequence[int], count: int) -> Array:
    """Noise ratios from a tenth of the smallest to ten times the largest collapse point of the laws and sizes."""
    points = [collapse(law, log_n=math.log(n)) for law in laws for n in (min(sizes), max(sizes))]
    return np.geomspace(min(points) / 10, max(points) * 10, count)
