"""A learned score that answers the same questions as the exact and the empirical one.

EDM preconditioning (arXiv 2206.00364, table 1) of a network F, with s = σ_data the rms coordinate of the
centred data, u = x - centre and r = σ²:

    m(x, r) = centre + c_skip u + c_out F(c_in u, ln σ)        denoiser = posterior mean
    c_skip = s²/(s²+r),  c_out = σ s/√(s²+r),  c_in = 1/√(s²+r)
    score  = (m - x)/r = -u/(s²+r) + s/(σ√(s²+r)) F            written so that no digits cancel at small r
    ∂m/∂x  = c_skip 1 + c_out c_in F',  J = ∂score/∂x = -1/(s²+r) + s/(σ(s²+r)) F'

F' is exact (automatic differentiation), not a finite difference. A network is nobody's gradient: F' and
everything made from it need not be symmetric.
"""

import copy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch.func import vjp, vmap

from models import checkpoint
from models.network import ResidualMLP
from theory import validation
from theory.estimate import Estimate
from theory.validation import Array, fail, generator, one_of, positive, positive_integer, positive_scalar

ROWS = 2**14  # rows per pass through the network: bounds the memory of one evaluation to a few hundred MB


class ScoreNetwork:
    """Denoiser, score and Jacobian of a network in EDM preconditioning.

    Points x are (D,) or (n, D); r is one number > 0 or one per point (n,). Arrays go in and come out as NumPy
    float64; inside, the network (a copy of the one given) runs in `dtype` on `device`.

    Args:
        network: module (x (n, D), ln σ (n,)) → (n, D) that treats its rows independently.
        dim: ambient dimension D.
        sigma_data: rms coordinate s of the centred data, > 0.
        centre: mean of the data (D,), default the origin.
        dtype: "float64", or "float32" (faster; the only one on "mps").
        device: "cpu", "cuda" or "mps".

    Raises:
        ValueError: for an argument outside its range, here and in every method.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        dim: int,
        sigma_data: float,
        centre: ArrayLike | None = None,
        *,
        dtype: str = "float64",
        device: str = "cpu",
    ) -> None:
        one_of(dtype, ["float32", "float64"], "dtype")
        self.dim = positive_integer(dim, "dim")
        self.sigma_data = positive_scalar(sigma_data, "sigma_data")
        self.centre = self._points(np.zeros(dim) if centre is None else centre, "centre")[0]
        self.dtype = torch.float64 if dtype == "float64" else torch.float32
        self.device = torch.device(device)
        self.network = copy.deepcopy(network).to(device=self.device, dtype=self.dtype).eval()
        self.network.requires_grad_(False)

    def posterior_mean(self, x: ArrayLike, r: ArrayLike) -> Array:
        """The denoiser m(x, r), shape of x."""
        batch, ratio = self._arguments(x, r)
        u, total = batch - self.centre, self.sigma_data**2 + ratio
        out = self._output(u, ratio)
        mean = self.centre + (self.sigma_data**2 * u + self.sigma_data * np.sqrt(ratio * total) * out) / total
        return mean.reshape(np.shape(x))

    def score(self, x: ArrayLike, r: ArrayLike) -> Array:
        """(m(x, r) - x)/r, the learned ∇ log p_r, shape of x."""
        batch, ratio = self._arguments(x, r)
        u, total = batch - self.centre, self.sigma_data**2 + ratio
        score = -u / total + self.sigma_data / np.sqrt(ratio * total) * self._output(u, ratio)
        return score.reshape(np.shape(x))

    def posterior_covariance(self, x: ArrayLike, r: ArrayLike) -> Array:
        """C = r ∂m/∂x, shape (D, D) or (n, D, D): the posterior covariance if the network were an exact
        score.

        Returned as it is: element [i, j] is r ∂m_i/∂x_j, not symmetrised, eigenvalues may be negative.
        """
        batch, ratio = self._arguments(x, r)
        covariance = np.concatenate([self._mean_jacobian(f, part) for f, part in self._jacobians(batch, ratio)])
        covariance *= ratio[:, :, None]
        return covariance.reshape(*np.shape(x), self.dim)

    def jacobian_spectrum(self, x: ArrayLike, r: ArrayLike, k: int | None = None) -> Array:
        """Eigenvalues of the *symmetric part* of J = ∂score/∂x, descending: the k largest, or all D; (k,) or
        (n, k).

        For an exact score J = -(1 - C/r)/r is symmetric and this is its spectrum: tangent directions near 0
        (-1/(λ+r) for variance λ), normal ones near -1/r.
        """
        batch, ratio = self._arguments(x, r)
        kept = self.dim if k is None else positive_integer(k, "k")
        if kept > self.dim:
            raise fail("k", k, f"must be ≤ D = {self.dim}")
        spectra = []
        for jacobian, part in self._jacobians(batch, ratio):
            total = self.sigma_data**2 + part[:, :, None]
            jacobian *= self.sigma_data / (np.sqrt(part[:, :, None]) * total)
            jacobian -= np.eye(self.dim) / total
            spectra.append(np.linalg.eigvalsh((jacobian + jacobian.transpose(0, 2, 1)) / 2)[:, ::-1][:, :kept])
        return np.concatenate(spectra).reshape(*np.shape(x)[:-1], kept)

    def dimension(self, r: ArrayLike, points: ArrayLike, rng: np.random.Generator) -> Estimate:
        """d(r) = E tr ∂m/∂x at x = y + √r ξ, y the given clean points (training or held out).

        For an exact score this is E tr C/r = MMSE/r (theory notes §2). Every point is used once, with the
        same ξ at every r, so that the curve is smooth in r.

        Args:
            r: noise ratio, one number or an array of any shape.
            points: (n, D), n ≥ 2.
            rng: draws ξ.

        Returns:
            Estimate(mean, stderr) of the shape of r; the error is that of the mean over points and ξ.
        """
        clean, ratios = self._points(points, "points"), positive(r, "r")
        if len(clean) < 2:
            raise ValueError(f"points has shape {np.shape(points)}: two points at least are needed for an error bar")
        noise = generator(rng).standard_normal(clean.shape)
        traces = np.array([self._traces(clean + np.sqrt(ratio) * noise, ratio) for ratio in ratios.ravel()])
        return Estimate.of(traces.reshape(*ratios.shape, len(clean)))

    def save(self, directory: str | Path) -> None:
        """Writes network.json and its safetensors into `directory`.

        Raises ValueError unless the network is a `ResidualMLP`, the one that `load` can rebuild.
        """
        if not isinstance(self.network, ResidualMLP):
            raise fail("network", type(self.network).__name__, "must be a models.network.ResidualMLP to be saved")
        tensors = {name: tensor.float() for name, tensor in self.network.state_dict().items()}
        sizes = {name: getattr(self.network, name) for name in ("dim", "width", "depth")}
        record = {"network": sizes, "sigma_data": self.sigma_data, "centre": self.centre.tolist()}
        checkpoint.write(Path(directory), "network", tensors, record)

    @classmethod
    def load(cls, directory: str | Path, *, dtype: str = "float64", device: str = "cpu") -> "ScoreNetwork":
        """The network saved in `directory` (every finished training run leaves one there).

        Raises ValueError if there is none, or if it is truncated or altered.
        """
        tensors, record = checkpoint.read(Path(directory), "network")
        with torch.random.fork_rng(devices=[]):  # building one draws weights: not from the caller's numbers
            network = ResidualMLP(**record["network"])
        network.load_state_dict(tensors)
        return cls(network, network.dim, record["sigma_data"], record["centre"], dtype=dtype, device=device)

    def _points(self, x: ArrayLike, argument: str) -> Array:
        return validation.points(x, self.dim, argument)

    def _arguments(self, x: ArrayLike, r: ArrayLike) -> tuple[Array, Array]:
        """Points (n, D) and noise ratios (n, 1)."""
        batch, ratio = self._points(x, "x"), positive(r, "r")
        if ratio.ndim and ratio.shape != (len(batch),):
            raise ValueError(f"r has shape {ratio.shape}: must be one number or one per point ({len(batch)},)")
        return batch, np.broadcast_to(ratio, len(batch))[:, None]

    def _tensors(self, u: Array, ratio: Array) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network is shown: c_in u (n, D) and ln σ (n,)."""
        shown = torch.from_numpy(u / np.sqrt(self.sigma_data**2 + ratio))
        log_sigma = torch.from_numpy(0.5 * np.log(ratio[:, 0]))
        return shown.to(self.device, self.dtype), log_sigma.to(self.device, self.dtype)

    def _output(self, u: Array, ratio: Array) -> Array:
        """F(c_in u, ln σ), (n, D)."""
        with torch.no_grad():
            parts = [
                self.network(*self._tensors(u[i : i + ROWS], ratio[i : i + ROWS])).cpu() for i in range(0, len(u), ROWS)
            ]
        return torch.cat(parts).numpy().astype(np.float64)

    def _jacobians(self, x: Array, ratio: Array) -> Iterator[tuple[Array, Array]]:
        """F' (m, D, D), [i, j] = ∂F_i/∂(c_in u)_j, with its noise ratios (m, 1), some points at a time."""
        chunk = max(1, ROWS // self.dim)
        for i in range(0, len(x), chunk):
            part = ratio[i : i + chunk]
            jacobian = self._output_jacobian(*self._tensors(x[i : i + chunk] - self.centre, part))
            yield jacobian.cpu().numpy().astype(np.float64), part

    def _output_jacobian(self, shown: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
        """F' at every row of `shown`, (m, D, D): D reverse passes, each for all rows at once."""
        # Forward mode would do too, but its first use in torch 2.13 raises torch's own DeprecationWarning.
        pull = vjp(lambda u: self.network(u, log_sigma), shown)[1]
        outputs = torch.eye(self.dim, device=self.device, dtype=self.dtype)
        return vmap(lambda output: pull(output.expand_as(shown))[0])(outputs).transpose(0, 1)

    def _mean_jacobian(self, jacobian: Array, ratio: Array) -> Array:
        """∂m/∂x from F', (m, D, D)."""
        share = self.sigma_data / (self.sigma_data**2 + ratio[:, :, None])
        return share * (self.sigma_data * np.eye(self.dim) + np.sqrt(ratio[:, :, None]) * jacobian)

    def _traces(self, x: Array, r: float) -> Array:
        """tr ∂m/∂x at each point, (n,)."""
        ratio = np.full((len(x), 1), r)
        parts = [np.trace(self._mean_jacobian(f, part), axis1=1, axis2=2) for f, part in self._jacobians(x, ratio)]
        return np.concatenate(parts)
