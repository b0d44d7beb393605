"""Dimension d(r) of curved manifolds: population, N points exactly, the empirical score and trained networks.

A sphere S⁵ in R²⁰ and a torus T³ in R¹² with N = 50, 300 and 20000 points, several data sets ("seeds") each. Where a
curve falls to half of the population's is compared with the predicted collapse r_c. The quick preset trains 18
networks, about 14 minutes on two cores.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...conventions.arguments import Array
from ...conventions.law import Law
from ...manifolds import Sphere, Torus
from ...models import TrainingConfig
from ...theory.finite_size.dimension import finite_dimension
from ..dimension_curves import Study, StudySizes
from ..drawing.dimension_panels import panels
from ..figure import Figure
from ..network_runs import side_by_side

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure as Picture

KNOTS = 17  # less than half a unit of ln r apart
# They return the clean point: with "v" the linear part of what is to be learned vanishes along a circle of variance
# σ_data², and with it the start (docs/experiments.md). Trained below √r of the smallest ratio shown: networks overshoot
# at the edge of their range.
RECIPE = TrainingConfig.quick(predicts="x0", loss_on="v", batch_size=256, sigma_min=0.02, sigma_max=3.0, steps=5000)
# to memorize 300 points takes a wider network and longer than to generalize from 20000
WIDE = replace(RECIPE, width=256, sigma_min=0.04, sigma_max=2.0, steps=14000)
LONG = replace(WIDE, steps=60000)
PRESETS = (
    StudySizes("quick", seeds=3, ratios=25, queries=1000, points=200, networks=(RECIPE, WIDE, RECIPE)),
    StudySizes(
        "paper", seeds=8, ratios=49, queries=4000, points=1000, networks=(replace(WIDE, steps=20000), LONG, LONG)
    ),
)


def exact_theory(law: Law, sizes: Sequence[int], r: Array) -> Array:
    """d_N(r) of each N, shape (len(sizes), m), by the exact averages of `theory.finite_size`, side by side."""
    tasks = [partial(finite_dimension, law, np.log(n), r, KNOTS) for n in sizes]
    return np.array(side_by_side(tasks, "exact averages at N"))


STUDY = Study(
    name="curved-dimension",
    laws={"sphere": Sphere(5, ambient_dim=20), "torus": Torus([1.0, 0.8, 0.6], ambient_dim=12)},
    sizes=(50, 300, 20000),
    ends=(1.5e-3, 3.0),
    shown=(3e-3,),
    exact=exact_theory,
)


def _picture(numbers: "xarray.Dataset") -> "Picture":
    titles = {"sphere": "sphere S⁵ in R²⁰", "torus": "torus T³ in R¹²"}
    return panels(numbers, titles, "theory: mean over data sets of N points, exact")


FIGURE = Figure(STUDY.name, PRESETS, STUDY.compute, _picture, STUDY.remarks)
draw = FIGURE.draw
