"""Symmetry breaking in three conventions: where the density splits, the drift turns, the covariance says so."""

import math

import numpy as np
import pytest

from remanifold.manifolds import Linear, Mixture, NormalizedLinear
from remanifold.theory import symmetry_breaking


@pytest.mark.parametrize(("dim", "separation", "variance"), [(1, 2.0, 1.0), (30, 0.5, 0.2), (7, 3.0, 0.0)])
def test_two_gaussians_split_where_the_density_becomes_bimodal(dim, separation, variance):
    law = Mixture.two_gaussians(dim, separation, variance)
    expected = dim * separation**2 - variance
    found = symmetry_breaking(law)
    assert found == pytest.approx(expected, rel=1e-10)
    # and indeed: the log-density along the axis is a maximum at 0 above, a minimum below
    axis, step = np.full(dim, 1 / math.sqrt(dim)), 1e-2 * math.sqrt(expected)
    for r, sign in ((1.05 * found, -1), (0.95 * found, 1)):
        rise = law.log_density(step * axis, r) - law.log_density(0 * axis, r)
        assert np.sign(rise) == sign


def test_drift_convention_of_plus_minus_one():
    r = symmetry_breaking(Mixture.two_gaussians(1, variance=0.0), "drift")
    assert 1 / (1 + r) == pytest.approx(math.sqrt(2) - 1, rel=1e-11)  # a² in Ornstein–Uhlenbeck time


def test_drift_convention_is_where_the_reverse_drift_loses_stability():
    """OU drift x + 2∇ln p_t at a x: its slope at the centre changes sign."""
    law = Mixture.two_gaussians(2, 1.3, 0.4)
    r = symmetry_breaking(law, "drift")
    axis = np.array([1.0, 1.0]) / math.sqrt(2)

    def slope(ratio):
        signal, step = 1 / math.sqrt(1 + ratio), 1e-4
        score = law.score(step / signal * axis, ratio) @ axis / signal  # of the scaled variable a x
        return 1 + 2 * score / step

    assert slope(r) == pytest.approx(0, abs=1e-6)
    assert slope(0.9 * r) > 0 > slope(1.1 * r)


@pytest.mark.parametrize("dim", [2, 3, 30])
def test_sphere_splits_at_its_centre(dim):
    law = NormalizedLinear([0.3] * dim)
    assert symmetry_breaking(law) == pytest.approx(1 / dim, rel=1e-10)
    shift = np.arange(dim) * 1.0
    moved = NormalizedLinear([0.3] * dim, centre=shift)
    assert symmetry_breaking(moved) == pytest.approx(1 / dim, rel=1e-10)
    assert symmetry_breaking(moved, at=shift) == pytest.approx(1 / dim, rel=1e-10)


def test_gaussian_and_covariance_conventions():
    law = Linear([4.0, 1.0, 0.2])
    assert symmetry_breaking(law) == 4.0
    assert symmetry_breaking(law, "density") == 4.0
    assert symmetry_breaking(law, "covariance") == pytest.approx(3.0)
    mixture = Mixture.two_gaussians(9, 2.0, 0.5)
    sample = mixture.sample(40000, np.random.default_rng(1))
    measured = np.linalg.eigvalsh(np.cov(sample.T))[-1]
    assert symmetry_breaking(mixture, "covariance") == pytest.approx(measured - 1, rel=0.02)
    assert symmetry_breaking(mixture, "covariance") == pytest.approx(9 * 4 + 0.5 - 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: symmetry_breaking(Linear([1.0]), "phase"), "convention = 'phase': must be one of density"),
        (lambda: symmetry_breaking(Linear([1.0]), "covariance"), r"law = Linear\(.*leading variance 1: must exceed 1"),
        (
            lambda: symmetry_breaking(NormalizedLinear([1.0, 1.0]), at=[0.0]),
            r"at has shape \(1,\): must have",
        ),
        (
            lambda: symmetry_breaking(NormalizedLinear([1.0, 1.0]), at=[0.0, math.nan]),
            "at = .*must be finite",
        ),
        (lambda: symmetry_breaking(Mixture.two_gaussians(1, 0.1, 1.0)), "never reaches"),
    ],
)
def test_bad_symmetry_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
