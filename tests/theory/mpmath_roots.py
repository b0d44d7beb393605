"""Roots of decreasing curves in 50 digits, and spectra to try them on."""

import mpmath
import numpy as np

mp = mpmath.mp.clone()
mp.dps = 50


def decreasing_root(curve, low=-620, high=200, bits=170):
    """The root in ln r of a decreasing curve, by bisection: nothing can go wrong."""
    low, high = mp.mpf(low), mp.mpf(high)
    for _ in range(bits if bits else 0):
        middle = (low + high) / 2
        if curve(mp.exp(middle)) > 0:
            low = middle
        else:
            high = middle
        if high - low < mp.mpf(10) ** -16:
            break
    return mp.exp((low + high) / 2)


def spectrum(seed, count, decades):
    rng = np.random.default_rng(seed)
    return 10 ** rng.uniform(-decades, decades, count)
