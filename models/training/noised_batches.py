"""The batch of step k as a pure function of (data, configuration, k).

A counter-based generator (Philox: key = seed, counter = step) gives every step its own stream, so a resumed
run needs no saved generator state and sees exactly the batches that the uninterrupted one would have seen.

In units of σ_data, with y the clean point, ξ the noise and tan α = σ/σ_data, the network is shown
c_in x = cos α y + sin α ξ and has to return ξ, y or (EDM's choice) (y - c_skip x)/c_out = sin α y - cos α ξ;
the loss is the squared error of one of the three, whichever is returned (`models.networks.preconditioning`).
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

from ...conventions.arguments import Array, fail, numbers
from ...theory.processes import Process
from ..networks.preconditioning import loss_weight, prediction_target
from .config import TrainingConfig


class Batch(NamedTuple):
    """Inputs (B, D), ln σ (B,), targets (B, D) and weights of their squared errors (B, 1), float32."""

    shown: torch.Tensor
    log_sigma: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor


class NoisedBatches:
    """Batches of denoising score matching for a data set (N, D).

    Noise levels are stratified: one in each of B equal cells, of ln σ between ln sigma_min and ln sigma_max,
    or, with a process, of its time between the times at which r is sigma_min² and sigma_max²; r is then that
    of a uniformly drawn time.

    Raises:
        ValueError: for data that are not (N, D) finite numbers, or are all the same point, or noise levels
            that the process does not reach.
    """

    def __init__(self, data: ArrayLike, config: TrainingConfig, process: Process | None = None) -> None:
        array = numbers(data, "points")
        if array.ndim != 2 or array.size == 0:
            raise ValueError(f"points has shape {array.shape}: must be (N, D) with N ≥ 1 and D ≥ 1")
        self.config = config
        self.process = process
        self.centre = array.mean(0)
        self.sigma_data = float(np.sqrt(np.mean((array - self.centre) ** 2)))
        if not self.sigma_data > 0:
            raise fail("points", array, "must not be all the same point")
        self._scaled = ((array - self.centre) / self.sigma_data).astype(np.float32)
        ends = np.array([config.sigma_min, config.sigma_max])
        self._ends = np.log(ends) if process is None else process.time(ends**2)

    def generator(self, step: int) -> np.random.Generator:
        """The random numbers of step k."""
        return np.random.Generator(np.random.Philox(key=self.config.seed, counter=[0, 0, step, 0]))

    def log_sigma(self, rng: np.random.Generator) -> Array:
        """Stratified ln σ (B,), ascending."""
        size = self.config.batch_size
        clock = self._ends[0] + (self._ends[1] - self._ends[0]) * (np.arange(size) + rng.random(size)) / size
        return clock if self.process is None else 0.5 * np.log(self.process.noise_ratio(clock))

    def __call__(self, step: int) -> Batch:
        """The batch of step k = 0, 1, …"""
        rng = self.generator(step)
        clean = self._scaled[rng.integers(len(self._scaled), size=self.config.batch_size)]
        log_sigma = self.log_sigma(rng)
        angle = np.arctan(np.exp(log_sigma) / self.sigma_data).astype(np.float32)[:, None]
        xi = rng.standard_normal(clean.shape, dtype=np.float32)
        cosine, sine = np.cos(angle), np.sin(angle)
        shown = cosine * clean + sine * xi
        target = prediction_target(self.config.predicts, clean, xi, cosine, sine)
        weight = loss_weight(self.config.predicts, self.config.loss_on or self.config.predicts, cosine, sine)
        return Batch(*map(torch.from_numpy, (shown, log_sigma.astype(np.float32), target, weight)))
