"""From pixels to points: grey levels, resizing by area, and the common scale."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...conventions.arguments import Array, fail, positive_integer
from .image_set import ImageSet, shuffled

Size = int | tuple[int, int] | None
LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as in JPEG
_AT_ONCE = 2**24  # pixel values converted to float64 together, 128 MB


def height_and_width(size: Size) -> tuple[int, int] | None:
    """`size` as (height, width); one number means a square."""
    if size is None:
        return None
    height, width = size if isinstance(size, tuple) and len(size) == 2 else (size, size)
    return positive_integer(height, "size"), positive_integer(width, "size")


def chosen(count: int, n: int | None, rng: np.random.Generator | int, source: str) -> NDArray[np.int64]:
    """Which of `count` images to read: all in order for n = None, else the first n of one shuffle."""
    if n is None:
        return np.arange(count)
    if positive_integer(n, "n") > count:
        raise fail("n", n, f"must be ≤ {count}, the images in {source}")
    return shuffled(count, rng)[:n]


def prepared(images: NDArray[np.generic], size: Size = None, grayscale: bool = False) -> Array:
    """Images (n, h, w[, 3]) as float64 (n, height, width[, 3]), bytes divided by 255, made grey and resized if asked.

    Resizing: the largest centred window with the proportions of `size` is cut out, and every new pixel is the mean
    over the area that it covers, so that the mean grey level of the window is kept.
    """
    scale = 255.0 if images.dtype == np.uint8 else 1.0
    pixels = images.astype(np.float64) / scale
    if grayscale and pixels.ndim == 4:
        pixels = pixels @ LUMINANCE
    wanted = height_and_width(size)
    return pixels if wanted is None else resized(pixels, wanted)


def resized(pixels: Array, size: tuple[int, int]) -> Array:
    """Images (n, h, w[, c]) cut to the proportions of `size` and averaged over the area of each new pixel."""
    h, w = pixels.shape[1:3]
    if (h, w) == size:
        return pixels
    shrink = min(h / size[0], w / size[1])
    rows, columns = _overlaps(h, shrink, size[0]), _overlaps(w, shrink, size[1])
    return np.moveaxis(np.tensordot(np.tensordot(pixels, rows, (1, 1)), columns, (1, 1)), (-2, -1), (1, 2))


def _overlaps(old: int, width: float, new: int) -> Array:
    """Share (new, old) of each old pixel in each of `new` cells of the given width, centred on the old line."""
    edges = 0.5 * (old - width * new) + width * np.arange(new + 1)
    low, high = np.maximum(edges[:-1, None], np.arange(old)), np.minimum(edges[1:, None], np.arange(1, old + 1))
    return np.maximum(high - low, 0.0) / width


def standardized(
    name: str,
    images: NDArray[np.generic],
    labels: ArrayLike | None,
    *,
    reference: NDArray[np.generic] | None = None,
    size: Size = None,
    grayscale: bool = False,
) -> ImageSet:
    """The images (n, h, w[, 3]) as points: mean image subtracted, one scale for all pixels.

    Mean image and mean pixel variance, which becomes 1, are those of the `reference` images, by default of the
    images themselves; ValueError if all of those are equal.
    """
    offset, scale = _moments(name, images if reference is None else reference, size, grayscale)
    points = np.empty((len(images), offset.size))
    done = 0
    for block in _blocks(images, size, grayscale):
        points[done : done + len(block)] = (block.reshape(len(block), -1) - offset.ravel()) / scale
        done += len(block)
    integers = None if labels is None else np.asarray(labels, dtype=np.int64)
    return ImageSet(name, points, integers, offset.shape, offset.ravel(), scale)


def _blocks(images: NDArray[np.generic], size: Size, grayscale: bool) -> Iterator[Array]:
    step = max(1, _AT_ONCE // images[0].size)
    for start in range(0, len(images), step):
        yield prepared(images[start : start + step], size, grayscale)


def _moments(name: str, images: NDArray[np.generic], size: Size, grayscale: bool) -> tuple[Array, float]:
    """Mean image and root of the mean pixel variance, in one pass around the mean of the first images."""
    about = next(_blocks(images, size, grayscale)).mean(axis=0)
    total, squares = np.zeros_like(about), 0.0
    for block in _blocks(images, size, grayscale):
        total += (block - about).sum(axis=0)
        squares += float(np.sum((block - about) ** 2))
    shift = total / len(images)
    variance = squares / (len(images) * about.size) - float(np.mean(shift**2))
    if variance <= 1e-28 * float(np.max(about**2)):  # rounding of equal values gives 1e-32
        raise ValueError(f"{name}: all images are equal, so that no scale can be set")
    return about + shift, float(np.sqrt(variance))
