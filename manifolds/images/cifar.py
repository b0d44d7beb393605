"""CIFAR-10 from its two published forms: binary batches, and the pickled batches for Python, read as inert data."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import fail
from ...conventions.progress import tracked
from .image_set import ImageSet
from .inert_pickle import byte_array, plain_contents
from .pixels import Size, chosen, standardized

Batch = tuple[NDArray[np.uint8], NDArray[np.int64]]

_TRAIN, _TEST = tuple(f"data_batch_{i}" for i in range(1, 6)), ("test_batch",)
_PLANES = (3, 32, 32)  # red, green, blue, each row by row
_RECORD = 1 + 3 * 32 * 32


def cifar10(
    path: str | Path,
    n: int | None = None,
    *,
    train: bool = True,
    size: Size = None,
    grayscale: bool = False,
    rng: np.random.Generator | int = 0,
) -> ImageSet:
    """CIFAR-10, 32×32 colour images of 10 classes, image_shape (32, 32, 3): 50000 for training, 10000 for test.

    `path`: the unpacked archive, `cifar-10-batches-bin` (data_batch_1.bin … test_batch.bin) or `cifar-10-batches-py`
    (data_batch_1 … test_batch), or the folder that holds it; if both are there the binary one is read. `n` and `rng`
    (a generator or a seed): the first n of one shuffle, so that equal seeds give nested sets. `size`, `grayscale`:
    resized by area, luminance. Mean image and scale are always those of all training images.

    The pickled batches are never unpickled: see `manifolds.images.inert_pickle`. ValueError for missing, truncated or
    foreign files.
    """
    folder, suffix = _located(Path(path))
    images, labels = _joined(folder, suffix, _TRAIN if train else _TEST)
    reference = images if train else _joined(folder, suffix, _TRAIN)[0]
    index = chosen(len(images), n, rng, "CIFAR-10")
    return standardized("cifar10", images[index], labels[index], reference=reference, size=size, grayscale=grayscale)


def _located(path: Path) -> tuple[Path, str]:
    """The folder with the batches and the suffix of their names."""
    for suffix, usual in ((".bin", "cifar-10-batches-bin"), ("", "cifar-10-batches-py")):
        for folder in (path, path / usual):
            if (folder / (_TRAIN[0] + suffix)).is_file():
                return folder, suffix
    raise fail("path", str(path), "must be the folder with the CIFAR-10 batches data_batch_1[.bin], …")


def _joined(folder: Path, suffix: str, names: tuple[str, ...]) -> Batch:
    read = _binary if suffix else _pickled
    batches = [read(folder / (name + suffix)) for name in tracked(names, "CIFAR-10")]
    images = np.concatenate([images for images, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    if labels.min() < 0 or labels.max() > 9:
        raise fail("path", str(folder), "must be CIFAR-10, with labels from 0 to 9")
    return images.reshape(-1, *_PLANES).transpose(0, 2, 3, 1), labels


def _binary(file: Path) -> Batch:
    """Records of one byte for the label and 3072 for the pixels."""
    data = np.frombuffer(_contents(file), dtype=np.uint8)
    if data.size == 0 or data.size % _RECORD:
        raise fail("path", str(file), f"{data.size} bytes: must be whole records of {_RECORD}")
    records = data.reshape(-1, _RECORD)
    return records[:, 1:], records[:, 0].astype(np.int64)


def _pickled(file: Path) -> Batch:
    """A dictionary with "data" (n, 3072) bytes and "labels", n integers."""
    try:
        contents = plain_contents(_contents(file))
        entries = {k.decode() if isinstance(k, bytes) else k: v for k, v in contents.items()}
        images, labels = byte_array(entries["data"]), np.asarray(entries["labels"], dtype=np.int64)
    except (ValueError, AttributeError, KeyError, TypeError, OverflowError) as error:
        raise fail("path", str(file), f"must be a CIFAR-10 batch ({error}); try the binary version") from None
    if images.ndim != 2 or images.shape[1] != _RECORD - 1 or labels.shape != images.shape[:1]:
        raise fail("path", str(file), f"images {images.shape}, labels {labels.shape}: must be (n, 3072) and (n,)")
    return images, labels


def _contents(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise fail("path", str(file), f"cannot be read ({error.strerror})") from None
