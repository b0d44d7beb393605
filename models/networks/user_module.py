"""A network of the user's own, trained elsewhere and in another convention, read as a score at noise ratio r.

The module sees the noised point x_t = a_t x_0 + s_t ξ of its own forward process, which is a_t times the
point x = x_0 + √r ξ of this package (docs/theory.md §1), and told the noise level in one of five ways. Its output F is

    "eps"    ξ                    x_0 = x - √r F
    "x0"     x_0
    "v"      p ξ - q x_0          x_0 = (p x_t - s_t F)/(p a_t + q s_t): p, q = a_t, s_t where a_t² + s_t² = 1
                                  (arXiv 2202.00512), and 1, 1, the velocity dx_t/dt, for the rectified flow
    "score"  ∇ ln p_t(x_t)        a_t F is the score at r
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from ...conventions.arguments import Array, fail, one_of
from ...theory.processes import DDPM, Process, RectifiedFlow
from .image_rows import images_to_rows, rows_to_images
from .preconditioning import Coefficients

_CONDITIONINGS: dict[str, Callable[[Process, Array], Array]] = {
    "log_sigma": lambda process, r: 0.5 * np.log(r),
    "sigma": lambda process, r: np.sqrt(r),
    "noise_ratio": lambda process, r: r,
    "time": lambda process, r: process.time(r),
    "timestep": lambda process, r: process.time(r) - 1,
}


@dataclass(frozen=True)
class ProcessReading:
    """Reads the output of a module that lives in the time of `process`."""

    predicts: str
    conditioning: str
    process: Process

    def __post_init__(self) -> None:
        one_of(self.predicts, ["eps", "x0", "v", "score"], "predicts")
        one_of(self.conditioning, _CONDITIONINGS, "conditioning")
        if not isinstance(self.process, Process):
            raise fail("process", self.process, "must be a forward process, e.g. theory.DDPM()")
        if self.conditioning == "timestep" and not isinstance(self.process, DDPM):
            raise fail(
                "process", self.process, "must be a DDPM where conditioning = 'timestep', which counts its steps"
            )
        if (
            self.predicts == "v"
            and not self._flows
            and abs(2 * self.process.signal(self.process.time(1.0)) ** 2 - 1) > 1e-9
        ):
            raise fail("predicts", "v", "needs a variance preserving process or the rectified flow")

    @property
    def _flows(self) -> bool:
        return isinstance(self.process, RectifiedFlow)

    def coefficients(self, ratio: Array) -> Coefficients:
        """ValueError where r lies outside the process, or before its first step for "timestep"."""
        r = ratio[:, 0]
        told = _CONDITIONINGS[self.conditioning](self.process, r)
        # up to rounding: the ratio of a step, turned into a time, may fall short of that step by a few ulps
        if self.conditioning == "timestep" and np.any(told < -1e-6):
            first = float(self.process.noise_ratio(1))
            raise fail("r", r, f"must be ≥ {first:.6g}, the noise ratio of the first of the module's steps")
        a = self.process.signal(self.process.time(r))[:, None]
        sigma = np.sqrt(ratio)
        zero, one = np.zeros_like(ratio), np.ones_like(ratio)
        if self.predicts == "eps":
            maps = (one, -sigma, zero, -1 / sigma)
        elif self.predicts == "x0":
            maps = (zero, one, -1 / ratio, 1 / ratio)
        elif self.predicts == "score":
            maps = (one, ratio * a, zero, a)
        elif self._flows:
            # x_0 = a x - s F with a + s = 1, s = √r a
            maps = (a, -sigma * a, -a / sigma, -a / sigma)
        else:
            # x_0 = a² x - s F with a² + s² = 1: (a² - 1)/r = -a²
            maps = (a**2, -sigma * a, -(a**2), -a / sigma)
        return Coefficients(a, *maps, told)


class RowModule(nn.Module):
    """Calls `module(x, level)` with rows (n, D) turned into images (n, C, H, W) if `image_shape` is given.

    `image_shape` (H, W) or (H, W, C) tells how a point is flattened, channels last as in `ImageSet`. The module
    may return a tensor, a tuple whose first entry is one, or an object that holds it as `.sample`.
    """

    def __init__(self, module: nn.Module, image_shape: tuple[int, ...] | None) -> None:
        super().__init__()
        self.module, self.image_shape = module, image_shape

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """Output (n, D); ValueError if the module returns another shape than it was given."""
        shown = x if self.image_shape is None else rows_to_images(x, self.image_shape)
        answer: Any = self.module(shown, level)
        answer = getattr(answer, "sample", answer)
        answer = answer[0] if isinstance(answer, tuple) else answer
        if not isinstance(answer, Tensor) or answer.shape != shown.shape:
            got = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
            raise ValueError(f"module returned {got}: must return a tensor of its input's shape {tuple(shown.shape)}")
        return answer if self.image_shape is None else images_to_rows(answer)
