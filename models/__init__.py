"""What a network learns: small score models, their training and their spectra.

Names are loaded when first used, because torch takes a second to import and the command line should not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.network import ResidualMLP
    from models.score_network import ScoreNetwork
    from models.training import train
    from models.training_config import TrainingConfig

__all__ = ["ResidualMLP", "ScoreNetwork", "TrainingConfig", "train"]

_HOMES = {
    "ResidualMLP": "models.network",
    "ScoreNetwork": "models.score_network",
    "TrainingConfig": "models.training_config",
    "train": "models.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'models' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
