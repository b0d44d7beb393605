"""The exponential as a polynomial, for loops that the compiler turns into vector instructions.

exp(t) = 2^k exp(f), k = round(t / ln 2), |f| ≤ ln(2)/2.  Adding 1.5·2^52 (1.5·2^23 in float32)
rounds to an integer and leaves k in the lowest bits; shifted left, those bits are added to the
exponent.  exp(f) is its Taylor series: remainder 4e-18 (5e-9).  The caller keeps t where 2^k is normal.
"""

import numba
import numpy as np
from numba import njit
from numba.extending import overload

from .compilation import contracted

_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
_LN2_HIGH32, _LN2_LOW32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
_ROUND64, _ROUND32 = 6755399441055744.0, np.float32(12582912.0)


@njit(**contracted)
def exponential64(t):
    """exp(t) for -700 ≤ t ≤ 0, float64."""
    z = t * _LOG2E + _ROUND64
    k = z - _ROUND64
    f = (t - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1 / 6227020800
    p = p * f + 1 / 479001600
    p = p * f + 1 / 39916800
    p = p * f + 1 / 3628800
    p = p * f + 1 / 362880
    p = p * f + 1 / 40320
    p = p * f + 1 / 5040
    p = p * f + 1 / 720
    p = p * f + 1 / 120
    p = p * f + 1 / 24
    p = p * f + 1 / 6
    p = p * f + 1 / 2
    p = p * f * f + f + 1.0
    bits = np.float64(p).view(np.int64) + (np.float64(z).view(np.int64) << np.int64(52))
    return np.int64(bits).view(np.float64)


@njit(**contracted)
def exponential32(t):
    """exp(t) for -87 ≤ t ≤ 0, float32."""
    one = np.float32(1)
    z = t * np.float32(_LOG2E) + _ROUND32
    k = z - _ROUND32
    f = (t - k * _LN2_HIGH32) - k * _LN2_LOW32
    p = np.float32(1 / 5040)
    p = p * f + np.float32(1 / 720)
    p = p * f + np.float32(1 / 120)
    p = p * f + np.float32(1 / 24)
    p = p * f + np.float32(1 / 6)
    p = p * f + np.float32(1 / 2)
    p = p * f * f + f + one
    bits = np.float32(p).view(np.int32) + np.int32(np.float32(z).view(np.int32) << np.int32(23))
    return np.int32(bits).view(np.float32)


def exponential(t):
    """exp(t) for -700 ≤ t ≤ 0 (-87 in float32), in the precision of t."""


@overload(exponential, jit_options=contracted)  # type: ignore[arg-type]
def _exponential_for(t):
    return (lambda t: exponential32(t)) if t == numba.float32 else (lambda t: exponential64(t))
