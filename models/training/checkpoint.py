"""Tensors and a record on disk that are always whole and always belong together.

`write(directory, name, tensors, record)` first writes a new file name-<digest>.safetensors, then replaces
name.json, which holds the record, the name of that file and SHA-256 sums of both. The replacement of
name.json is the one moment at which the new state begins to exist: a process killed before it leaves the old
state whole, one killed after it the new one. `read` refuses whatever does not match its sums. Nothing is ever
unpickled.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as _tensors_from
from safetensors.torch import save as _bytes_of

from ...conventions import atomic_files

FORMAT = 1


def write(directory: Path, name: str, tensors: dict[str, torch.Tensor], record: dict[str, Any]) -> None:
    """Replaces the state `name` in `directory` (made if missing) atomically.

    Args:
        directory: where name.json and name-….safetensors go.
        name: of the state.
        tensors: any torch tensors.
        record: what JSON can hold; comes back from `read` as it was given.
    """
    directory.mkdir(parents=True, exist_ok=True)
    content = _bytes_of({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()})
    digest = hashlib.sha256(content).hexdigest()
    data = directory / f"{name}-{digest[:16]}.safetensors"
    atomic_files.write(data, content)
    header = {"format": FORMAT, "tensors": data.name, "tensors_sha256": digest, "record": record}
    text = json.dumps({"sha256": _digest(header), **header}, indent=1, allow_nan=False)
    atomic_files.write(directory / f"{name}.json", text)
    for other in [*directory.glob(f"{name}-*"), *directory.glob(f".{name}-*")]:  # the state before; a killed process's
        if other != data:
            other.unlink(missing_ok=True)


def exists(directory: Path, name: str) -> bool:
    """Whether a state `name` has been written to `directory`."""
    return (directory / f"{name}.json").exists()


def read(directory: Path, name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors (on the CPU) and the record of the state `name`.

    Raises:
        ValueError: if it is missing, truncated or altered, or written by another version of the format.
    """
    path = directory / f"{name}.json"
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        stated = header.pop("sha256")
        if header["format"] != FORMAT:
            raise ValueError(f"format {header['format']!r} instead of {FORMAT}")
        if stated != _digest(header):
            raise ValueError("its text was altered")
        content = (directory / header["tensors"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != header["tensors_sha256"]:
            raise ValueError(f"{header['tensors']} is truncated or altered")
        return _tensors_from(content), header["record"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"checkpoint {path} cannot be used: {error}; delete it to start afresh") from error


def _digest(header: dict[str, Any]) -> str:
    """SHA-256 of a canonical text of the header."""
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
