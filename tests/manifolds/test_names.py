"""Laws by name."""

import pytest

from remanifold.manifolds import Linear, NormalizedLinear, Sphere
from remanifold.manifolds.names import manifold


def test_a_parameter_takes_the_place_of_the_one_in_the_name():
    assert manifold("sphere:intrinsic_dim=4,radius=2", radius=3) == Sphere(4, 3.0)
    assert manifold("sphere", intrinsic_dim=4) == Sphere(4)
    assert manifold("linear", variances="1x3") == Linear([1.0] * 3)
    assert manifold("losing-dimensions", high=3) == NormalizedLinear.two_subspaces(high=3)


def test_a_parameter_that_is_not_there():
    with pytest.raises(ValueError, match="parameter of sphere = 'a'"):
        manifold("sphere:intrinsic_dim=4", a=3)
