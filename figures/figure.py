"""What a figure is: named sizes, numbers computed at one of them, a picture of these, and what stands in its record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..conventions.arguments import one_of
from ..conventions.atomic_files import writable
from .results import provenance, save

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure as Picture


@dataclass(frozen=True)
class Preset:
    """The sizes of a figure under a name, "quick" or "paper"; each figure adds fields of its own."""

    name: str


Sizes = TypeVar("Sizes", bound=Preset)


def chosen(presets: Sequence[Sizes], name: str) -> Sizes:
    """The preset of that name; ValueError with those that exist for an unknown one."""
    one_of(name, [preset.name for preset in presets], "preset")
    return next(preset for preset in presets if preset.name == name)


def no_remarks(numbers: "xarray.Dataset") -> dict[str, Any]:
    """Nothing to add to the record."""
    return {}


@dataclass(frozen=True)
class Figure(Generic[Sizes]):
    """A figure, which its module in `catalogue` defines.

    Attributes:
        name: of its files, and on the command line.
        presets: the sizes at which it is drawn.
        compute: (sizes, out, seed) → all numbers; networks are kept in `out`/networks.
        picture: draws these numbers.
        remarks: what they add to the record: sources, predictions, comparison of the legs.
    """

    name: str
    presets: Sequence[Sizes]
    compute: "Callable[[Sizes, Path, int], xarray.Dataset]"
    picture: "Callable[[xarray.Dataset], Picture]"
    remarks: "Callable[[xarray.Dataset], dict[str, Any]]" = no_remarks

    def draw(self, out: Path, preset: str = "quick", seed: int = 0) -> list[Path]:
        """Computes the figure and writes NAME.png, .pdf, .nc and .json into `out`; returns the paths.

        ValueError for an unknown preset or a folder that cannot be written to, before anything is computed.
        """
        sizes = chosen(self.presets, preset)
        numbers = self.compute(sizes, writable(out), seed)
        record = provenance(figure=self.name, preset=preset, seed=seed, **self.remarks(numbers))
        return save(out, self.name, self.picture(numbers), numbers, record)
