"""The critical points of a manifold as rows of a table."""

import math
from typing import Any

from ..conventions.arguments import fail
from ..manifolds import Manifold
from ..theory.critical_points import CLOCKS, critical_points

__all__ = ["CLOCKS", "rows"]


def rows(law: Manifold, n: float) -> list[dict[str, Any]]:
    """One row per critical point for `n` points: r and its times, or the reason why there is none."""
    if not (math.isfinite(n) and n > 1):
        raise fail("n", n, "must be a finite number > 1")
    return [
        {"quantity": name, "reason": point.reason}
        if point.r is None
        else {"quantity": name, "r": point.r, **point.times}
        for name, point in critical_points(law, log_n=math.log(n)).items()
    ]
