"""Products of rows added to an upper triangle, and nothing else touched."""

import numpy as np
import pytest

from remanifold.simulations.engine.rank_update import add_products


@pytest.mark.parametrize(("dtype", "precision"), [("float64", 1e-13), ("float32", 1e-5)])
@pytest.mark.parametrize("shape", [(5, 3), (1, 7), (300, 40), (0, 4)])
def test_upper_triangle_of_the_products(shape, dtype, precision):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal(shape).astype(dtype)
    before = rng.standard_normal((shape[1], shape[1])).astype(dtype)
    after = np.asfortranarray(before)
    add_products(rows, after)
    expected = before + rows.astype(float).T @ rows.astype(float)
    assert np.allclose(np.triu(after), np.triu(expected), rtol=precision, atol=precision * max(shape))
    assert np.array_equal(np.tril(after, -1), np.tril(before, -1))


@pytest.mark.parametrize(
    ("rows", "upper"),
    [
        (np.ones((4, 3), order="F"), np.zeros((3, 3), order="F")),
        (np.ones((4, 3)), np.zeros((4, 4), order="F")),
        (np.ones((4, 3)), np.zeros((3, 3), np.float32, order="F")),
        (np.ones((4, 3), int), np.zeros((3, 3), int, order="F")),
        (np.ones((4, 3)), np.zeros((6, 6), order="F")[::2, ::2]),
    ],
)
def test_what_blas_would_misread_is_refused(rows, upper):
    with pytest.raises(ValueError, match="of one precision and order"):
        add_products(rows, upper)
