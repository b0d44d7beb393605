"""Dimension d(r) of the hidden manifold y = tanh(W z/√d): population by replicas, empirical score and networks.

Latent dimension 8 in R¹⁶, N = 50, 300 and 20000 points, every data set with a W of its own. The replica averages hold
for d → ∞; theory for N points is their leading form. The quick preset trains 9 networks, about 7 minutes on two cores.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...conventions.arguments import Array
from ...manifolds import HiddenManifold
from ...models import TrainingConfig
from ..dimension_curves import Study, StudySizes
from ..drawing.dimension_panels import panels
from ..figure import Figure

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure as Picture

LATENT, AMBIENT = 8, 16
RECIPE = TrainingConfig.quick(predicts="x0", loss_on="v", batch_size=256, sigma_min=0.06, sigma_max=4.0, steps=4000)
WIDE = replace(RECIPE, width=256, steps=12000)
LONG = replace(WIDE, steps=60000)
PRESETS = (
    StudySizes("quick", seeds=3, ratios=25, queries=1000, points=200, networks=(RECIPE, WIDE, RECIPE)),
    StudySizes(
        "paper", seeds=8, ratios=49, queries=4000, points=1000, networks=(replace(WIDE, steps=20000), LONG, LONG)
    ),
)


def another_manifold(law: HiddenManifold, n: int, rng: np.random.Generator) -> Array:
    """n points of a hidden manifold of the same sizes with fresh weights W."""
    return HiddenManifold(law.latent_dim, law.ambient_dim, law.activation.given, rng=rng).sample(n, rng)


STUDY = Study(
    name="hidden-dimension",
    laws={"tanh": HiddenManifold(LATENT, AMBIENT, "tanh", rng=np.random.default_rng(0))},
    sizes=(50, 300, 20000),
    ends=(1e-2, 10.0),
    shown=(3e-2,),
    sample=another_manifold,
)


def _picture(numbers: "xarray.Dataset") -> "Picture":
    titles = {"tanh": f"hidden manifold, d = {LATENT} in R¹⁶"}
    return panels(numbers, titles, "theory for N points, leading form")


FIGURE = Figure(STUDY.name, PRESETS, STUDY.compute, _picture, STUDY.remarks)
draw = FIGURE.draw
