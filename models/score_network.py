"""A learned score that answers the same questions as the exact and the empirical one.

A network F is read as (`models.networks.preconditioning`), with u = x - centre and r = σ²,

    m(x, r) = centre + skip u + gain F(scale u, level)         denoiser = posterior mean
    score   = (m - x)/r = score_skip u + score_gain F          written so that no digits cancel at small r
    ∂m/∂x   = skip 1 + gain scale F',   J = ∂score/∂x = score_skip 1 + score_gain scale F'

F' is exact (automatic differentiation), not a finite difference. A network is nobody's gradient: F' and
everything made from it need not be symmetric.
"""

import copy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike

from ..conventions import arguments
from ..conventions.arguments import Array, fail, one_of, positive_integer, positive_scalar
from ..theory.processes import DDPM, Process, VarianceExploding
from .learned_score import LearnedScore
from .networks.architecture import is_known, rebuild, sizes
from .networks.preconditioning import Coefficients, Preconditioning, Reading
from .networks.user_module import ProcessReading, RowModule
from .training import checkpoint

ROWS = 2**14  # rows per pass through a perceptron: bounds the memory of one evaluation to a few hundred MB


class ScoreNetwork(LearnedScore):
    """Denoiser, score and Jacobian of a network; `from_module` for one that was trained elsewhere.

    Points x are (D,) or (n, D); r is one number > 0 or one per point (n,). Arrays go in and come out as NumPy
    float64; inside, the network (a copy of the one given) runs in `dtype` on `device`.

    Args:
        network: module (x (n, D), ln σ (n,)) → (n, D) that treats its rows independently.
        ambient_dim: D.
        sigma_data: rms coordinate s of the centred data, > 0.
        centre: mean of the data (D,), default the origin.
        predicts: what its output is under EDM preconditioning: "v" (EDM's own), "eps" or "x0".
        dtype: "float64", or "float32" (faster; the only one on "mps").
        device: "cpu", "cuda" or "mps".

    Raises:
        ValueError: for an argument outside its range, here and in every method.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        ambient_dim: int,
        sigma_data: float,
        centre: ArrayLike | None = None,
        *,
        predicts: str = "v",
        dtype: str = "float64",
        device: str = "cpu",
    ) -> None:
        one_of(dtype, ["float32", "float64"], "dtype")
        self.ambient_dim = positive_integer(ambient_dim, "ambient_dim")
        self.sigma_data = positive_scalar(sigma_data, "sigma_data")
        self.centre = arguments.points(np.zeros(ambient_dim) if centre is None else centre, ambient_dim, "centre")[0]
        self.predicts = predicts
        self.reading: Reading = Preconditioning(predicts, self.sigma_data)
        self.dtype = torch.float64 if dtype == "float64" else torch.float32
        self.device = torch.device(device)
        self.network = copy.deepcopy(network).to(device=self.device, dtype=self.dtype).eval()
        self.network.requires_grad_(False)

    @classmethod
    def from_module(
        cls,
        module: torch.nn.Module,
        *,
        ambient_dim: int | None = None,
        image_shape: tuple[int, ...] | None = None,
        predicts: str = "eps",
        conditioning: str = "log_sigma",
        process: Process | None = None,
        centre: ArrayLike | None = None,
        dtype: str = "float64",
        device: str = "cpu",
    ) -> "ScoreNetwork":
        """Any torch module as a score; nothing about its training is assumed beyond these conventions.

        An exported ε-model of the diffusers kind, module(x, timestep) → object with .sample:
        `from_module(module, image_shape=(32, 32, 3), predicts="eps", conditioning="timestep", process=DDPM())`.

        Args:
            module: called as module(x, level); x is (n, D), or (n, C, H, W) if `image_shape` is given, the noised
                point of `process`; level is (n,). Must treat its rows independently.
            ambient_dim: D, where there is no `image_shape`.
            image_shape: (H, W) or (H, W, C), as `ImageSet.image_shape`.
            predicts: "eps", "x0", "v" or "score", defined in `models.networks.user_module`.
            conditioning: what `level` is: "log_sigma", "sigma", "noise_ratio" (ln √r, √r, r), "time" (of
                `process`) or "timestep" (the step of a DDPM, from 0 as in diffusers; fractional between steps).
            process: in whose scale and time the module lives; default DDPM for "timestep", else variance exploding.
            centre: of the data (D,), subtracted before and added after.

        Raises:
            ValueError: for conventions that do not go together; in the methods, for a noise ratio outside the
                process or an output of another shape than the input.
        """
        if (ambient_dim is None) == (image_shape is None):
            raise fail("ambient_dim", ambient_dim, "must be given where image_shape is not, and only there")
        shape = None if image_shape is None else _image_shape(image_shape)
        size = int(np.prod(shape)) if shape else ambient_dim
        clock = process if process is not None else DDPM() if conditioning == "timestep" else VarianceExploding()
        reading = ProcessReading(predicts, conditioning, clock)
        network = cls(RowModule(module, shape), size, 1.0, centre, dtype=dtype, device=device)  # type: ignore[arg-type]
        network.predicts, network.reading = predicts, reading
        return network

    def save(self, directory: str | Path) -> None:
        """Writes network.json and its safetensors into `directory`.

        Raises ValueError unless the network is a `ResidualMLP` or `UNet`, the ones that `load` can rebuild.
        """
        if not is_known(self.network):
            raise fail("network", type(self.network).__name__, "must be a ResidualMLP or a UNet of models to be saved")
        tensors = {name: tensor.float() for name, tensor in self.network.state_dict().items()}
        record = {
            "network": sizes(self.network),
            "sigma_data": self.sigma_data,
            "centre": self.centre.tolist(),
            "predicts": self.predicts,
        }
        checkpoint.write(Path(directory), "network", tensors, record)

    @classmethod
    def load(cls, directory: str | Path, *, dtype: str = "float64", device: str = "cpu") -> "ScoreNetwork":
        """The network saved in `directory` (every finished training run leaves one there).

        Raises ValueError if there is none, or if it is truncated or altered.
        """
        tensors, record = checkpoint.read(Path(directory), "network")
        with torch.random.fork_rng(devices=[]):  # building one draws weights: not from the caller's numbers
            network = rebuild(record["network"])
        network.load_state_dict(tensors)
        predicts = record.get("predicts", "v")  # absent from networks saved before there was a choice
        centre = record["centre"]
        return cls(network, len(centre), record["sigma_data"], centre, predicts=predicts, dtype=dtype, device=device)

    def _mean(self, x: Array, ratio: Array) -> Array:
        maps, u = self.reading.coefficients(ratio), x - self.centre
        return self.centre + maps.skip * u + maps.gain * self._output(u, maps)

    def _score(self, x: Array, ratio: Array) -> Array:
        maps, u = self.reading.coefficients(ratio), x - self.centre
        return maps.score_skip * u + maps.score_gain * self._output(u, maps)

    def _jacobians(self, x: Array, ratio: Array, of: str) -> Iterator[Array]:
        chunk = max(1, self._rows // self.ambient_dim)
        for i in range(0, len(x), chunk):
            maps = self.reading.coefficients(ratio[i : i + chunk])
            derivative = self._derivative(*self._tensors(x[i : i + chunk] - self.centre, maps))
            skip, gain = (maps.skip, maps.gain) if of == "mean" else (maps.score_skip, maps.score_gain)
            jacobian = derivative.cpu().numpy().astype(np.float64)
            yield (gain * maps.scale)[:, :, None] * jacobian + skip[:, :, None] * np.eye(self.ambient_dim)

    def _product(self, x: Array, ratio: Array, v: Array, transpose: bool) -> Array:
        maps, u = self.reading.coefficients(ratio), x - self.centre
        parts = []
        for i in range(0, len(u), self._rows):
            some = slice(i, i + self._rows)
            shown, told = self._tensors(u[some], Coefficients(*(field[some] for field in maps)))
            vectors = torch.from_numpy(np.ascontiguousarray(v[some])).to(self.device, self.dtype)
            parts.append(self._derivative_product(shown, told, vectors, transpose).cpu().numpy().astype(np.float64))
        return maps.score_skip * v + maps.score_gain * maps.scale * np.concatenate(parts)

    @property
    def _rows(self) -> int:
        """Rows per pass: an image costs a convolutional network some hundred numbers per pixel."""
        on_images = getattr(self.network, "image_shape", None) is not None
        return max(1, ROWS // self.ambient_dim) if on_images else ROWS

    def _tensors(self, u: Array, maps: Coefficients) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network is shown, (n, D), and told, (n,)."""
        shown, told = torch.from_numpy(maps.scale * u), torch.tensor(maps.told)
        return shown.to(self.device, self.dtype), told.to(self.device, self.dtype)

    def _output(self, u: Array, maps: Coefficients) -> Array:
        """F, (n, D)."""
        shown, told = self._tensors(u, maps)
        with torch.no_grad():
            parts = [self.network(*some) for some in zip(shown.split(self._rows), told.split(self._rows), strict=True)]
        return torch.cat(parts).cpu().numpy().astype(np.float64)

    def _derivative(self, shown: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """F' at every row of `shown`, (m, D, D), [i, j] = ∂F_i/∂shown_j: one reverse pass per row and direction.

        Rows are repeated for each direction: the network meets ordinary passes only, whatever it is made of.
        """
        points, dim = len(shown), self.ambient_dim
        directions = torch.eye(dim, device=self.device, dtype=self.dtype)
        row = torch.arange(points * dim, device=self.device)
        parts = [
            self._derivative_product(shown[some // dim], told[some // dim], directions[some % dim], True)
            for some in row.split(self._rows)
        ]
        return torch.cat(parts).reshape(points, dim, dim)

    def _derivative_product(
        self, shown: torch.Tensor, told: torch.Tensor, v: torch.Tensor, transpose: bool
    ) -> torch.Tensor:
        """F'ᵀ v by one reverse pass, or F' v as the derivative of F'ᵀ w, which is linear in w."""
        shown = shown.requires_grad_()
        if transpose:
            return torch.autograd.grad(self.network(shown, told), shown, v)[0]
        w = torch.zeros_like(v, requires_grad=True)
        pulled = torch.autograd.grad(self.network(shown, told), shown, w, create_graph=True)[0]
        return torch.autograd.grad(pulled, w, v)[0]


def _image_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not isinstance(shape, (tuple, list)) or len(shape) not in (2, 3):
        raise fail("image_shape", shape, "must be (height, width) or (height, width, channels)")
    return tuple(positive_integer(size, "image_shape") for size in shape)
