"""A small U-Net for images, told the noise level in every residual block.

Down: residual blocks, then a strided convolution, per level; a middle of two blocks; up: blocks that also see the
output of the block opposite, then nearest-neighbour doubling and a convolution. The embedding of ln σ is the
perceptron's; the last convolution starts at zero, so that the untrained denoiser is c_skip x or alike. After Ho et al.,
arXiv 2006.11239, without dropout.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, silu

from .image_rows import images_to_rows, rows_to_images
from .residual_mlp import FREQUENCIES, noise_features, noise_frequencies
from .unet_config import UNetConfig

HEAD = 32  # channels per attention head
GROUPS = 8  # of the group normalisation, at most


class UNet(nn.Module):
    """U-Net (x (n, D), ln σ (n,)) → (n, D) on points that are images flattened channels last; sizes in `config`."""

    frequencies: Tensor

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config, self.dim, self.image_shape = config, config.dim, config.image_shape
        self.register_buffer("frequencies", noise_frequencies(), persistent=False)
        widths = [config.width * multiplier for multiplier in config.multipliers]
        size = 4 * config.width
        self.embed = nn.Sequential(nn.Linear(2 * FREQUENCIES, size), nn.SiLU(), nn.Linear(size, size), nn.SiLU())
        self.enter = nn.Conv2d(config.channels, config.width, 3, padding=1)
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        seen, width = [config.width], config.width
        for level, wide in enumerate(widths):
            attentive = config.image_shape[0] >> level in config.attention
            for _ in range(config.blocks):
                self.down.append(Block(width, wide, size, attentive))
                width = wide
                seen.append(width)
            if level < len(widths) - 1:
                self.shrink.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
                seen.append(width)
        self.middle = nn.ModuleList([Block(width, width, size, attentive), Block(width, width, size, False)])
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for level, wide in reversed(list(enumerate(widths))):
            attentive = config.image_shape[0] >> level in config.attention
            for _ in range(config.blocks + 1):
                self.up.append(Block(width + seen.pop(), wide, size, attentive))
                width = wide
            if level > 0:
                self.grow.append(nn.Conv2d(width, width, 3, padding=1))
        self.normalise = _normalisation(width)
        self.leave = nn.Conv2d(width, config.channels, 3, padding=1)
        for parameter in self.leave.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, log_sigma: Tensor) -> Tensor:
        """Output (n, D) for inputs x (n, D) at noise levels ln σ (n,)."""
        told = self.embed(noise_features(log_sigma, self.frequencies))
        hidden = self.enter(rows_to_images(x, self.image_shape))
        seen, blocks = [hidden], self.config.blocks
        for level in range(len(self.config.multipliers)):
            for block in self.down[level * blocks : (level + 1) * blocks]:
                hidden = block(hidden, told)
                seen.append(hidden)
            if level < len(self.shrink):
                hidden = self.shrink[level](hidden)
                seen.append(hidden)
        for block in self.middle:
            hidden = block(hidden, told)
        for level in range(len(self.config.multipliers)):
            for block in self.up[level * (blocks + 1) : (level + 1) * (blocks + 1)]:
                hidden = block(torch.cat([hidden, seen.pop()], 1), told)
            if level < len(self.grow):
                hidden = self.grow[level](interpolate(hidden, scale_factor=2.0, mode="nearest"))
        return images_to_rows(self.leave(silu(self.normalise(hidden))))


class Block(nn.Module):
    """Two convolutions around a shortcut, then attention, if wanted.

    The noise level scales and shifts the second one's input *after* normalisation, which would undo a shift before it
    (arXiv 2105.05233).
    """

    def __init__(self, width_in: int, width_out: int, size: int, attentive: bool) -> None:
        super().__init__()
        self.first = nn.Sequential(_normalisation(width_in), nn.SiLU(), nn.Conv2d(width_in, width_out, 3, padding=1))
        self.modulate = nn.Linear(size, 2 * width_out)
        self.normalise, self.second = _normalisation(width_out), nn.Conv2d(width_out, width_out, 3, padding=1)
        self.shortcut = nn.Identity() if width_in == width_out else nn.Conv2d(width_in, width_out, 1)
        self.attention = Attention(width_out) if attentive else nn.Identity()

    def forward(self, hidden: Tensor, told: Tensor) -> Tensor:
        """(n, C', H, W) from (n, C, H, W) and the embedded noise level (n, E)."""
        scale, shift = self.modulate(told)[:, :, None, None].chunk(2, 1)
        inner = self.normalise(self.first(hidden)) * (1 + scale) + shift
        return self.attention(self.shortcut(hidden) + self.second(silu(inner)))


class Attention(nn.Module):
    """Self-attention between all pixels, with a shortcut.

    Written out, because the Jacobian's products need its second derivative, which the fused kernels lack.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = max(1, width // HEAD) if width % HEAD == 0 else 1
        self.normalise = _normalisation(width)
        self.ask = nn.Conv2d(width, 3 * width, 1, bias=False)
        self.leave = nn.Conv2d(width, width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, C, H, W) from the same."""
        n, width, *sides = hidden.shape
        query, key, value = (
            self.ask(self.normalise(hidden)).reshape(n, 3, self.heads, width // self.heads, -1).unbind(1)
        )
        weights = torch.softmax(query.transpose(-1, -2) @ key / math.sqrt(width // self.heads), -1)
        return hidden + self.leave((value @ weights.transpose(-1, -2)).reshape(n, width, *sides))


def _normalisation(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(width, GROUPS), width)
