"""The bundled digits and the rules of image sets: scale, labels, nested subsets, disjoint splits."""

import numpy as np
import pytest

from remanifold.manifolds import ImageSet, digits


@pytest.fixture(scope="module")
def images():
    return digits()


def rng(seed=0):
    return np.random.default_rng(seed)


def rows(points):
    return {row.tobytes() for row in points}


def test_digits(images):
    assert images.points.shape == (1797, 64)
    assert images.points.dtype == np.float64
    assert len(images) == 1797
    assert images.ambient_dim == 64
    assert images.image_shape == (8, 8)
    np.testing.assert_allclose(images.points.mean(axis=0), 0, atol=1e-12)
    assert np.mean(images.points**2) == pytest.approx(1)
    counts = np.bincount(images.labels)
    assert len(counts) == 10
    assert counts.min() > 170
    # one scale for all pixels: grey levels 0 … 16 stay equidistant
    steps = np.unique(np.round(np.diff(np.unique(images.points[:, 20])), 9))
    assert len(steps) == 1


def test_a_label_is_its_digit(images):
    """Nearest class mean on raw points finds most digits: labels and points are in the same order."""
    means = np.stack([images.of_class(k).points.mean(axis=0) for k in range(10)])
    nearest = np.argmin(np.sum((images.points[:, None] - means) ** 2, axis=2), axis=1)
    assert np.mean(nearest == images.labels) > 0.85


def test_equal_seeds_give_nested_subsets(images):
    small, large = images.subset(30, rng(4)), images.subset(300, rng(4))
    np.testing.assert_array_equal(small.points, large.points[:30])
    np.testing.assert_array_equal(small.labels, large.labels[:30])
    np.testing.assert_array_equal(images.sample(30, rng(4)), small.points)
    assert not np.array_equal(images.sample(30, rng(5)), small.points)
    assert len(rows(images.sample(1797, rng(1)))) == len(rows(images.points))
    assert small.name == images.name


def test_split_is_disjoint_and_complete(images):
    marked = ImageSet("marked", np.arange(1797.0)[:, None] * np.ones(64), images.labels, (8, 8))
    train, held_out = marked.split(200, rng(2))
    assert (len(train), len(held_out)) == (1597, 200)
    together = np.concatenate([train.points[:, 0], held_out.points[:, 0]])
    np.testing.assert_array_equal(np.sort(together), np.arange(1797))
    np.testing.assert_array_equal(images.labels[train.points[:, 0].astype(int)], train.labels)


def test_of_class(images):
    some = images.of_class(3, 7)
    assert set(some.labels.tolist()) == {3, 7}
    assert len(some) == np.sum(images.labels == 3) + np.sum(images.labels == 7)


POINTS, LABELS = np.zeros((3, 4)), np.zeros(3, dtype=np.int64)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: i.subset(1798, rng()), "n = 1798: must be ≤ 1797"),
        (lambda i: i.subset(0, rng()), "n = 0: must be an integer ≥ 1"),
        (lambda i: i.sample(2.0, rng()), "n = 2.0: must be an integer ≥ 1"),
        (lambda i: i.sample(2, 0), "rng = 0: must be a numpy.random.Generator"),
        (lambda i: i.split(1797, rng()), "held_out = 1797: must be < 1797"),
        (lambda i: i.split(0, rng()), "held_out = 0: must be an integer ≥ 1"),
        (lambda i: i.split(5, None), "rng = None: must be a numpy.random.Generator"),
        (lambda i: i.of_class(10), r"classes = \(10,\): must be among \[0, 1"),
        (lambda i: ImageSet("a", POINTS, LABELS, (3, 2)), r"points has shape \(3, 4\): must be \(N, 6\)"),
        (lambda i: ImageSet("a", POINTS[:0], LABELS[:0], (2, 2)), "points has shape .*N ≥ 1"),
        (lambda i: ImageSet("a", POINTS * np.nan, LABELS, (2, 2)), "points: must be finite"),
        (lambda i: ImageSet("a", POINTS, LABELS[:2], (2, 2)), r"labels has shape \(2,\): must be \(3,\)"),
    ],
)
def test_bad_image_arguments(images, call, message):
    with pytest.raises(ValueError, match=message):
        call(images)
