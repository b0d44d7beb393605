"""A noise ratio of its own for each point: what the points one by one have."""

import numpy as np
import pytest

from remanifold.manifolds import Linear, Mixture, NormalizedLinear, Parametric, Product, Sphere, Torus

RNG = np.random.default_rng(5)
LAWS = {
    "linear": Linear([1.0, 0.3], ambient_dim=4, rng=RNG),
    "normalized": NormalizedLinear([1.0, 0.5, 0.5], centre=[0.3, 0.0, 1.0]),
    "sphere": Sphere(2, 1.5, ambient_dim=5),
    "torus": Torus([1.0, 0.5], ambient_dim=5),
    "product": Product([Sphere(1), Linear([0.7])]),
    "gaussian classes": Mixture.two_gaussians(3),
    "classes of any kind": Mixture([Sphere(1, ambient_dim=3), Linear([1.0, 0.2, 0.1])], [1.0, 2.0]),
    "ellipse": Parametric.ellipse(1.5, 1.0, ambient_dim=3),
}
POINTWISE = [
    "log_partition",
    "log_density",
    "posterior_mean",
    "posterior_covariance",
    "score",
    "jacobian_spectrum",
    "local_divergence",
]


@pytest.mark.parametrize("name", LAWS)
def test_each_point_with_its_own_ratio(name):
    law = LAWS[name]
    r = np.array([0.5, 2.0, 0.01, 0.5, 1e3, 0.01, 0.07])
    x = law.sample(len(r), RNG) + np.sqrt(r)[:, None] * RNG.standard_normal((len(r), law.ambient_dim))
    quantities = POINTWISE + (["class_posterior"] if law.n_classes > 1 else [])
    for quantity in quantities:
        together = getattr(law, quantity)(x, r)
        alone = np.stack([getattr(law, quantity)(point, float(ratio)) for point, ratio in zip(x, r, strict=True)])
        np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-12 * np.abs(alone).max(), err_msg=quantity)
        same = getattr(law, quantity)(x, np.full(len(r), 0.4))
        np.testing.assert_array_equal(same, getattr(law, quantity)(x, 0.4), err_msg=quantity)
