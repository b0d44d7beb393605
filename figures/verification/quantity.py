"""One number by theory and by simulation."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ...conventions.estimate import Estimate


class Verified(NamedTuple):
    """A quantity by theory and by simulation; `leading`: the leading order, where there is an exact value too."""

    quantity: str
    theory: float
    simulation: Estimate
    leading: float | None = None

    @property
    def z(self) -> float:
        """(simulation - theory)/standard error."""
        return (self.simulation.mean - self.theory) / self.simulation.stderr

    @property
    def disagrees(self) -> bool:
        """Whether |z| > 4, or is not a number."""
        return not abs(self.z) <= 4


Check = Callable[[np.random.Generator, int], Iterator[Verified]]  # of a generator and a number of replicas
