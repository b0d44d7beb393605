"""The spectrum of a score's Jacobian at a point, for any score and any dimension, and the gaps in it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from ..conventions.arguments import Array, fail, generator, numbers, one_of, positive_integer, positive_scalar
from ..conventions.haar import orthogonal_matrix
from ..conventions.score import AnyScore, SpectralScore
from .orthogonal_probes import probed_scores
from .score_jacobian import ScoreJacobian

_TOLERANCE = 1e-9  # of eigenvalues of ∂m/∂x, which are of order 1
_BLOCKS = 40


def jacobian_spectrum(
    score: AnyScore,
    x: ArrayLike,
    r: float,
    k: int | None = None,
    *,
    method: str = "exact",
    rng: np.random.Generator | None = None,
) -> Array:
    """Eigenvalues of the symmetric part of J = ∂score/∂x at one point x (D,), descending: the k largest, default all.

    Tangent directions come first (-1/(λ+r) for variance λ), normal ones last (-1/r). Methods:

        "exact"       the score's own `jacobian_spectrum`, else D products with J and a full diagonalisation
        "probes"      central differences of length √r along a random orthogonal frame (signed `orthogonal_probes`):
                      the score as seen over the scale of the noise, for a curved or condensed one not J at the point
        "lanczos"     k < D, matrix-free: 2k to some 10k products, memory k D
        "randomized"  k < D, matrix-free: block Krylov from a random start, in batches of k + 10 products (at most 40)

    "lanczos" and "randomized" work on ∂m/∂x = 1 + rJ and resolve its eigenvalues λ/(λ+r) to 1e-9, "randomized" to that
    over their distance from the rest: absolute accuracy 1e-9/r in J. All but "exact" need rng, for frame or start.
    ValueError: bad arguments, or iterations that do not converge (a spectrum without a gap after the k-th one).
    Source: arXiv 2212.12611, 2410.05898 (probes); 0909.4061, 1504.05477 (randomized block Krylov).
    """
    one_of(method, ["exact", "probes", "lanczos", "randomized"], "method")
    jacobian = ScoreJacobian(score, x, r)
    kept = jacobian.ambient_dim if k is None else positive_integer(k, "k")
    few = method in ("lanczos", "randomized")
    if kept > jacobian.ambient_dim - few:
        raise fail("k", k, f"must be {'<' if few else '≤'} D = {jacobian.ambient_dim}" + " for this method" * few)
    if method == "exact":
        if isinstance(jacobian.score, SpectralScore):
            return jacobian.score.jacobian_spectrum(jacobian.x, jacobian.r, kept)
        return _symmetric_spectrum(jacobian.matrix())[:kept]
    rng = generator(rng)
    if method == "probes":
        rows, frame = probed_scores(jacobian.score, jacobian.x, jacobian.r, rng, kind="difference")
        return _symmetric_spectrum(frame.T @ rows)[:kept]  # rows are q Jᵀ: turned back into the frame of x
    shrinkage = (_lanczos if method == "lanczos" else _block_krylov)(jacobian, kept, rng)
    return -(1 - shrinkage) / jacobian.r


class MeasuredGap(NamedTuple):
    """`dimension` eigenvalues of rJ lie above a gap of `size`, as in `theory.spectra`, centred at `place`."""

    dimension: int
    size: float
    place: float


def measured_gaps(eigenvalues: ArrayLike, r: float, least: float = 0.1) -> list[MeasuredGap]:
    """Gaps larger than `least` in the spectrum of rJ, largest first.

    `eigenvalues` (D,) of J, any order. For an exact score rJ lies between -1 (off the manifold) and 0, so `least` is a
    share of the whole; a dimension is the number of eigenvalues above the gap. ValueError for fewer than two values.
    """
    values = numbers(eigenvalues, "eigenvalues")
    if values.ndim != 1 or values.size < 2:
        raise ValueError(f"eigenvalues has shape {values.shape}: must be (D,) with D ≥ 2")
    ordered = positive_scalar(r, "r") * np.sort(values)[::-1]
    sizes, places = -np.diff(ordered), (ordered[:-1] + ordered[1:]) / 2
    found = np.flatnonzero(sizes > positive_scalar(least, "least"))
    gaps = [MeasuredGap(int(i) + 1, float(sizes[i]), float(places[i])) for i in found]
    return sorted(gaps, key=lambda gap: -gap.size)


def _symmetric_spectrum(matrix: Array) -> Array:
    return np.asarray(np.linalg.eigvalsh((matrix + matrix.T) / 2)[::-1], dtype=np.float64)


def _lanczos(jacobian: ScoreJacobian, k: int, rng: np.random.Generator) -> Array:
    size = jacobian.ambient_dim
    operator = LinearOperator(
        (size, size), matvec=lambda v: jacobian.shrinkage(v.reshape(1, -1))[0], dtype=np.dtype(np.float64)
    )
    try:
        values = eigsh(operator, k, which="LA", v0=rng.standard_normal(size), tol=_TOLERANCE, return_eigenvectors=False)
    except ArpackNoConvergence:
        raise fail("k", k, "the Lanczos iteration does not converge: choose another k, or method = 'exact'") from None
    return np.sort(values)[::-1]


def _block_krylov(jacobian: ScoreJacobian, k: int, rng: np.random.Generator) -> Array:
    """Rayleigh–Ritz on the span of Ω, AΩ, A²Ω, …, Ω a random frame of k + 10 directions.

    Each Ritz value is within its residual of an eigenvalue, and within the residual's square over the gap of the right
    one. Plain powers of A would mix in the negative eigenvalues that a network has.
    """
    frame = orthogonal_matrix(jacobian.ambient_dim, rng, min(k + 10, jacobian.ambient_dim))
    image = jacobian.shrinkage(frame.T).T
    for _ in range(_BLOCKS):
        values, vectors = np.linalg.eigh((frame.T @ image + image.T @ frame) / 2)
        leading, values = vectors[:, ::-1][:, :k], values[::-1][:k]
        residual = np.linalg.norm(image @ leading - frame @ leading * values, axis=0).max()
        if residual < np.sqrt(_TOLERANCE) or frame.shape[1] == jacobian.ambient_dim:
            return np.asarray(values, dtype=np.float64)
        block = image[:, -min(k + 10, jacobian.ambient_dim - frame.shape[1]) :]
        for _ in range(2):  # once leaves rounding errors of the size of what is left of a block that brings little new
            block = np.linalg.qr(block - frame @ (frame.T @ block))[0]
        frame, image = np.hstack([frame, block]), np.hstack([image, jacobian.shrinkage(block.T).T])
    raise fail("k", k, f"{_BLOCKS} blocks leave a residual of {residual:.1g} in C/r: use method = 'lanczos'")
