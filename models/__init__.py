"""What models learn: score networks, linear and random-feature scores, their training, and probes of any score.

Names are loaded when first used, because torch takes a second to import and the command line should not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.dimension_probes import dimension_curve, dimensions, normal_bundle
    from models.fixed_points import attractors, state_fractions
    from models.linear_score import LinearScore
    from models.network import ResidualMLP
    from models.random_feature_score import RandomFeatureScore
    from models.score_distance import score_error, side
    from models.score_jacobian import ScoreJacobian
    from models.score_network import ScoreNetwork
    from models.spectral_probes import jacobian_spectrum, measured_gaps
    from models.training import train
    from models.training_config import TrainingConfig
    from models.unet import UNet
    from models.unet_config import UNetConfig

__all__ = [
    "LinearScore",
    "RandomFeatureScore",
    "ResidualMLP",
    "ScoreJacobian",
    "ScoreNetwork",
    "TrainingConfig",
    "UNet",
    "UNetConfig",
    "attractors",
    "dimension_curve",
    "dimensions",
    "jacobian_spectrum",
    "measured_gaps",
    "normal_bundle",
    "score_error",
    "side",
    "state_fractions",
    "train",
]

_HOMES = {
    "LinearScore": "models.linear_score",
    "RandomFeatureScore": "models.random_feature_score",
    "ResidualMLP": "models.network",
    "ScoreJacobian": "models.score_jacobian",
    "ScoreNetwork": "models.score_network",
    "TrainingConfig": "models.training_config",
    "UNet": "models.unet",
    "UNetConfig": "models.unet_config",
    "attractors": "models.fixed_points",
    "dimension_curve": "models.dimension_probes",
    "dimensions": "models.dimension_probes",
    "jacobian_spectrum": "models.spectral_probes",
    "measured_gaps": "models.spectral_probes",
    "normal_bundle": "models.dimension_probes",
    "score_error": "models.score_distance",
    "side": "models.score_distance",
    "state_fractions": "models.fixed_points",
    "train": "models.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'models' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
