"""How a number came about: the versions of the libraries and the commit of this source."""

import subprocess
from importlib.metadata import version
from pathlib import Path

_RECORDED = ("remanifold", "numpy", "scipy", "numba", "torch", "matplotlib", "xarray")


def versions() -> dict[str, str]:
    """Versions of remanifold and the libraries that its numbers depend on."""
    return {name: version(name) for name in _RECORDED}


def commit() -> str:
    """The git commit of this source, with -dirty if it was changed since; "unknown" where there is no git."""
    source = Path(__file__).resolve().parents[1]
    command = ["git", "-C", str(source), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
