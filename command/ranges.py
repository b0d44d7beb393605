"""Lists of numbers on the command line: 100,1000,10000 or FROM:TO:COUNT, evenly spaced in the logarithm."""

import numpy as np

from ..conventions.arguments import Array, fail


def ratios(text: str) -> Array:
    """Noise ratios > 0, increasing, none twice, from "0.01:1:20" or "0.1,0.3,1"; ValueError otherwise."""
    return np.unique(_numbers(text, "r"))


def sizes(text: str) -> list[int]:
    """Numbers of points ≥ 2, increasing, none twice, from "100,1e4" or "10:1e5:9" (rounded); ValueError otherwise."""
    values = np.unique(np.rint(_numbers(text, "n")))
    if values[0] < 2 or values[-1] > 2**53:
        raise fail("n", text, "must be numbers of points ≥ 2")
    return [int(value) for value in values]


def _numbers(text: str, argument: str) -> Array:
    values: list[float] = []
    try:
        for item in text.split(","):
            parts = item.split(":")
            if len(parts) == 3:
                values += np.geomspace(float(parts[0]), float(parts[1]), int(parts[2])).tolist()
            else:
                values.append(float(item))
    except (ValueError, OverflowError):
        raise fail(argument, text, "must be numbers such as 0.1,0.3,1 or FROM:TO:COUNT such as 0.01:1:20") from None
    found = np.array(values)
    if not found.size or not np.all(np.isfinite(found) & (found > 0)):
        raise fail(argument, text, "must be finite numbers > 0")
    return found
