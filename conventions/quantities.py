"""The words on disk: what a variable of a data set is in one line, and its units."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import xarray


class Quantity(NamedTuple):
    """`long_name` and `units` of a variable; "1" where it has none."""

    long_name: str
    units: str


_SQUARES, _NATS, _NUMBER = "squared units of the data", "nat", "1"
QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        "r": Quantity("noise ratio r", _SQUARES),
        "n": Quantity("training points N", _NUMBER),
        "seed": Quantity("seed", _NUMBER),
        "dimension": Quantity("dimension d(r)", _NUMBER),
        "information": Quantity("information I(r)", _NATS),
        "participation": Quantity("participation E Σ w²", _NUMBER),
        "retrieval": Quantity("weight E w_1 of a point's own training point", _NUMBER),
        "excess_entropy": Quantity("excess entropy E ln(1 + Z_rest/Z_1)", _NATS),
        "collapse": Quantity("noise ratio r_c of the collapse", _SQUARES),
        "exact": Quantity("whether the theory is exact at finite N", _NUMBER),
    }
)
_SUFFIXES = {"_stderr": "standard error of the {}", "_theory": "{}, theory", "_population": "{}, population"}


def described(dataset: "xarray.Dataset", more: Mapping[str, tuple[str, str]]) -> "xarray.Dataset":
    """`dataset` with `long_name` and `units` on its variables and coordinates, in place.

    `more`: name → (long_name, units) of what is not in `QUANTITIES`. NAME_stderr, NAME_theory, NAME_population follow
    from NAME; what nothing is known about has its own name in words, and units "unknown". Text has no units.
    """
    known = {**QUANTITIES, **{name: Quantity(*words) for name, words in more.items()}}
    for name, variable in dataset.variables.items():
        found = _quantity(str(name), known)
        variable.attrs["long_name"] = found.long_name
        if variable.dtype.kind in "biuf":
            variable.attrs["units"] = found.units
    return dataset


def _quantity(name: str, known: Mapping[str, Quantity]) -> Quantity:
    if name in known:
        return known[name]
    for suffix, words in _SUFFIXES.items():
        if name.endswith(suffix):
            what = _quantity(name.removesuffix(suffix), known)
            return Quantity(words.format(what.long_name), what.units)
    return Quantity(name.replace("_", " "), "unknown")
