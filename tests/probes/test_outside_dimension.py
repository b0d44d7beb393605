"""An outside comparison: the neighbour-based estimators of scikit-dimension on the same law."""

import pytest

from remanifold.manifolds import Sphere
from remanifold.probes import dimensions


@pytest.mark.filterwarnings("ignore")  # of another package
def test_scikit_dimension_agrees_on_a_sphere(rng):
    import skdim

    law = Sphere(intrinsic_dim=5, ambient_dim=20)
    points = law.sample(2000, rng)
    ours = dimensions(law, points[0], 1e-4, rng)
    assert (ours.gap, ours.normal_bundle) == (5, 5)
    for name in ("TwoNN", "MLE", "CorrInt"):
        assert getattr(skdim.id, name)().fit(points).dimension_ == pytest.approx(ours.occupation, rel=0.1)
