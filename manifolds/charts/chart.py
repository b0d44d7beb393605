"""A chart: the function u → y from a box to space that a parametric manifold is given by, with its geometry."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ...conventions.arguments import Array, fail, numbers

ChartFunction = Callable[[Array], Array]
_STEP = 1e-3  # of the box, for differences of eighth order: error about 1e-12 of the function, 1e-9 second time
_COEFFICIENTS = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])  # f'(0) h = Σ_j c_j [f(jh) - f(-jh)]
_IMAGINARY = 1e-40  # the complex step: exact to rounding


class Chart:
    """y(u) on a box, with first and second derivatives, metric and second fundamental form.

    `function`: u (n, d) → y (n, k), defined a little beyond the box (0.4 % of its width). `box` (d, 2): lower <
    upper bounds. `tangents`: u → ∂y/∂u_i (n, k, d) if known; otherwise a complex step where the function accepts
    complex u and is analytic (exact to rounding), or differences of eighth order (1e-12). ValueError otherwise.
    """

    def __init__(self, function: ChartFunction, box: ArrayLike, tangents: ChartFunction | None = None):
        bounds = numbers(box, "box")
        if bounds.ndim != 2 or bounds.shape[1] != 2 or not np.all(bounds[:, 0] < bounds[:, 1]):
            raise fail("box", box, "must be a list of (lower, upper) with lower < upper, one for each parameter")
        self.function, self.box = function, bounds
        self.dim = len(bounds)
        middle = bounds.mean(axis=1)[None]
        value = np.asarray(function(np.repeat(middle, 3, axis=0)))
        if value.ndim != 2 or len(value) != 3 or value.dtype.kind not in "fi" or not np.all(np.isfinite(value)):
            raise fail("chart", value, f"must turn u (n, {self.dim}) into finite real points (n, k)")
        self.span_dim = value.shape[1]
        if self.span_dim < self.dim:
            raise fail("chart", value[0], f"must have at least {self.dim} coordinates, as many as parameters")
        self._given = tangents
        self._analytic = tangents is None and self._accepts_complex(
            bounds[:, 0] + np.diff(bounds)[:, 0] * _TRIAL[:, None]
        )

    def points(self, u: Array) -> Array:
        """y (n, k) at parameters u (n, d)."""
        return np.asarray(self.function(u), dtype=np.float64)

    def tangents(self, u: Array) -> Array:
        """∂y/∂u_i, shape (n, k, d)."""
        if self._given is not None:
            return self._given(u)
        if self._analytic:
            return self._complex_step(u)
        return self._differences(self.points, u)

    def second_derivatives(self, u: Array) -> Array:
        """∂²y/∂u_i∂u_j, shape (n, k, d, d)."""
        return self._differences(self.tangents, u)

    def face(self, axis: int, end: float) -> "Chart":
        """The chart of the face u_axis = `end` of the box, in the other parameters."""
        others = [i for i in range(self.dim) if i != axis]

        def whole(v: Array) -> Array:
            return np.insert(v, axis, end, axis=1)

        return Chart(lambda v: self.points(whole(v)), self.box[others], lambda v: self.tangents(whole(v))[:, :, others])

    def volume_element(self, u: Array) -> Array:
        """√det g, g = JᵀJ: the volume of the image of du, shape (n,)."""
        jacobian = self.tangents(u)
        if self.dim == 1:
            return np.linalg.norm(jacobian[:, :, 0], axis=1)
        metric = np.einsum("nki,nkj->nij", jacobian, jacobian)
        if self.dim == 2:
            determinant = metric[:, 0, 0] * metric[:, 1, 1] - metric[:, 0, 1] ** 2
        else:
            determinant = np.linalg.det(metric)
        return np.sqrt(np.maximum(determinant, 0.0))

    def curvatures(self, u: Array) -> tuple[Array, Array]:
        """|H|² and |II|², shapes (n,): II = normal part of the second derivatives, H = its trace.

        |II|² = g^{ik} g^{jl} II_ij·II_kl and H = g^{ij} II_ij.
        """
        orthonormal, triangular = np.linalg.qr(self.tangents(u))
        second = self.second_derivatives(u)
        tangential = np.einsum("nka,nla,nlij->nkij", orthonormal, orthonormal, second, optimize=True)
        inverse = np.linalg.inv(triangular)  # (n, d, d): columns make the tangents orthonormal
        form = np.einsum("nkij,nia,njb->nkab", second - tangential, inverse, inverse, optimize=True)
        trace = np.einsum("nkaa->nk", form)
        return np.sum(trace**2, axis=1), np.sum(form**2, axis=(1, 2, 3))

    def gradient_squared(self, function: ChartFunction, u: Array) -> Array:
        """|∇f|² on the manifold of a function f(u) (n,), shape (n,)."""
        slope = self._differences(lambda v: np.asarray(function(v), dtype=np.float64)[:, None], u)[:, 0]
        triangular = np.linalg.qr(self.tangents(u))[1]
        return np.sum(np.linalg.solve(np.swapaxes(triangular, 1, 2), slope[..., None])[..., 0] ** 2, axis=1)

    def _complex_step(self, u: Array) -> Array:
        columns = []
        for i in range(self.dim):
            step = np.zeros(self.dim, dtype=np.complex128)
            step[i] = 1j * _IMAGINARY
            shifted = self.function(u + step)  # type: ignore[arg-type]
            columns.append(np.asarray(shifted).imag / _IMAGINARY)
        return np.stack(columns, axis=2)

    def _differences(self, function: ChartFunction, u: Array) -> Array:
        """Derivative of any function of u by the eighth-order central rule, on a new last axis."""
        columns = []
        for i, width in enumerate(np.diff(self.box)[:, 0]):
            step = np.zeros(self.dim)
            step[i] = _STEP * width
            terms = (c * (function(u + j * step) - function(u - j * step)) for j, c in enumerate(_COEFFICIENTS, 1))
            columns.append(sum(terms) / step[i])
        return np.stack(columns, axis=-1)

    def _accepts_complex(self, u: Sequence[float] | Array) -> bool:
        """Whether the complex step agrees with differences at a few places; a chart with |·| or atan2 may not."""
        trial = np.asarray(u, dtype=np.float64)
        try:
            exact = self._complex_step(trial)
        except Exception:  # whatever a user's real-valued function may raise
            return False
        plain = self._differences(self.points, trial)
        return exact.shape == plain.shape and bool(np.all(np.abs(exact - plain) <= 1e-7 * (1 + np.abs(plain).max())))


_TRIAL = np.array([0.13, 0.38, 0.5, 0.71, 0.94])
