"""The sizes of a U-Net, without torch, so that a training configuration can hold them."""

from dataclasses import dataclass
from typing import Any

from ...conventions.arguments import fail, positive_integer


@dataclass(frozen=True)
class UNetConfig:
    """Sizes of a `UNet`.

    Attributes:
        image_shape: (height, width) or (height, width, channels), as `ImageSet.image_shape`; both sides must halve
            evenly from one level to the next.
        width: channels at full resolution.
        multipliers: channels of each level in units of `width`; each further level halves the resolution.
        blocks: residual blocks per level on the way down; one more on the way up.
        attention: heights at which every residual block is followed by self-attention, e.g. (16,).

    Raises:
        ValueError: naming the parameter, its value and what is allowed.
    """

    image_shape: tuple[int, ...]
    width: int = 32
    multipliers: tuple[int, ...] = (1, 2)
    blocks: int = 1
    attention: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("width", "blocks"):
            object.__setattr__(self, name, positive_integer(getattr(self, name), name))
        for name in ("image_shape", "multipliers", "attention"):
            object.__setattr__(self, name, _integers(getattr(self, name), name))
        if len(self.image_shape) not in (2, 3):
            raise fail("image_shape", self.image_shape, "must be (height, width) or (height, width, channels)")
        if not self.multipliers:
            raise fail("multipliers", self.multipliers, "must have one entry per level")
        halving = 2 ** (len(self.multipliers) - 1)
        if any(side % halving for side in self.image_shape[:2]):
            allowed = f"sides must be multiples of {halving} for {len(self.multipliers)} levels: resize the images"
            raise fail("image_shape", self.image_shape, allowed)
        heights = [self.image_shape[0] >> level for level in range(len(self.multipliers))]
        if not set(self.attention) <= set(heights):
            raise fail("attention", self.attention, f"must be among the heights of the levels, {heights}")

    @property
    def channels(self) -> int:
        """Colours of the images."""
        return self.image_shape[2] if len(self.image_shape) == 3 else 1

    @property
    def dim(self) -> int:
        """D, the number of values in an image."""
        return self.image_shape[0] * self.image_shape[1] * self.channels


def _integers(value: Any, name: str) -> tuple[int, ...]:
    if not isinstance(value, (tuple, list)):
        raise fail(name, value, "must be a tuple of integers ≥ 1")
    return tuple(positive_integer(entry, name) for entry in value)
