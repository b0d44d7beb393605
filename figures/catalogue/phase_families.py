"""Families of laws for phase diagrams: one law for each dimension d, or for each ratio of two variances."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from ...conventions.arguments import Array, fail, one_of
from ...manifolds import Linear, Manifold, NormalizedLinear, Product, Sphere, Torus
from ...theory.lost_first import probe_condensation

FIXED = ("variance", "total")


class DimensionFamily(NamedTuple):
    """A law for each intrinsic dimension d, and the words for a picture."""

    law: Callable[[int], Manifold]
    description: str


class RatioFamily(NamedTuple):
    """A law for each ratio λ_2/λ_1 (or R_2²/R_1²), and where its two parts condense at the probe √r e_i."""

    law: Callable[[float], Manifold]
    condensation: Callable[[float, int, Array], Array]  # ratio, part 0 or 1, ln N → r
    description: str
    slow: bool = False  # the information of one law takes seconds


def dimension_family(manifold: Manifold, fixed: str | None = None) -> DimensionFamily:
    """The family of an isotropic linear manifold, a sphere or a torus of equal circles, by intrinsic dimension.

    `fixed`: the "variance" of a direction (of a circle) or the "total" variance, R² for the sphere; by
    default the variance, and for spheres the total (the radius). Normal dimensions are kept as many as `manifold` has.
    ValueError for other manifolds, and for unequal variances or radii.
    """
    curved = isinstance(manifold, (Sphere, NormalizedLinear))
    fixed = fixed or ("total" if curved else "variance")
    one_of(fixed, FIXED, "fixed")
    normal = manifold.ambient_dim - manifold.embedding.span_dim
    if curved:
        n = manifold.embedding.span_dim
        square = manifold.radius**2 if isinstance(manifold, Sphere) else 1.0
        if isinstance(manifold, NormalizedLinear):
            _equal(manifold.variances, "variances")
        if fixed == "total":
            text = f"spheres of radius {np.sqrt(square):g}"
        else:
            text = f"spheres, variance {square / n:.3g} a direction"

        def sphere(d: int) -> Sphere:
            radius = np.sqrt(square * (1 if fixed == "total" else (d + 1) / n))
            return Sphere(d, float(radius), ambient_dim=d + 1 + normal)

        return DimensionFamily(sphere, text)
    if isinstance(manifold, Torus):
        square, count = _equal(manifold.radii, "radii") ** 2, manifold.radii.size

        def torus(d: int) -> Torus:
            radius = np.sqrt(square * (1 if fixed == "variance" else count / d))
            return Torus([float(radius)] * d, ambient_dim=2 * d + normal)

        return DimensionFamily(torus, f"tori, {_kept(fixed, square, square * count, 'squared radius')}")
    if isinstance(manifold, Linear):
        variance, count = _equal(manifold.variances, "variances"), manifold.variances.size

        def linear(d: int) -> Linear:
            each = variance if fixed == "variance" else variance * count / d
            return Linear([each] * d, ambient_dim=d + normal)

        return DimensionFamily(linear, f"linear manifolds, {_kept(fixed, variance, variance * count, 'variance')}")
    raise fail("manifold", manifold, "axes d-n need a linear manifold, sphere, torus or normalized linear data")


def ratio_family(manifold: Manifold) -> RatioFamily:
    """The family in which the second largest variance varies and everything else stays, by its ratio to the largest.

    Equal variances are split in two halves first; a torus likewise by its radii, and a sphere S^d(R) becomes
    S^⌈d/2⌉(R) × S^⌊d/2⌋(R√ratio). ValueError for other manifolds and for those with a single direction.
    """
    if isinstance(manifold, (Linear, NormalizedLinear)):
        return _spectrum_family(manifold)
    if isinstance(manifold, Sphere):
        square, d = manifold.radius**2, manifold.intrinsic_dim
        parts = [(d - d // 2, 1), (d // 2, 1)]
    elif isinstance(manifold, Torus):
        square = float(_equal(manifold.radii, "radii")) ** 2
        parts = [(1, manifold.radii.size - manifold.radii.size // 2), (1, manifold.radii.size // 2)]
    else:
        raise fail("manifold", manifold, "axes ratio-n need a linear manifold, sphere, torus or normalized linear data")
    if manifold.intrinsic_dim < 2:
        raise fail("manifold", manifold, "axes ratio-n need two dimensions or more, to split")

    def law(ratio: float) -> Product:
        radii = np.sqrt([square, square * ratio])
        spheres = [Sphere(d, float(radius)) for (d, _), radius in zip(parts, radii, strict=True)]
        return Product([spheres[0]] * parts[0][1] + [spheres[1]] * parts[1][1])

    @cache
    def unit_condensation(part: int, log_n: tuple[float, ...]) -> Array:
        return probe_condensation(Sphere(parts[part][0]), 0, log_n)

    def condensation(ratio: float, part: int, log_n: Array) -> Array:
        # the probe feels its own sphere only, so that r/R² does not depend on the ratio
        return (ratio if part else 1.0) * square * unit_condensation(part, tuple(log_n))

    names = [f"$S^{{{d}}}$" + (f" × {count}" if count > 1 else "") for d, count in parts]
    words = f"{names[0]} of squared radius {square:g} and {names[1]} of {square:g} ratio"
    return RatioFamily(law, condensation, words)


def _spectrum_family(manifold: Linear | NormalizedLinear) -> RatioFamily:
    values = np.sort(manifold.variances)[::-1]
    largest = values == values[0]
    if largest.all():  # one variance: its first half keeps it
        largest[values.size - values.size // 2 :] = False
    if largest.all():
        raise fail("manifold", manifold, "axes ratio-n need two directions or more, to split")
    start = int(largest.sum())
    second = ~largest & (values == values[start])
    normalized, kind = isinstance(manifold, NormalizedLinear), type(manifold)

    def law(ratio: float) -> Manifold:
        return kind(np.where(second, values[0] * ratio, values), ambient_dim=manifold.ambient_dim)

    def condensation(ratio: float, part: int, log_n: Array) -> Array:
        return probe_condensation(law(ratio), part * start, log_n)

    words = f"variances {values[0]:g} ({start} times) and {values[0]:g} ratio ({second.sum()} times)"
    others = values.size - start - int(second.sum())
    words += f", {others} smaller ones as they are" if others else ""
    return RatioFamily(law, condensation, words + (", normalized" if normalized else ""), normalized)


def _equal(values: Array, argument: str) -> float:
    if np.ptp(values) > 0:
        raise fail(argument, values, "must be equal for these axes")
    return float(values[0])


def _kept(fixed: str, each: float, total: float, name: str) -> str:
    return f"{name} {each:g} a direction" if fixed == "variance" else f"total {name} {total:g}"
