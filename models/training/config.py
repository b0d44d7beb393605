"""What a training run is: everything that decides the weights, apart from the data and the process."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ...conventions.arguments import fail, numbers, one_of, positive_integer, positive_scalar
from ..networks.preconditioning import PREDICTIONS
from ..networks.unet_config import UNetConfig

_PUBLISHED: dict[str, Any] = {
    "steps": 2_000_000,
    "batch_size": 128,
    "depth": 2,
    "optimizer": "radam",
    "learning_rate": 1e-4,
    "warmup": 0,
    "decay": 0.0,
    "ema": 0.9999,
    "clip": None,
    "sigma_max": 50.0,
}


@dataclass(frozen=True)
class TrainingConfig:
    """Parameters of one training run; two runs with equal parameters and data give equal weights on one
    machine.

    Attributes:
        steps: optimiser steps.
        batch_size: noised points per step, drawn with replacement.
        width, depth: of the `ResidualMLP`, used where `unet` is None.
        unet: sizes of a `UNet`, for points that are images.
        predicts: what the network returns, "v", "eps" or "x0" under EDM preconditioning
            (`models.networks.preconditioning`). "v" has nothing to start from along a curved direction of variance
            σ_data² and may miss it, see docs/experiments.md.
        loss_on: the one of these whose squared error is the loss; default the predicted one. That is the weighting of
            noise levels: with the error e = |m - y|²/σ_data² of the denoiser, "v" is EDM's e (1 + σ_data²/r),
            "eps" is e σ_data²/r and "x0" is e.
        optimizer: "adam" or "radam" (arXiv 1908.03265).
        learning_rate: the plateau value; linear rise over `warmup` steps before it, linear fall to 0 over the
            last fraction `decay` of the run.
        ema: decay β of the moving average of the weights, which is the trained network. The first steps use
            min(β, (1+k)/(10+k)), so that a short run is not an average with its start.
        clip: largest norm of the gradient; None for no limit.
        sigma_min, sigma_max: range of noise levels σ = √r, in units of the data. Choose sigma_min below √ of the
            smallest r to be shown: networks overshoot at that edge.
        seed: of the initial weights, the batches and the noise.

    Raises:
        ValueError: naming the parameter, its value and what is allowed.
    """

    steps: int = 6000
    batch_size: int = 512
    width: int = 128
    depth: int = 3
    optimizer: str = "adam"
    learning_rate: float = 3e-3
    warmup: int = 200
    decay: float = 0.3
    ema: float = 0.999
    clip: float | None = 1.0
    sigma_min: float = 0.01
    sigma_max: float = 10.0
    seed: int = 0
    unet: UNetConfig | None = None
    predicts: str = "v"
    loss_on: str | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "width", "depth"):
            self._set(name, positive_integer(getattr(self, name), name))
        for name in ("learning_rate", "sigma_min", "sigma_max"):
            self._set(name, positive_scalar(getattr(self, name), name))
        for name in ("warmup", "seed"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < 2**63:
                raise fail(name, value, "must be an integer ≥ 0 and < 2^63")
            self._set(name, int(value))
        one_of(self.optimizer, ["adam", "radam"], "optimizer")
        if numbers(self.decay, "decay").shape or not 0 <= self.decay <= 1:
            raise fail("decay", self.decay, "must be a fraction between 0 and 1")
        if numbers(self.ema, "ema").shape or not 0 <= self.ema < 1:
            raise fail("ema", self.ema, "must be ≥ 0 and < 1")
        if self.clip is not None:
            self._set("clip", positive_scalar(self.clip, "clip"))
        one_of(self.predicts, PREDICTIONS, "predicts")
        one_of(self.loss_on, [None, *PREDICTIONS], "loss_on")
        if self.unet is not None and not isinstance(self.unet, UNetConfig):
            raise fail("unet", self.unet, "must be a UNetConfig")
        if self.sigma_min >= self.sigma_max:
            raise fail("sigma_min", self.sigma_min, f"must be < sigma_max = {self.sigma_max}")

    def _set(self, name: str, value: float) -> None:
        """Replaces a parameter by its plain Python number, which JSON can hold."""
        object.__setattr__(self, name, value)

    @classmethod
    def quick(cls, **changes: Any) -> "TrainingConfig":
        """Width 128, batch 512, Adam 3e-3, 6000 steps: under a minute on two cores (for N ≤ 50: 12000)."""
        return cls._preset({}, changes)

    @classmethod
    def long(cls, **changes: Any) -> "TrainingConfig":
        """Width 256, batch 512, Adam 2e-3, 16000 steps: some minutes on two cores."""
        return cls._preset({"width": 256, "learning_rate": 2e-3, "steps": 16000}, changes)

    @classmethod
    def paper(cls, **changes: Any) -> "TrainingConfig":
        """The published parameters of arXiv 2410.08727 (synthetic data): hours on two cores.

        RAdam 1e-4 without schedule, batch 128, EMA 0.9999, 2 million steps, width 128, 2 residual blocks,
        σ(t) = 0.01·5000^t with t uniform, that is σ log-uniform between 0.01 and 50. Theirs is a network with
        layer normalisation that predicts the noise without preconditioning; ours keeps `ResidualMLP` and EDM.
        """
        return cls._preset(_PUBLISHED, changes)

    @classmethod
    def quick_images(cls, image_shape: tuple[int, ...], **changes: Any) -> "TrainingConfig":
        """A U-Net of width 16 with two levels, batch 64, Adam 2e-3, 1000 steps: about a minute on one core at 8×8."""
        values = {"unet": UNetConfig(image_shape, width=16), "batch_size": 64, "learning_rate": 2e-3, "steps": 1000}
        return cls._preset(values, changes)

    @classmethod
    def paper_images(cls, image_shape: tuple[int, ...], **changes: Any) -> "TrainingConfig":
        """The U-Net of arXiv 2410.08727 (images): width 128, multipliers 1, 2, 2, 2, attention at 16. For a GPU.

        Sides must be multiples of 8: MNIST is resized to 32. To be trained with `process=DDPM()`, whose 1000 steps
        with β from 1e-4 to 2e-2 span the noise levels here; predicts ε. Optimiser, batch and average are those of
        `paper`, blocks per level ours; the step is drawn between the integers too, the input scale is EDM's.
        """
        sizes = UNetConfig(image_shape, width=128, multipliers=(1, 2, 2, 2), blocks=2, attention=(16,))
        values = {**_PUBLISHED, "unet": sizes, "predicts": "eps", "sigma_min": 0.0101, "sigma_max": 150.0}
        return cls._preset(values, changes)

    @classmethod
    def _preset(cls, values: dict[str, Any], changes: dict[str, Any]) -> "TrainingConfig":
        for name in changes:
            one_of(name, [field.name for field in fields(cls)], "parameter")
        return cls(**{**values, **changes})

    def rate(self, step: int) -> float:
        """Learning rate of step 0 … steps - 1."""
        rise = (step + 1) / self.warmup if step < self.warmup else 1.0
        fall = (self.steps - step) / (self.decay * self.steps) if self.decay else 1.0
        return self.learning_rate * min(rise, fall, 1.0)

    def averaging(self, step: int) -> float:
        """Weight of the past in the moving average after step 0 … steps - 1."""
        return min(self.ema, (1 + step) / (10 + step))
