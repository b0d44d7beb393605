"""CIFAR-10 from binary and from pickled batches, written here byte by byte, and pickles that would do harm."""

import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from remanifold.manifolds import cifar10
from remanifold.manifolds.images.inert_pickle import Call, Name, byte_array, plain_contents

PER_BATCH = 6


def batch(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (PER_BATCH, 3072), dtype=np.uint8), rng.integers(0, 10, PER_BATCH)


def python2_pickle(data, labels):
    """A batch as cPickle of Python 2 wrote it, protocol 2: byte strings, memo, BININT1, BINSTRING."""

    def string(text):
        return b"U" + bytes([len(text)]) + text

    n = len(labels)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\t"
        + (b"(K\x01M" + struct.pack("<H", n) + b"M\x00\x0c\x86cnumpy\ndtype\nq\nU\x02u1K\x00K\x01\x87Rq\x0b")
        + (b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<i", data.size))
        + (data.tobytes() + b"tb")
    )
    names = b"]q\x0c(" + b"".join(string(b"image_%d.png" % i) for i in range(n)) + b"e"
    return (
        (b"\x80\x02}q\x01(" + string(b"batch_label") + b"q\x02" + string(b"training batch 1 of 5") + b"q\x03")
        + (string(b"labels") + b"q\x04]q\x05(" + b"".join(b"K" + bytes([k]) for k in labels) + b"e")
        + (string(b"data") + b"q\x06" + array + string(b"filenames") + names + b"u.")
    )


