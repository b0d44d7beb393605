"""Resizing by area against refined grids, luminance, and the common scale."""

import numpy as np
import pytest

from remanifold.manifolds.images import pixels
from remanifold.manifolds.images.pixels import prepared, standardized


def random_images(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(("old", "new"), [((8, 8), (4, 4)), ((28, 28), (10, 10)), ((7, 14), (3, 6)), ((5, 5), (8, 8))])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_area_average_on_a_refined_grid(old, new, channels):
    """Every pixel is split into new × new parts, and each new pixel is the plain mean of old × old of them."""
    images = random_images(2, *old, *channels)
    fine = np.repeat(np.repeat(images / 255.0, new[0], axis=1), new[1], axis=2)
    blocks = fine.reshape(2, new[0], old[0], new[1], old[1], *channels)
    np.testing.assert_allclose(prepared(images, size=new), blocks.mean(axis=(2, 4)), atol=1e-13)


def test_the_centre_is_cut_out():
    """218 × 178 to a square: rows 20 … 197 of the 218."""
    images = random_images(1, 218, 178, 3)
    np.testing.assert_allclose(prepared(images, size=64), prepared(images[:, 20:198], size=64), atol=1e-13)
    wide = random_images(1, 6, 11)
    expected = wide[:, :, 1:10].reshape(1, 2, 3, 3, 3).mean(axis=(2, 4)) / 255
    np.testing.assert_allclose(prepared(wide, size=(2, 3)), expected, atol=1e-13)


def test_luminance():
    from PIL import Image

    images = random_images(3, 5, 6, 3)
    pillow = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in images])
    np.testing.assert_allclose(255 * prepared(images, grayscale=True), pillow, atol=1.0)  # Pillow cuts to integers
    grey = random_images(3, 5, 6)
    np.testing.assert_array_equal(prepared(grey, grayscale=True), grey / 255)


@pytest.mark.parametrize("count", [3, 500])
@pytest.mark.parametrize("at_once", [2**24, 1000, 1])  # all together, 83 images, one by one
def test_common_scale(monkeypatch, count, at_once):
    monkeypatch.setattr(pixels, "_AT_ONCE", at_once)
    images = random_images(count, 4, 3)
    made = standardized("test", images, None)
    raw = images.reshape(count, 12) / 255
    deviation = np.sqrt(np.mean((raw - raw.mean(axis=0)) ** 2))
    np.testing.assert_allclose(made.points, (raw - raw.mean(axis=0)) / deviation, atol=1e-12)
    assert made.scale == pytest.approx(deviation)
    assert made.image_shape == (4, 3)


def test_scale_of_a_reference():
    images, reference = random_images(4, 6, 6), random_images(50, 6, 6, seed=1)
    made = standardized("test", images, [1, 2, 3, 4], reference=reference, size=3)
    whole = standardized("test", reference, None, size=3)
    assert made.scale == whole.scale
    np.testing.assert_allclose(made.pixels(), prepared(images, size=3), atol=1e-13)
    np.testing.assert_array_equal(made.offset, whole.offset)


@pytest.mark.parametrize("unit", [1e-15, 1.0, 1e15])
def test_any_unit(unit):
    values = np.random.default_rng(5).standard_normal((9, 2, 2))
    np.testing.assert_allclose(
        standardized("test", unit * values, None).points, standardized("test", values, None).points, rtol=1e-12
    )


def test_scale_far_from_zero(monkeypatch):
    """Values around 1e6 with a spread of 1e-3: known to 1e-10, 1e-7 of the spread."""
    monkeypatch.setattr(pixels, "_AT_ONCE", 1000)
    values = 1e6 + 1e-3 * np.random.default_rng(2).standard_normal((5000, 2, 2))
    made = standardized("test", values, None)
    spread = (values - values[0]) - (values - values[0]).mean(axis=0)
    assert made.scale == pytest.approx(np.sqrt(np.mean(spread**2)), rel=1e-9)
    assert np.mean(made.points**2) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: standardized("test", np.full((4, 2, 2), 7, np.uint8), None), "test: all images are equal"),
        (lambda: standardized("test", np.full((4, 2, 2), 0.1), None), "test: all images are equal"),
        (lambda: standardized("test", np.zeros((4, 2, 2)), None), "test: all images are equal"),
        (lambda: standardized("test", np.full((400, 2, 2), 1e6 / 3), None), "test: all images are equal"),
        (lambda: standardized("test", random_images(1, 4, 3), None), "test: all images are equal"),
        (lambda: prepared(random_images(1, 4, 3), size=(2, 3, 4)), r"size = \(2, 3, 4\): must be an integer ≥ 1"),
        (lambda: prepared(random_images(1, 4, 3), size=0), "size = 0: must be an integer ≥ 1"),
        (lambda: prepared(random_images(1, 4, 3), size=(2, 2.5)), "size = 2.5: must be an integer ≥ 1"),
        (lambda: prepared(random_images(1, 4, 3), size=2.5), "size = 2.5: must be an integer ≥ 1"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
