"""The numerical tests as other processors run them: other kernels of BLAS and LAPACK, vector widths, instructions.

Their last digits differ, and nothing may depend on those: neither a comparison nor the work and memory of a test.
"""

import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
NUMERICAL = ["tests/theory", "tests/manifolds", "tests/simulations", "tests/models"]
MEMORY = 6 * 2**30  # bytes; the largest test takes 3 GB

# what the processor needs, BLAS and LAPACK, Numba, PyTorch, and the instruction sets of NumPy that it has
PROCESSORS = {
    "Nehalem": ("sse4.2", "Nehalem", ("generic", ""), "default", []),
    "Sandy Bridge": ("avx", "Sandybridge", ("sandybridge", "+avx,+sse4.2,+popcnt"), "default", []),
    "Haswell": ("avx2", "Haswell", ("haswell", "+avx2,+fma,+avx,+popcnt"), "avx2", ["X86_V3"]),
    "Skylake-X": ("avx512vl", "SkylakeX", ("skylake-avx512", None), "avx512", ["X86_V3", "X86_V4"]),
}


def environment(processor: str, numba_cache: Path) -> dict[str, str]:
    _, blas, (name, features), torch, sets = PROCESSORS[processor]
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    numba = {"NUMBA_CPU_NAME": name, "NUMBA_CACHE_DIR": str(numba_cache)}
    if features is not None:
        numba["NUMBA_CPU_FEATURES"] = features
    return {
        **os.environ,
        **numba,
        "OPENBLAS_CORETYPE": blas,
        "ATEN_CPU_CAPABILITY": torch,
        "NPY_DISABLE_CPU_FEATURES": " ".join(instructions for instructions in found if instructions not in sets),
    }


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="kernels are those of x86-64")
@pytest.mark.parametrize("processor", PROCESSORS)
def test_on_another_processor(processor, tmp_path):
    needs = PROCESSORS[processor][0]
    if not llvm.get_host_cpu_features().get(needs):
        pytest.skip(f"this processor has no {needs}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow", *NUMERICAL],
        cwd=ROOT,
        env=environment(processor, tmp_path),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
