"""Pictures on disk as image sets: any folder of image files, and CelebA."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import fail
from ...conventions.progress import tracked
from .image_set import ImageSet
from .pixels import Size, chosen, prepared, standardized

if TYPE_CHECKING:
    from PIL.Image import Image

_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}


def images(
    folder: str | Path,
    n: int | None = None,
    *,
    size: Size = None,
    grayscale: bool = False,
    rng: np.random.Generator | int = 0,
    name: str | None = None,
) -> ImageSet:
    """The pictures in a folder; if it has folders with pictures, these are the classes 0, 1, … by name.

    `n` and `rng` (a generator or a seed): only the first n of one shuffle of the sorted files are read, so that equal
    seeds give nested sets. `size`: (height, width) or a square; the largest centred window of these proportions,
    averaged over the area of each new pixel; without it all pictures must have one shape. Colour as red, green, blue
    without transparency, or luminance if `grayscale`; pictures that are all grey have one channel anyway.

    Mean image and scale are those of the pictures read (kept to 7 digits, as float32, until they are scaled): for
    nested sets on one scale, read the largest once and take `subset`. ValueError for a folder without pictures,
    pictures that are damaged or of more than 8 bits, or shapes that differ.
    """
    root = Path(folder)
    files, labels = _listed(root)
    index = chosen(len(files), n, rng, str(root))
    first = _picture(files[index[0]], size, grayscale)
    pixels = np.empty((len(index), *first.shape), dtype=np.float32)
    for k, i in enumerate(tracked(index.tolist(), f"reading {root.name}")):
        picture = _picture(files[i], size, grayscale)
        if picture.shape != first.shape:
            others = f"shape {picture.shape}, but {files[index[0]].name} has {first.shape}"
            raise fail("folder", str(files[i]), f"{others}: give size=, or grayscale=True for grey among colour")
        pixels[k] = picture
    return standardized(name or root.name, pixels, None if labels is None else labels[index])


def celeba(
    path: str | Path,
    n: int | None = None,
    *,
    size: Size = 64,
    grayscale: bool = False,
    rng: np.random.Generator | int = 0,
) -> ImageSet:
    """CelebA: the 202599 faces of `img_align_celeba`, 178×218, cut to a centred square and averaged to 64×64.

    `path`: that folder or the one that holds it; so for CelebA-HQ or any folder of faces. Everything else as in
    `images`; there are no classes. About 4 ms for each file read.
    """
    root = Path(path)
    inner = root / "img_align_celeba"
    return images(inner if inner.is_dir() else root, n, size=size, grayscale=grayscale, rng=rng, name="celeba")


def _listed(root: Path) -> tuple[list[Path], NDArray[np.int64] | None]:
    """All pictures, sorted, and their classes if they lie in folders."""
    if not root.is_dir():
        raise fail("folder", str(root), "must be a folder of pictures")
    here = _pictures_in(root)
    inside = {folder: _pictures_in(folder) for folder in sorted(root.iterdir()) if folder.is_dir()}
    classes = [files for files in inside.values() if files]
    if here and classes:
        raise fail("folder", str(root), "must have pictures either in itself or in folders, one for each class")
    if here:
        return here, None
    if not classes:
        raise fail("folder", str(root), f"has no pictures ({', '.join(sorted(_SUFFIXES))})")
    labels = np.repeat(np.arange(len(classes)), [len(files) for files in classes])
    return [file for files in classes for file in files], labels


def _pictures_in(folder: Path) -> list[Path]:
    return sorted(
        file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")
    )


def _picture(file: Path, size: Size, grayscale: bool) -> NDArray[np.float64]:
    """One picture as (height, width[, 3]) in [0, 1]."""
    from PIL import Image, UnidentifiedImageError  # comes with matplotlib

    try:
        with Image.open(file) as picture:
            values = _bytes_of(picture)
    except (OSError, SyntaxError, UnidentifiedImageError) as error:
        raise fail("folder", str(file), f"cannot be read ({error})") from None
    if values is None:
        raise fail("folder", str(file), "must have 8 bits for each channel")
    return prepared(values[None], size, grayscale)[0]


def _bytes_of(picture: "Image") -> NDArray[np.uint8] | None:
    if picture.mode in ("1", "L", "LA"):
        return np.asarray(picture.convert("L"))
    if picture.mode in ("RGB", "RGBA", "P", "CMYK", "YCbCr"):
        return np.asarray(picture.convert("RGB"))
    return None
