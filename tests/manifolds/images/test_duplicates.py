"""Equal and nearly equal images: against all pairs one by one, across blocks, and where squares cancel."""

import numpy as np
import pytest

from remanifold.manifolds import ImageSet, digits
from remanifold.manifolds.images import duplicates


def groups(points, tolerance=0.0):
    points = np.asarray(points, dtype=np.float64)
    found = ImageSet("test", points, None, (points.shape[1],)).duplicates(tolerance)
    return [group.tolist() for group in found]


def linked_one_by_one(points, tolerance):
    """Groups by relabelling over all pairs."""
    label = list(range(len(points)))
    for i in range(len(points)):
        for j in range(i):
            if np.sqrt(np.mean((points[i] - points[j]) ** 2)) <= tolerance:
                label = [label[j] if k == label[i] else k for k in label]
    members = [[i for i, k in enumerate(label) if k == one] for one in sorted(set(label), key=label.index)]
    return [group for group in members if len(group) > 1]


def test_equal_images():
    assert groups([[1, 2], [3, 4], [1, 2], [0, 0], [-0.0, 0], [1, 2]]) == [[0, 2, 5], [3, 4]]
    assert groups([[1, 2], [3, 4]]) == []
    assert groups([[1, 2]]) == []


def test_planted_copies_among_digits():
    images = digits()
    assert images.duplicates() == []
    doubled = images.take(np.append(np.arange(1797), [10, 20, 10]))
    assert [group.tolist() for group in doubled.duplicates()] == [[10, 1797, 1799], [20, 1798]]
    assert [group.tolist() for group in doubled.duplicates(1e-9)] == [[10, 1797, 1799], [20, 1798]]


@pytest.mark.parametrize("entries", [2**23, 100, 1])
@pytest.mark.parametrize("tolerance", [0.03, 0.1, 0.25])
def test_against_all_pairs(monkeypatch, entries, tolerance):
    """Also in blocks of three rows and of one."""
    monkeypatch.setattr(duplicates, "_ENTRIES", entries)
    points = np.random.default_rng(4).uniform(size=(35, 2))
    expected = linked_one_by_one(points, tolerance)
    assert groups(points, tolerance) == expected
    assert expected != []


def test_chains_are_one_group():
    assert groups([[0.0], [5.0], [1.0], [2.0]], 1.0) == [[0, 2, 3]]


def test_differences_far_below_the_size_of_the_points():
    """Two clusters 2e8 apart, differences of 1e-6 and 3e-6: the squares alone would not tell them."""
    step = 2.0**-20
    far = np.array([[0.0, 0.0], [step, 0.0], [4 * step, 0.0]]) + 2.0**27
    assert groups(np.concatenate([far, -far]), 1.1 * step) == [[0, 1], [3, 4]]


def test_the_limit_itself_counts():
    points = np.zeros((2, 4))
    points[1] = 0.5
    assert groups(points, 0.5) == [[0, 1]]
    assert groups(points, np.nextafter(0.5, 0)) == []
