"""Results as an xarray `Dataset` in the one dialect of this project: what is in it says what it is."""

import json
from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .estimate import Estimate
from .quantities import Meaning, meaning

if TYPE_CHECKING:
    import xarray


def dataset(
    variables: Mapping[str, tuple[Any, Any]],
    coordinates: Mapping[str, Any],
    meanings: Mapping[str, Meaning] | None = None,
    **attributes: Any,
) -> "xarray.Dataset":
    """A Dataset of name → (dimensions, values), an `Estimate` as NAME and NAME_stderr, with long names and units.

    `meanings`: (long_name, units) of names that `quantities` does not know. ValueError for a name without a meaning.
    """
    import xarray

    fields: dict[Hashable, Any] = {}
    for name, (dimensions, values) in variables.items():
        if isinstance(values, Estimate):
            fields[name] = (dimensions, np.asarray(values.mean))
            fields[f"{name}_stderr"] = (dimensions, np.asarray(values.stderr))
        else:
            fields[name] = (dimensions, values)
    return described(xarray.Dataset(fields, dict(coordinates), attributes), meanings)


def described(numbers: "xarray.Dataset", meanings: Mapping[str, Meaning] | None = None) -> "xarray.Dataset":
    """`numbers` with `long_name` and `units` on every variable and coordinate; see `dataset`."""
    numbers = numbers.copy()
    for name, variable in numbers.variables.items():
        long_name, units = meaning(str(name), meanings or {})
        variable.attrs = {"long_name": long_name, "units": units}
    return numbers


def attributes(record: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters, seed, versions and commit of a record as attributes of a file; tables stay in the record."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        table = isinstance(value, list) and any(isinstance(row, dict) for row in value)
        if value is None or table:
            continue
        if isinstance(value, bool):
            found[name] = int(value)
        else:
            found[name] = value if isinstance(value, (str, int, float)) else json.dumps(value, ensure_ascii=False)
    return found


def stacked(estimates: Iterable[Estimate]) -> Estimate:
    """Estimates of one shape as one with a first axis more."""
    means, errors = zip(*estimates, strict=True)
    return Estimate(np.array(means), np.array(errors))
