"""What models learn: score networks, linear and random-feature scores, and their training.

Names are loaded when first used, because torch takes a second to import and the command line should not. Start with
`train` and `ScoreNetwork`; `networks` holds the modules, `training` the loop. What may be asked of any score is in
`remanifold.probes`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .linear_score import LinearScore
    from .networks.residual_mlp import ResidualMLP
    from .networks.unet import UNet
    from .networks.unet_config import UNetConfig
    from .random_feature_score import RandomFeatureScore
    from .score_network import ScoreNetwork
    from .training.config import TrainingConfig
    from .training.train import train

__all__ = [
    "LinearScore",
    "RandomFeatureScore",
    "ResidualMLP",
    "ScoreNetwork",
    "TrainingConfig",
    "UNet",
    "UNetConfig",
    "train",
]

_HOMES = {
    "LinearScore": ".linear_score",
    "RandomFeatureScore": ".random_feature_score",
    "ResidualMLP": ".networks.residual_mlp",
    "ScoreNetwork": ".score_network",
    "TrainingConfig": ".training.config",
    "UNet": ".networks.unet",
    "UNetConfig": ".networks.unet_config",
    "train": ".training.train",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
