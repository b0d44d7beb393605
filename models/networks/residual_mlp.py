"""The network: a residual SiLU multilayer perceptron that is told the noise level at every layer.

h_0 = SiLU(W_in x + U_0 e),  h_{l+1} = h_l + SiLU(W_l h_l + b_l + U_{l+1} e),  output = W_out h_L,
with the embedding e(ln σ) = (sin f_k ln σ, cos f_k ln σ). The output layer starts at zero, so that the
untrained denoiser is the best linear isotropic one, c_skip x (see `models.score_network`).
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from ...conventions.arguments import positive_integer

FREQUENCIES = 8  # f_k from 1/4 to 4 per unit of ln σ: no finer than the transitions to be learned


def noise_frequencies() -> Tensor:
    """f_k, (FREQUENCIES,)."""
    return 2.0 ** torch.linspace(-2, 2, FREQUENCIES)


def noise_features(log_sigma: Tensor, frequencies: Tensor) -> Tensor:
    """e(ln σ), (n, 2 FREQUENCIES)."""
    phase = log_sigma[:, None] * frequencies
    return torch.cat([phase.sin(), phase.cos()], -1)


class ResidualMLP(nn.Module):
    """Residual SiLU perceptron R^D × (noise level) → R^D.

    Args:
        dim: ambient dimension D.
        width: neurons per layer.
        depth: residual layers.

    Raises:
        ValueError: for a dimension, width or depth that is not an integer ≥ 1.
    """

    frequencies: Tensor

    def __init__(self, dim: int, width: int = 128, depth: int = 3) -> None:
        super().__init__()
        self.dim = positive_integer(dim, "dim")
        self.width = positive_integer(width, "width")
        self.depth = positive_integer(depth, "depth")
        self.register_buffer("frequencies", noise_frequencies(), persistent=False)
        self.enter = nn.Linear(dim, width)
        # One matrix product serves all layers; the layers' own biases make a bias here redundant.
        self.embed = nn.Linear(2 * FREQUENCIES, width * (depth + 1), bias=False)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.leave = nn.Linear(width, dim)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, log_sigma: Tensor) -> Tensor:
        """Output (n, D) for inputs x (n, D) at noise levels ln σ (n,)."""
        shifts = self.embed(noise_features(log_sigma, self.frequencies)).chunk(self.depth + 1, -1)
        hidden = silu(self.enter(x) + shifts[0])
        for layer, shift in zip(self.layers, shifts[1:], strict=True):
            hidden = hidden + silu(layer(hidden) + shift)
        return self.leave(hidden)
