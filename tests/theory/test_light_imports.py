"""Theory and manifolds need NumPy and SciPy only; torch, numba and scikit-learn are not loaded by importing them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("room", ["theory", "manifolds"])
def test_import_is_light(room):
    heavy = [
        "torch",
        "numba",
        "llvmlite",
        "sklearn",
        "matplotlib",
        *(f"remanifold.{name}" for name in ("simulations", "models", "figures")),
    ]
    if room == "theory":
        heavy.append("remanifold.manifolds")
    code = f"import sys, remanifold.{room}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
