"""Tangent spaces against secants of samples, in random embeddings."""

import numpy as np
import pytest

from remanifold.manifolds import Linear, NormalizedLinear, Sphere


@pytest.mark.parametrize(
    ("law", "dim"),
    [
        (Linear([2.0, 0.5, 0.0], ambient_dim=7, rng=np.random.default_rng(0), centre=np.arange(7.0)), 2),
        (NormalizedLinear([1.0, 0.3, 0.01], ambient_dim=6, rng=np.random.default_rng(1)), 2),
        (Sphere(3, radius=2.0, ambient_dim=6, rng=np.random.default_rng(2)), 3),
    ],
)
def test_secants_of_near_samples_lie_in_the_tangent_space(law, dim):
    """What sticks out of the tangent space is of second order in the length of the secant."""
    y = law.sample(200_000, np.random.default_rng(3))
    basis = law.tangent_basis(y[0])
    assert basis.shape == (law.ambient_dim, dim)
    np.testing.assert_allclose(basis.T @ basis, np.eye(dim), atol=1e-12)
    secants = y[1:] - y[0]
    lengths = np.linalg.norm(secants, axis=1)
    near = np.argsort(lengths)[:20]
    outside = np.linalg.norm(secants[near] - secants[near] @ basis @ basis.T, axis=1)
    assert np.all(outside < lengths[near] ** 2 + 1e-12)
    assert lengths[near].max() < 0.2


def test_a_point_off_the_sphere_is_refused():
    with pytest.raises(ValueError, match="must be one point of the sphere of radius 1"):
        NormalizedLinear([1.0, 0.3]).tangent_basis([2.0, 0.0])
