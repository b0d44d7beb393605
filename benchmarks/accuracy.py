"""Accuracy against brute force in extended precision, adversarial sets included, over 20 decades of r.

The worst error over queries at training points, noised training points and far away.  The mean relative to the
median distance of the points from their middle, or to its own distance from there if larger; the log density
relative to max(1, |its value|).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simulations import EmpiricalScore
from .long_double import posterior

_RATIOS = (1e-10, 1e-7, 1e-4, 1e-2, 1.0, 1e2, 1e5, 1e10)


def sets(rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Point sets that break careless kernels."""
    cloud = rng.standard_normal((3000, 8))
    far = cloud.copy()
    far[:3] *= 1e6
    return {
        "normal, D = 8": cloud,
        "normal, D = 100": rng.standard_normal((1500, 100)),
        "D = 1": rng.standard_normal((2000, 1)),
        "variances k^-2, D = 32": rng.standard_normal((2000, 32)) / np.arange(1, 33),
        "every point twice": np.repeat(cloud[:1000], 2, axis=0),
        "all points equal": np.ones((500, 6)),
        "three far outliers": far,
        "norms of 1e8": 1e8 + cloud,
        "one point": cloud[:1],
    }


def rows(quick: bool) -> Iterator[dict[str, Any]]:
    """One line per set and precision: worst errors over all r."""
    for name, points in sets(np.random.default_rng(0)).items():
        for dtype in ("float64", "float32"):
            mean, density, used = worst(points, dtype, _RATIOS[::3] if quick else _RATIOS)
            yield {"points": name, "precision": dtype, "mean": mean, "log density": density, "engines": used}


def worst(points: NDArray[np.float64], dtype: str, ratios: tuple[float, ...]) -> tuple[float, float, str]:
    """Largest error of mean and of log density over the ratios, and the engines that were used."""
    rng = np.random.default_rng(1)
    empirical = EmpiricalScore(points, dtype=dtype)
    middle = np.median(points, axis=0)
    typical = float(np.median(np.linalg.norm(points - middle, axis=1))) or float(np.abs(points).max())
    errors, used = np.zeros(2), set()
    for r in ratios:
        planted = points[rng.integers(len(points), size=4)]
        noise = np.sqrt(r) * rng.standard_normal(planted.shape)
        queries = np.concatenate([planted[:1], planted + noise, 3 * planted[1:2] + 1.0])
        found = empirical.observe(queries, r)
        used.add(empirical.plan(r).engine)
        for q, query in enumerate(queries):
            exact = posterior(points, query, r)
            size = max(typical, float(np.linalg.norm((exact.mean - middle).astype(float))))
            off = float(np.linalg.norm((found.mean[q] - exact.mean).astype(float))) / size
            size = max(1.0, abs(float(exact.log_density)))
            errors = np.maximum(errors, [off, abs(float(found.log_density[q] - exact.log_density)) / size])
    return float(errors[0]), float(errors[1]), ", ".join(sorted(used))
