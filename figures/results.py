"""A figure on disk: PNG and PDF for the eye, netCDF for the numbers, JSON for how they came about."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conventions.atomic_files import whole
from ..conventions.datasets import attributes
from ..conventions.provenance import commit, versions
from .drawing.style import styled

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure


def provenance(**parameters: Any) -> dict[str, Any]:
    """Parameters with the versions of the libraries and the git commit, if there is one."""
    return {**parameters, "versions": versions(), "commit": commit()}


def save(out: Path, name: str, picture: "Figure", numbers: "xarray.Dataset", record: dict[str, Any]) -> list[Path]:
    """Writes name.png, .pdf, .nc and .json into `out`, each complete or not at all; returns the paths."""
    from matplotlib import pyplot

    described = numbers.assign_attrs({**attributes(record), **numbers.attrs})
    # The PDF and PNG carry no date, so that equal numbers give equal files
    writers: dict[str, Callable[[Path], object]] = {
        ".png": lambda path: picture.savefig(path, format="png"),
        ".pdf": lambda path: picture.savefig(path, format="pdf", metadata={"CreationDate": None}),
        ".nc": lambda path: described.to_netcdf(path, engine="h5netcdf"),
        ".json": lambda path: path.write_text(json.dumps(record, indent=2) + "\n"),
    }
    paths = []
    for suffix, write in writers.items():
        paths.append(out / (name + suffix))
        with whole(paths[-1]) as temporary, styled():  # colours and resolution are looked up when it is written
            write(temporary)
    pyplot.close(picture)
    return paths
