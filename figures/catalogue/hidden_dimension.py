"""Dimension d(r) of the hidden manifold y = tanh(W z/√d): population by replicas, empirical score and networks.

Latent dimension 8 in R¹⁶, N = 50, 300 and 20000 points, every data set with a W of its own. The replica averages hold
for d → ∞; theory for N points is their leading form.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.arguments import Array
from ...manifolds import HiddenManifold
from ..dimension_curves import Study
from ..drawing.dimension_panels import panels

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

LATENT, AMBIENT = 8, 16
RECIPE: dict[str, Any] = {"predicts": "x0", "loss_on": "v", "batch_size": 256, "sigma_min": 0.06, "sigma_max": 4.0}
WIDE: dict[str, Any] = {**RECIPE, "width": 256}


def another_manifold(law: HiddenManifold, n: int, rng: np.random.Generator) -> Array:
    """n points of a hidden manifold of the same sizes with fresh weights W."""
    return HiddenManifold(law.latent_dim, law.ambient_dim, law.activation.given, rng=rng).sample(n, rng)


STUDY = Study(
    name="hidden-dimension",
    laws={"tanh": HiddenManifold(LATENT, AMBIENT, "tanh", rng=np.random.default_rng(0))},
    sizes=(50, 300, 20000),
    ends=(1e-2, 10.0),
    shown=(3e-2,),
    presets={
        "quick": {"seeds": 3, "ratios": 25, "queries": 1000, "points": 200,
                  "networks": ({**RECIPE, "steps": 4000}, {**WIDE, "steps": 12000}, {**RECIPE, "steps": 4000})},
        "paper": {"seeds": 8, "ratios": 49, "queries": 4000, "points": 1000,
                  "networks": ({**WIDE, "steps": 20000}, {**WIDE, "steps": 60000}, {**WIDE, "steps": 60000})},
    },
    sample=another_manifold,
)  # fmt: skip


def draw(out: Path, preset: str = "quick", seed: int = 0) -> list[Path]:
    """Computes and writes the figure; the quick preset trains 9 networks, about 7 minutes on two cores."""
    return STUDY.draw(out, preset, seed, _picture)


def _picture(numbers: "xarray.Dataset") -> "Figure":
    titles = {"tanh": f"hidden manifold, d = {LATENT} in R¹⁶"}
    return panels(numbers, titles, "theory for N points, leading form")
