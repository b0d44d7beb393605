"""A figure on disk: PNG and PDF for the eye, netCDF for the numbers, JSON for how they came about."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conventions.provenance import commit, versions
from .drawing.style import styled

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure


def provenance(**parameters: Any) -> dict[str, Any]:
    """Parameters with the versions of the libraries and the git commit, if there is one."""
    return {**parameters, "versions": versions(), "commit": commit()}


def writable(out: Path) -> Path:
    """`out`, created if need be; ValueError before any work is done if it cannot be written to."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ValueError(f"out = {str(out)!r}: must be a folder that can be written to ({error.strerror})") from None
    return out


def save(out: Path, name: str, picture: "Figure", numbers: "xarray.Dataset", record: dict[str, Any]) -> list[Path]:
    """Writes name.png, .pdf, .nc and .json into `out`, each complete or not at all; returns the paths."""
    from matplotlib import pyplot

    described = numbers.assign_attrs(record=json.dumps(record))
    # The PDF and PNG carry no date, so that equal numbers give equal files
    writers: dict[str, Callable[[Path], object]] = {
        ".png": lambda path: picture.savefig(path, format="png"),
        ".pdf": lambda path: picture.savefig(path, format="pdf", metadata={"CreationDate": None}),
        ".nc": lambda path: described.to_netcdf(path, engine="h5netcdf"),
        ".json": lambda path: path.write_text(json.dumps(record, indent=2) + "\n"),
    }
    paths = []
    for suffix, write in writers.items():
        path = out / (name + suffix)
        handle, temporary = tempfile.mkstemp(dir=out, prefix=f".{name}-", suffix=suffix)
        os.close(handle)
        try:
            with styled():  # colours and resolution are looked up when a picture is written
                write(Path(temporary))
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
        paths.append(path)
    pyplot.close(picture)
    return paths
