"""Random orthogonal frames."""

import numpy as np

from .arguments import Array, generator


def orthogonal_matrix(dim: int, rng: np.random.Generator, columns: int | None = None) -> Array:
    """Haar-random orthogonal matrix (D, D), or `columns` of one: QR of a Gaussian matrix, signs fixed
    (math-ph/0609050).
    """
    q, triangle = np.linalg.qr(generator(rng).standard_normal((dim, columns or dim)))
    return np.asarray(q * np.where(np.diag(triangle) < 0, -1.0, 1.0), dtype=np.float64)
