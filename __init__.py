"""When does a diffusion model memorize its training data, and which directions of the data does it lose first?

Three legs answer through the same names, as functions of the noise-to-signal ratio r:

    theory       critical noise ratios, spectra, phase diagrams, exact averages at finite N
    simulations  the exact empirical score of N points, its reverse dynamics and observables
    models       trained score networks, linear and random-feature scores

over the laws and image sets of `manifolds`; `probes` may be asked of any score, `figures` draws. Rooms and names are
loaded when first used:

    import numpy as np
    import remanifold as rm
    rm.collapse(rm.Sphere(4), log_n=np.log(1000))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str

    from . import figures, manifolds, models, probes, simulations, theory
    from .conventions.estimate import Estimate
    from .manifolds import HiddenManifold, Linear, Mixture, Parametric, Product, Sphere, Torus, digits
    from .models import ScoreNetwork, TrainingConfig, train
    from .simulations import EmpiricalScore
    from .theory import (
        DDPM,
        OrnsteinUhlenbeck,
        RectifiedFlow,
        VarianceExploding,
        collapse,
        critical_points,
        finite_size,
        generalization,
        onset,
    )

_ROOMS = ("figures", "manifolds", "models", "probes", "simulations", "theory")
_HOMES = {
    "conventions.estimate": ("Estimate",),
    "manifolds": ("HiddenManifold", "Linear", "Mixture", "Parametric", "Product", "Sphere", "Torus", "digits"),
    "models": ("ScoreNetwork", "TrainingConfig", "train"),
    "simulations": ("EmpiricalScore",),
    "theory": (
        "DDPM",
        "OrnsteinUhlenbeck",
        "RectifiedFlow",
        "VarianceExploding",
        "collapse",
        "critical_points",
        "finite_size",
        "generalization",
        "onset",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DDPM",
    "EmpiricalScore",
    "Estimate",
    "HiddenManifold",
    "Linear",
    "Mixture",
    "OrnsteinUhlenbeck",
    "Parametric",
    "Product",
    "RectifiedFlow",
    "ScoreNetwork",
    "Sphere",
    "Torus",
    "TrainingConfig",
    "VarianceExploding",
    "__version__",
    "collapse",
    "critical_points",
    "digits",
    "figures",
    "finite_size",
    "generalization",
    "manifolds",
    "models",
    "onset",
    "probes",
    "simulations",
    "theory",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # takes as long as all the rest of the import

        return version("remanifold")
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
