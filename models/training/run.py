"""The state of a training run and its one step: everything a checkpoint has to hold."""

import copy

import torch

from ..networks.architecture import build
from ..score_network import ScoreNetwork
from .config import TrainingConfig
from .noised_batches import NoisedBatches


class TrainingRun:
    """The state of a run after `step` steps: weights, average and optimiser, each one flat vector."""

    def __init__(self, batches: NoisedBatches, config: TrainingConfig, device: torch.device) -> None:
        self.batches, self.config, self.device = batches, config, device
        self.step, self.seconds = 0, 0.0
        with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay untouched
            torch.manual_seed(config.seed)
            self.network = build(batches.centre.size, config).to(device)
        self.parameters = list(self.network.parameters())
        # One vector, of which the parameters are views, keeps the optimiser, the clipping and the average to
        # a few calls per step: for small networks those calls, not the arithmetic, would be the time.
        self.weights = torch.nn.Parameter(torch.cat([p.detach().reshape(-1) for p in self.parameters]))
        start = 0
        for parameter in self.parameters:
            parameter.data = self.weights.data[start : start + parameter.numel()].view_as(parameter)
            start += parameter.numel()
        self.average = self.weights.detach().clone()
        if config.optimizer == "adam":
            self.optimizer: torch.optim.Optimizer = torch.optim.Adam([self.weights], fused=device.type != "mps")
        else:
            self.optimizer = torch.optim.RAdam([self.weights])

    def advance(self) -> torch.Tensor:
        """One step; returns its loss."""
        shown, log_sigma, target, weight = (tensor.to(self.device) for tensor in self.batches(self.step))
        loss = ((self.network(shown, log_sigma) - target).square() * weight).mean()
        gradient = torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, self.parameters)])
        if self.config.clip is not None:
            gradient *= (self.config.clip / (gradient.norm() + 1e-12)).clamp(max=1.0)
        self.weights.grad = gradient
        self.optimizer.param_groups[0]["lr"] = self.config.rate(self.step)
        self.optimizer.step()
        self.average.lerp_(self.weights.detach(), 1 - self.config.averaging(self.step))
        self.step += 1
        return loss.detach()

    def tensors(self) -> dict[str, torch.Tensor]:
        """All that `restore` needs."""
        moments = {f"optimizer.{key}": value for key, value in self.optimizer.state[self.weights].items()}
        return {"weights": self.weights, "average": self.average, **moments}

    def restore(self, tensors: dict[str, torch.Tensor], step: int, seconds: float) -> None:
        """Puts the run into a saved state."""
        with torch.no_grad():
            self.weights.copy_(tensors["weights"])
            self.average.copy_(tensors["average"])
        moments = {key.removeprefix("optimizer."): value for key, value in tensors.items() if "." in key}
        state = {**self.optimizer.state_dict(), "state": {0: moments}}
        self.optimizer.load_state_dict(state)
        self.step, self.seconds = step, seconds

    def score_network(self, device: str) -> ScoreNetwork:
        """The network with the averaged weights."""
        averaged = copy.deepcopy(self.network).cpu()
        torch.nn.utils.vector_to_parameters(self.average.cpu(), averaged.parameters())
        dtype = "float32" if device.startswith("mps") else "float64"
        scale, centre, predicts = self.batches.sigma_data, self.batches.centre, self.config.predicts
        return ScoreNetwork(averaged, centre.size, scale, centre, predicts=predicts, dtype=dtype, device=device)
