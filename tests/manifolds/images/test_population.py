"""Image sets behind the door of the manifolds: mean, covariance, Λ, the Gaussian of the same covariance, pixels."""

import numpy as np
import pytest

from remanifold.manifolds import ImageSet, Linear, Mixture, digits


def image_set(points, labels=None, **more):
    points = np.asarray(points, dtype=np.float64)
    return ImageSet("test", points, labels, (points.shape[1], 1), **more)


@pytest.fixture(scope="module")
def tilted():
    law = Linear([4.0, 1.0, 0.25], ambient_dim=6, rng=np.random.default_rng(1), centre=np.arange(6.0))
    return law, image_set(law.sample(4000, np.random.default_rng(2)))


@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (12, 12)])
def test_gaussian_against_singular_values(shape):
    points = np.random.default_rng(0).standard_normal(shape) @ np.diag(np.geomspace(1, 1e-3, shape[1])) + 3
    images = image_set(points)
    singular = np.linalg.svd(points - points.mean(axis=0), compute_uv=False) ** 2 / len(points)
    rank = min(shape[0] - 1, shape[1])
    assert images.gaussian.variances.shape == (rank,)
    np.testing.assert_allclose(images.gaussian.variances, singular[:rank], rtol=1e-9, atol=1e-13 * singular[0])
    np.testing.assert_allclose(images.gaussian.covariance(), np.cov(points.T, bias=True), atol=1e-8)
    np.testing.assert_allclose(images.covariance(), np.cov(points.T, bias=True), atol=1e-13)
    np.testing.assert_allclose(images.gaussian.mean, points.mean(axis=0), atol=1e-13)
    assert images.leading_variance() == pytest.approx(singular[0])


def test_estimates_of_a_known_law(tilted):
    """4000 points: λ̂ has the standard error λ√(2/N), the mean that of a Gaussian; the directions follow."""
    law, images = tilted
    z = (images.gaussian.variances - [4.0, 1.0, 0.25]) / (np.array([4.0, 1.0, 0.25]) * np.sqrt(2 / 4000))
    assert np.all(np.abs(z) < 4)
    assert np.all(np.abs((images.mean - law.mean) / np.sqrt(np.diag(law.covariance()) / 4000 + 1e-30)) < 4)
    assert abs(images.direction(0) @ law.direction(0)) > 0.999
    np.testing.assert_allclose(images.gaussian.information([0.01, 1.0]), law.information([0.01, 1.0]), rtol=0.03)


def test_gaussian_bounds_the_information_from_above():
    """Two classes know less than the Gaussian of their covariance: I ≤ I_Gauss, by ln 2 at most away from it."""
    law = Mixture.two_gaussians(dim=5, separation=2.0, variance=0.3)
    images = image_set(law.sample(20000, np.random.default_rng(3)))
    r = np.geomspace(1e-2, 1e2, 9)
    excess = images.gaussian.information(r) - law.information(r)
    assert np.all(excess > -0.02)  # 20000 points: the log-determinant is known to about √(5/2/20000)
    assert excess[0] > 0.5


def test_one_image_has_no_variance():
    images = image_set(np.ones((1, 4)))
    assert images.leading_variance() == 0
    np.testing.assert_array_equal(images.gaussian.sample(2, np.random.default_rng(0)), np.ones((2, 4)))


def test_pixels_undo_the_scale():
    from sklearn.datasets import load_digits

    images = digits()
    np.testing.assert_allclose(images.pixels(), load_digits().images / 16, atol=1e-13)
    np.testing.assert_allclose(images.pixels(images.points[3])[0], load_digits().images[3] / 16, atol=1e-13)
    few = images.of_class(3).subset(5, 0)
    np.testing.assert_allclose(few.pixels() * 16, np.round(few.pixels() * 16), atol=1e-12)
    assert np.max(few.pixels()) == pytest.approx(1)


def test_leading_variance_in_pixel_units():
    from sklearn.datasets import load_digits

    images, raw = digits(), load_digits().data / 16
    assert images.leading_variance() * images.scale**2 == pytest.approx(
        np.linalg.eigvalsh(np.cov(raw.T, bias=True))[-1]
    )


def test_sets_without_labels():
    images = image_set(np.eye(3))
    assert images.classes == ()
    assert images.subset(2, 5).labels is None
    assert repr(images) == "ImageSet(test: 3 images 3×1, no labels)"
    assert repr(image_set(np.eye(3), np.array([4, 4, 9]))) == "ImageSet(test: 3 images 3×1, 2 classes)"
    assert image_set(np.eye(3), np.array([4, 4, 9])).classes == (4, 9)


def test_a_seed_is_a_fresh_generator():
    images = digits()
    np.testing.assert_array_equal(images.subset(50, 7).points, images.subset(50, np.random.default_rng(7)).points)
    left, right = images.split(100, 3)
    assert (len(left), len(right)) == (1697, 100)
    np.testing.assert_array_equal(right.points, images.split(100, np.random.default_rng(3))[1].points)


def test_take_keeps_order_and_scale():
    images = digits()
    taken = images.take([5, 1, 5])
    np.testing.assert_array_equal(taken.labels, images.labels[[5, 1, 5]])
    np.testing.assert_array_equal(taken.points, images.points[[5, 1, 5]])
    assert taken.scale == images.scale


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: i.of_class(1), r"classes = \(1,\): test has no labels"),
        (lambda i: i.take([0, 3]), "index = .*must be a list of integers from 0 to 2"),
        (lambda i: i.take([-1]), "index = .*must be a list of integers"),
        (lambda i: i.take([0.0]), "index = .*must be a list of integers"),
        (lambda i: i.take(1), "index = .*must be a list of integers"),
        (lambda i: i.subset(2, -1), "rng = -1: must be a numpy.random.Generator or a seed"),
        (lambda i: i.subset(2, True), "rng = True: must be a numpy.random.Generator or a seed"),
        (lambda i: i.pixels(np.zeros(4)), r"x has shape \(4,\): must have shape \(3,\)"),
        (lambda i: i.duplicates(-0.1), "tolerance = -0.1: must be ≥ 0"),
        (lambda i: i.duplicates(np.nan), "tolerance = nan: must be finite"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call(image_set(np.eye(3)))
