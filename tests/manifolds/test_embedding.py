"""A law that is rotated, shifted and put into more dimensions is the same law in new coordinates."""

import numpy as np
import pytest
from scipy import stats

from remanifold.manifolds import Linear, Mixture, NormalizedLinear

R = 0.3
VARIANCES = [1.0, 0.4, 0.4]
BASIS = np.linalg.qr(np.random.default_rng(1).standard_normal((7, 3)))[0]
CENTRE = np.random.default_rng(2).standard_normal(7)
SHIFTS = np.array([[1.0, 0.5, 0.0], [-1.0, 0.0, 0.7]])
PAIRS = {
    "linear": (Linear(VARIANCES), Linear(VARIANCES, basis=BASIS, centre=CENTRE)),
    "normalized": (NormalizedLinear(VARIANCES), NormalizedLinear(VARIANCES, basis=BASIS, centre=CENTRE)),
    "mixture": (
        Mixture([Linear(VARIANCES, centre=c) for c in SHIFTS], [1.0, 3.0]),
        Mixture([Linear(VARIANCES, basis=BASIS, centre=CENTRE + BASIS @ c) for c in SHIFTS], [1.0, 3.0]),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_every_quantity_moves_with_the_embedding(name):
    plain, moved = PAIRS[name]
    rng = np.random.default_rng(3)
    z = rng.standard_normal((6, 3))
    off = rng.standard_normal((6, 7))
    off -= off @ BASIS @ BASIS.T
    x = CENTRE + z @ BASIS.T + off
    energy = np.sum(off**2, axis=1) / (2 * R)
    close = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(moved.log_partition(x, R), plain.log_partition(z, R) - energy, **close)
    np.testing.assert_allclose(moved.posterior_mean(x, R), CENTRE + plain.posterior_mean(z, R) @ BASIS.T, **close)
    covariance = BASIS @ plain.posterior_covariance(z, R) @ BASIS.T
    np.testing.assert_allclose(moved.posterior_covariance(x, R), covariance, **close)
    np.testing.assert_allclose(moved.score(x, R), plain.score(z, R) @ BASIS.T - off / R, **close)
    np.testing.assert_allclose(moved.local_divergence(x, R), plain.local_divergence(z, R), rtol=1e-8)
    spectrum = moved.jacobian_spectrum(x, R)
    np.testing.assert_allclose(spectrum[:, :3], plain.jacobian_spectrum(z, R), **close)
    np.testing.assert_allclose(spectrum[:, 3:], -1 / R, **close)
    np.testing.assert_allclose(moved.mean, CENTRE + BASIS @ plain.mean, atol=1e-12)
    assert moved.leading_variance() == pytest.approx(plain.leading_variance(), rel=1e-10)
    assert moved.leading_posterior_variance(x[0], R) == pytest.approx(
        plain.leading_posterior_variance(z[0], R), rel=1e-9
    )
    for average in ("information", "dimension"):
        np.testing.assert_allclose(getattr(moved, average)([0.1, 2.0]), getattr(plain, average)([0.1, 2.0]), rtol=1e-9)
    assert moved.free_energy_gap(R, 0.1) == pytest.approx(float(plain.free_energy_gap(R, 0.1)), rel=1e-9)
    for i in range(3):
        np.testing.assert_allclose(moved.direction(i), BASIS[:, i], atol=1e-13)


@pytest.mark.parametrize("name", PAIRS)
def test_samples_lie_in_the_span_and_follow_the_seed(name):
    _, moved = PAIRS[name]
    y = moved.sample(50, np.random.default_rng(5)) - CENTRE
    np.testing.assert_allclose(y - y @ BASIS @ BASIS.T, 0, atol=1e-12)
    np.testing.assert_array_equal(y, moved.sample(50, np.random.default_rng(5)) - CENTRE)
    assert y.shape == (50, 7)
    assert y.dtype == np.float64


def test_default_embedding_is_the_first_axes():
    law = Linear(VARIANCES, ambient_dim=5)
    np.testing.assert_array_equal(law.direction(1), [0, 1, 0, 0, 0])
    assert np.all(law.sample(9, np.random.default_rng(0))[:, 3:] == 0)
    x = np.array([1.0, -2.0, 0.5, 3.0, 4.0])
    assert law.log_partition(x, R) == pytest.approx(float(Linear(VARIANCES).log_partition(x[:3], R)) - 25 / (2 * R))


def test_full_dimensional_basis():
    rotation = np.linalg.qr(np.random.default_rng(4).standard_normal((3, 3)))[0]
    plain, turned = Linear(VARIANCES), Linear(VARIANCES, basis=rotation)
    z = np.array([0.3, -1.0, 2.0])
    assert turned.log_partition(rotation @ z, 1e-9) == pytest.approx(float(plain.log_partition(z, 1e-9)), rel=1e-12)


def test_random_basis_is_orthonormal_and_uniform():
    drawn = [Linear([1.0, 1.0], ambient_dim=4, rng=np.random.default_rng(s)).embedding.basis for s in range(400)]
    for basis in drawn[:5]:
        np.testing.assert_allclose(basis.T @ basis, np.eye(2), atol=1e-12)
    # the square of a coordinate of a uniform direction is Beta(1/2, (D-1)/2)
    for column in (0, 1):
        squares = np.array([basis[0, column] for basis in drawn]) ** 2
        assert stats.kstest(squares, stats.beta(0.5, 1.5).cdf).pvalue > 1e-3
    assert stats.binomtest(sum(bool(basis[0, 0] > 0) for basis in drawn), 400).pvalue > 1e-3


def test_parameters_are_copies_and_frozen():
    variances = np.array([1.0, 2.0])
    for law in (Linear(variances), NormalizedLinear(variances)):
        variances[0] = 99.0
        assert law.variances[0] == 1.0
        with pytest.raises(ValueError, match="read-only"):
            law.variances[0] = 5.0
        variances[0] = 1.0