@pytest.fixture
def binary(tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for i, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        data, labels = batch(i)
        records = b"".join(bytes([k]) + row.tobytes() for row, k in zip(data, labels, strict=True))
        (folder / f"{name}.bin").write_bytes(records)
    return folder


@pytest.fixture
def pickled(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for i, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        (folder / name).write_bytes(python2_pickle(*batch(i)))
    return folder


def test_the_written_batch_is_a_pickle():
    data, labels = batch(0)
    loaded = pickle.loads(python2_pickle(data, labels), encoding="latin1")
    np.testing.assert_array_equal(loaded["data"], data)
    assert loaded["labels"] == labels.tolist()


@pytest.mark.parametrize("form", ["binary", "pickled"])
def test_pixels_and_labels(form, request):
    images = cifar10(request.getfixturevalue(form))
    assert images.image_shape == (32, 32, 3)
    assert len(images) == 5 * PER_BATCH
    assert np.mean(images.points**2) == pytest.approx(1)
    pixels = np.round(images.pixels() * 255).astype(int)
    for i in range(5):
        data, labels = batch(i)
        here = slice(i * PER_BATCH, (i + 1) * PER_BATCH)
        np.testing.assert_array_equal(images.labels[here], labels)
        for channel in range(3):  # planes of 1024, each row by row
            plane = data[:, 1024 * channel : 1024 * (channel + 1)]
            np.testing.assert_array_equal(pixels[here, :, :, channel].reshape(PER_BATCH, 1024), plane)


def test_both_forms_agree(binary, pickled):
    """Also when the folder above is given, test images on the scale of the training images, and small and grey."""
    for options in ({}, {"train": False}, {"size": 8, "grayscale": True}, {"n": 11, "rng": 5}):
        one, other = cifar10(binary, **options), cifar10(pickled, **options)
        np.testing.assert_array_equal(one.points, other.points)
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_array_equal(one.points, cifar10(binary.parent, **options).points)
    assert cifar10(binary, train=False).scale == cifar10(binary).scale
    assert cifar10(binary, size=8, grayscale=True).image_shape == (8, 8)


def test_nested_numbers(binary):
    np.testing.assert_array_equal(cifar10(binary, 4).points, cifar10(binary).subset(9, 0).points[:4])


@pytest.mark.parametrize("protocol", [3, 4])
def test_batches_pickled_again_by_python_3(protocol, pickled):
    data, labels = batch(0)
    again = pickle.dumps({b"data": data, b"labels": labels.tolist()}, protocol=protocol)
    expected = cifar10(pickled).points
    (pickled / "data_batch_1").write_bytes(again)
    np.testing.assert_array_equal(cifar10(pickled).points, expected)


class Harmful:
    """Makes a folder when it is unpickled."""

    def __init__(self, target: Path):
        self.target = str(target)

    def __reduce__(self):
        return os.mkdir, (self.target,)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_nothing_is_called(protocol, tmp_path, pickled):
    harmful = pickle.dumps({"data": Harmful(tmp_path / "harm"), "labels": [1]}, protocol=protocol)
    record = plain_contents(harmful)["data"]
    assert isinstance(record, Call)
    assert record.function == Name(os.mkdir.__module__, "mkdir")
    assert record.arguments == (str(tmp_path / "harm"),)
    (pickled / "data_batch_1").write_bytes(harmful)
    with pytest.raises(ValueError, match=r"must be a CIFAR-10 batch \(not an array of bytes in C order\); try the bin"):
        cifar10(pickled)
    assert not (tmp_path / "harm").exists()
    pickle.loads(harmful)  # it does harm where it is unpickled
    assert (tmp_path / "harm").exists()


PLAIN = [None, True, False, -1, 255, 65536, 2**40, 1.5, "ä", "", (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], {}]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_plain_contents_of_every_protocol(protocol):
    shared = ["shared"]
    value = {"plain": PLAIN, "nested": {"a": [shared, (shared, {1: 2})]}, 3: list(range(2500))}
    read = plain_contents(pickle.dumps(value, protocol=protocol))
    assert read == value
    assert read["nested"]["a"][0] is read["nested"]["a"][1][0]


@pytest.mark.parametrize(
    "array", [np.zeros((2, 3)), np.asfortranarray(np.ones((2, 3), np.uint8)), np.array([None]), np.zeros(3, np.int8)]
)
def test_other_arrays_are_refused(array):
    with pytest.raises(ValueError, match="not an array of bytes in C order"):
        byte_array(plain_contents(pickle.dumps(array, protocol=4)))


def test_damaged_pickles_are_refused(pickled):
    """Every cut and 300 altered bytes: a ValueError, or something without harm, never another exception."""
    good = python2_pickle(*batch(0))
    ends = [*range(400), *range(400, len(good) - 1, 497), len(good) - 1]
    for end in ends:
        with pytest.raises(ValueError, match="not a pickle of plain data"):
            plain_contents(good[:end])
    rng = np.random.default_rng(0)
    framing = [i for i in range(len(good)) if i < 400 or i > len(good) - 150]
    for _ in range(300):
        altered = bytearray(good)
        altered[rng.choice(framing)] = rng.integers(256)
        (pickled / "data_batch_1").write_bytes(altered)
        try:
            cifar10(pickled, 1)
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("data_batch_3.bin", lambda old: old[:-1], "18437 bytes: must be whole records of 3073"),
        ("data_batch_3.bin", lambda old: b"", "0 bytes: must be whole records"),
        ("data_batch_3.bin", lambda old: b"\x0a" + old[1:], "must be CIFAR-10, with labels from 0 to 9"),
        ("data_batch_3.bin", None, "data_batch_3.bin': cannot be read .No such file"),
        ("data_batch_1.bin", None, r"must be the folder with the CIFAR-10 batches data_batch_1\[.bin\]"),
    ],
)
def test_bad_binary_batches(binary, name, contents, message):
    file = binary / name
    if contents is None:
        file.unlink()
    else:
        file.write_bytes(contents(file.read_bytes()))
    with pytest.raises(ValueError, match=message):
        cifar10(binary)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"labels": [1]}, "'data'"),
        ([1, 2], "has no attribute"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}, r"images \(2, 3072\), labels \(1,\): must be"),
        ({"data": np.zeros((2, 3071), np.uint8), "labels": [1, 2]}, r"images \(2, 3071\), labels"),
        ({"data": np.zeros((1, 3072), np.uint8), "labels": [2**70]}, "must be a CIFAR-10 batch"),
        ({"data": {1, 2}, "labels": [2]}, "instruction EMPTY_SET is not carried out"),
    ],
)
def test_bad_pickled_batches(pickled, contents, message):
    (pickled / "data_batch_2").write_bytes(pickle.dumps(contents, protocol=4))
    with pytest.raises(ValueError, match=message):
        cifar10(pickled)
