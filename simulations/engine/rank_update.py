"""Sums of products of rows by BLAS, without Python's lock: SciPy keeps it, and threads would take turns."""

import ctypes
from typing import Any

import numpy as np
from numba.extending import get_cython_function_address
from numpy.typing import NDArray


def _routine(name: str) -> Any:
    """(uplo, trans, n, k, alpha, a, lda, beta, c, ldc), all by address; ctypes lets go of the lock meanwhile."""
    address = get_cython_function_address("scipy.linalg.cython_blas", name)
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 10)(address)


_SYRK: dict[Any, Any] = {
    np.dtype(np.float32): (_routine("ssyrk"), ctypes.c_float(1.0)),
    np.dtype(np.float64): (_routine("dsyrk"), ctypes.c_double(1.0)),
}


def add_products(rows: NDArray[Any], upper: NDArray[Any]) -> None:
    """Adds rowsᵀ rows, of `rows` (m, D) in C order, to the upper triangle of `upper` (D, D) in Fortran order.

    Both float32 or both float64.  ValueError otherwise: BLAS is given bare addresses.
    """
    m, dim = rows.shape
    fits = rows.flags.c_contiguous and upper.flags.f_contiguous and upper.flags.writeable
    if not fits or upper.shape != (dim, dim) or rows.dtype != upper.dtype or rows.dtype not in _SYRK:
        raise ValueError(f"rows {rows.dtype}{rows.shape}, upper {upper.dtype}{upper.shape}: of one precision and order")
    if m == 0 or dim == 0:
        return
    syrk, one = _SYRK[rows.dtype]
    size, count, scale = ctypes.c_int(dim), ctypes.c_int(m), ctypes.byref(one)
    leading = ctypes.byref(size)
    syrk(b"U", b"N", leading, ctypes.byref(count), scale, rows.ctypes.data, leading, scale, upper.ctypes.data, leading)
