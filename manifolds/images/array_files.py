"""Images in NumPy files as image sets."""

import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import fail
from .image_set import ImageSet
from .pixels import Size, chosen, standardized


def arrays(
    file: str | Path,
    n: int | None = None,
    *,
    images: str = "images",
    labels: str = "labels",
    size: Size = None,
    grayscale: bool = False,
    rng: np.random.Generator | int = 0,
) -> ImageSet:
    """Images in a NumPy file: (N, height, width[, 1 or 3]), or points (N, D) that are no images.

    `.npy`: one array, no labels. `.npz`: the array named `images`, and N integers named `labels` if the file has
    them. Bytes are divided by 255, other numbers kept; mean image and scale are those of the whole file. `n` and
    `rng` (a generator or a seed): the first n of one shuffle, so that equal seeds give nested sets. `size`,
    `grayscale`: resized by area, luminance of three channels. Nothing is unpickled. ValueError for other files, names
    and shapes, and for numbers that are not finite.
    """
    path = Path(file)
    found = _loaded(path, images, labels)
    pixels, classes = found[images], found.get(labels)
    _check(path, pixels, classes)
    if pixels.ndim == 2:
        if size is not None:
            raise fail("size", size, f"{path.name} holds points of shape {pixels.shape}, not images")
        pixels = pixels[:, :, None]  # one column of pixels, which becomes image_shape (D, 1)
    if pixels.ndim == 4 and pixels.shape[3] == 1:
        pixels = pixels[..., 0]
    index = chosen(len(pixels), n, rng, path.name)
    kept = None if classes is None else classes[index]
    return standardized(path.stem, pixels[index], kept, reference=pixels, size=size, grayscale=grayscale)


def _loaded(path: Path, images: str, labels: str) -> dict[str, NDArray[np.generic]]:
    """The arrays of those names; the one array of a .npy file under the name `images`."""
    try:
        with path.open("rb") as handle:
            loaded = np.load(handle, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {images: loaded}
            names = ", ".join(loaded)
            found = {name: loaded[name] for name in (images, labels) if name in loaded}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise fail("file", str(path), f"must be a .npy or .npz file of numbers ({error})") from None
    if images not in found:
        raise fail("images", images, f"must be among the arrays of {path.name}: {names}")
    return found


def _check(path: Path, pixels: NDArray[np.generic], classes: NDArray[np.generic] | None) -> None:
    if pixels.dtype.kind not in "buif" or not np.all(np.isfinite(pixels)):
        raise fail("file", str(path), "images must be finite real numbers, without NaN")
    shape = pixels.shape
    if pixels.size == 0 or not (pixels.ndim in (2, 3) or (pixels.ndim == 4 and shape[3] in (1, 3))):
        raise fail("file", str(path), f"images of shape {shape}: must be (N, height, width[, 1 or 3]) or (N, D), N ≥ 1")
    if classes is not None and (classes.shape != shape[:1] or classes.dtype.kind not in "ui"):
        raise fail("file", str(path), f"labels of shape {classes.shape}: must be {shape[0]} integers")
