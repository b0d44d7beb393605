"""Which network a configuration asks for, and how a saved one is built again."""

from dataclasses import asdict
from typing import Any

from torch import nn

from ...conventions.arguments import fail
from ..training.config import TrainingConfig
from .residual_mlp import ResidualMLP
from .unet import UNet
from .unet_config import UNetConfig


def build(ambient_dim: int, config: TrainingConfig) -> nn.Module:
    """The untrained network for points in `ambient_dim` dimensions; ValueError if they are not the U-Net's images."""
    if config.unet is None:
        return ResidualMLP(ambient_dim, config.width, config.depth)
    if config.unet.dim != ambient_dim:
        raise fail("unet", config.unet, f"image_shape must have {ambient_dim} values, the dimension of the points")
    return UNet(config.unet)


def is_known(network: nn.Module) -> bool:
    """Whether `rebuild` can make this network from its `sizes`."""
    return isinstance(network, (ResidualMLP, UNet))


def sizes(network: nn.Module) -> dict[str, Any]:
    """What JSON has to remember of a known network besides its weights."""
    if isinstance(network, UNet):
        return {"unet": asdict(network.config)}
    return {name: getattr(network, name) for name in ("dim", "width", "depth")}


def rebuild(record: dict[str, Any]) -> nn.Module:
    """An untrained network of these `sizes`."""
    return UNet(UNetConfig(**record["unet"])) if "unet" in record else ResidualMLP(**record)
