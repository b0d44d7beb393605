"""What theory says of N points of a law along r: exactly where the energies are closed, else to leading order."""

import math
from collections.abc import Sequence

import numpy as np

from ...conventions.arguments import Array
from ...conventions.law import InformedLaw, Law, has_energies
from ..collapse import collapse
from .averages import excess_entropy, retrieval
from .dimension import finite_dimension, leading_finite_dimension
from .scaling import annealed_form

OBSERVABLES = ("participation", "dimension", "information", "retrieval", "excess_entropy")


def expected_observables(law: Law, log_n: float, r: Array, names: Sequence[str]) -> dict[str, Array]:
    """Means over data sets of N = e^log_n points of the `OBSERVABLES` named, each an array over r (m,), increasing.

    Exact at finite N for a law with closed energies (d_N within 0.01). Otherwise E w_1 ≈ E expit(I - ln N - √d z) and
    S ≈ E softplus(ln N - I + √d z), z ~ N(0, 1), with d(r) for the variance of the information density, which is so for
    linear manifolds; measured errors, from a tenth to ten times r_c, up to 0.12, 0.25 nats and 0.55 in d_N there, 0.18,
    0.4 nats and 0.45 on spheres. E Y = E w_1, I_N = ln N - S. docs/sweeps.md, docs/theory.md §5.1.
    """
    known = (_exact if has_energies(law) else _leading)(law, log_n, r, "dimension" in names)
    known["participation"] = known["retrieval"]
    known["information"] = log_n - known["excess_entropy"]
    return {name: known[name] for name in names}


def _exact(law: Law, log_n: float, r: Array, with_dimension: bool) -> dict[str, Array]:
    # both of one ratio are one calculation, remembered for a while
    pairs = [(retrieval(law, log_n, ratio), excess_entropy(law, log_n, ratio)) for ratio in r.tolist()]
    known = dict(zip(("retrieval", "excess_entropy"), np.array(pairs).T, strict=True))
    if with_dimension:
        knots = 5 + math.ceil(2 * math.log(r.max() / r.min()))
        known["dimension"] = np.maximum(finite_dimension(law, log_n, r, knots), 0.0)  # a spline may dip below
    return known


def _leading(law: Law, log_n: float, r: Array, with_dimension: bool) -> dict[str, Array]:
    count = 9 + math.ceil(4 * math.log(r.max() / r.min()))
    fine = np.geomspace(r.min() / 1.6, r.max() * 1.6, count)
    information, dimension = np.asarray(law.information(fine)), np.asarray(law.dimension(fine))
    known = annealed_form(log_n - information, dimension)._asdict()
    if with_dimension:
        known["dimension"] = leading_finite_dimension(information, dimension, log_n, fine)
    return {name: np.interp(np.log(r), np.log(fine), curve) for name, curve in known.items()}


def ratios_around(laws: Sequence[InformedLaw], sizes: Sequence[int], count: int) -> Array:
    """Noise ratios from a tenth of the smallest to ten times the largest collapse point of the laws and sizes."""
    points = [collapse(law, log_n=math.log(n)) for law in laws for n in (min(sizes), max(sizes))]
    return np.geomspace(min(points) / 10, max(points) * 10, count)
