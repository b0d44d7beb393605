"""Folders of pictures, CelebA and NumPy files, written here in the formats that are read."""

import io

import numpy as np
import pytest
from PIL import Image

from remanifold.conventions.progress import tracked
from remanifold.manifolds import arrays, celeba, images


def picture(seed, height=6, width=5, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def colour(tmp_path):
    """Twelve pictures without classes, and files that are none."""
    folder = tmp_path / "colour"
    folder.mkdir()
    for i in range(12):
        Image.fromarray(picture(i)).save(folder / f"{i:02d}.{'PNG' if i % 2 else 'bmp'}")
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


def test_folder(colour):
    made = images(colour)
    assert (made.name, len(made), made.image_shape, made.labels) == ("colour", 12, (6, 5, 3), None)
    np.testing.assert_allclose(made.pixels() * 255, [picture(i) for i in range(12)], atol=1e-4)  # float32 in between
    assert np.mean(made.points**2) == pytest.approx(1)
    np.testing.assert_allclose(made.points.mean(axis=0), 0, atol=1e-12)


def test_nested_numbers(colour):
    """The same pictures first, whatever n; scale and mean are those of the pictures read."""
    few, more = images(colour, 4, rng=2), images(colour, 9, rng=2)
    np.testing.assert_allclose(few.pixels(), more.pixels()[:4], atol=1e-12)
    order = np.random.default_rng(2).permutation(12)
    np.testing.assert_allclose(more.pixels() * 255, [picture(i) for i in order[:9]], atol=1e-4)
    assert few.scale != more.scale


def test_small_and_grey(colour):
    made = images(colour, size=(3, 2), grayscale=True)
    assert made.image_shape == (3, 2)
    grey = np.stack([picture(i) for i in range(12)])[:, :, :4] @ [0.299, 0.587, 0.114]  # 6 × 4 of 6 × 5 …
    shifted = np.stack([picture(i) for i in range(12)])[:, :, 1:] @ [0.299, 0.587, 0.114]  # … centred: half a pixel
    expected = (grey + shifted).reshape(12, 3, 2, 2, 2).mean(axis=(2, 4)) / 2
    np.testing.assert_allclose(made.pixels() * 255, expected, atol=1e-4)


def test_classes_are_folders(tmp_path):
    for label, name in enumerate(["ant", "bee", "cat"]):
        (tmp_path / name).mkdir()
        for i in range(3 + label):
            Image.fromarray(picture(10 * label + i, channels=1)).save(tmp_path / name / f"{i}.png")
    (tmp_path / "empty").mkdir()
    made = images(tmp_path, name="animals")
    assert (made.name, made.image_shape) == ("animals", (6, 5))
    assert made.labels.tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2]
    np.testing.assert_allclose(made.of_class(2).pixels()[0] * 255, picture(20, channels=1), atol=1e-4)
    some = images(tmp_path, 6, rng=1)
    for label, pixels in zip(some.labels, some.pixels(), strict=True):
        inside = made.of_class(label).pixels()
        assert np.min(np.abs(inside - pixels).max(axis=(1, 2))) < 1e-6


@pytest.mark.parametrize("mode", ["RGBA", "P", "1", "LA"])
def test_other_modes(tmp_path, mode):
    """Palettes, two levels, transparency (ignored)."""
    for i in range(2):
        drawn = Image.fromarray(picture(i))
        (drawn.quantize(200) if mode == "P" else drawn.convert(mode)).save(tmp_path / f"{i}.png")
    made = images(tmp_path)
    expected = [
        np.asarray(Image.open(tmp_path / f"{i}.png").convert("L" if mode in "1LA" else "RGB")) for i in range(2)
    ]
    np.testing.assert_allclose(made.pixels() * 255, expected, atol=1e-4)


def jpeg(array, quality=95):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def test_celeba(tmp_path):
    """178 × 218 JPEG files named by number: a centred square, averaged."""
    folder = tmp_path / "img_align_celeba"
    folder.mkdir()
    for i in range(1, 5):
        smooth = Image.fromarray(picture(i, 11, 9)).resize((178, 218), Image.Resampling.BICUBIC)
        (folder / f"{i:06d}.jpg").write_bytes(jpeg(np.asarray(smooth)))
    made = celeba(tmp_path)
    assert (made.name, made.image_shape, len(made)) == ("celeba", (64, 64, 3), 4)
    np.testing.assert_array_equal(celeba(folder).points, made.points)
    for i, pixels in enumerate(celeba(tmp_path, size=89).pixels(), start=1):
        decoded = np.asarray(Image.open(folder / f"{i:06d}.jpg"))[20:198]
        np.testing.assert_allclose(pixels * 255, decoded.reshape(89, 2, 89, 2, 3).mean(axis=(1, 3)), atol=1e-4)
    assert celeba(tmp_path, 2, size=16, grayscale=True).points.shape == (2, 256)
    assert celeba(tmp_path, size=None).image_shape == (218, 178, 3)


def spoil(folder, case):
    if case == "shape":
        Image.fromarray(picture(0, 7, 5)).save(folder / "06.bmp")
    elif case == "grey":
        Image.fromarray(picture(0, channels=1)).save(folder / "06.bmp")
    elif case == "deep":
        Image.fromarray(picture(0, channels=1).astype(np.uint16) * 200).save(folder / "05.PNG")
    elif case == "damaged":
        file = folder / "05.PNG"
        file.write_bytes(file.read_bytes()[:60])
    elif case == "foreign":
        (folder / "05.PNG").write_text("no picture")
    elif case == "both":
        (folder / "inner").mkdir()
        Image.fromarray(picture(0)).save(folder / "inner" / "a.png")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("shape", r"06.bmp': shape \(7, 5, 3\), but 00.bmp has \(6, 5, 3\): give size="),
        ("grey", r"06.bmp': shape \(6, 5\), but .*grayscale=True for grey among colour"),
        ("deep", "05.PNG': must have 8 bits for each channel"),
        ("damaged", "05.PNG': cannot be read"),
        ("foreign", "05.PNG': cannot be read"),
        ("both", "must have pictures either in itself or in folders"),
    ],
)
def test_bad_folders(colour, case, message):
    spoil(colour, case)
    with pytest.raises(ValueError, match=message):
        images(colour)


def test_no_pictures(tmp_path, colour):
    with pytest.raises(ValueError, match="must be a folder of pictures"):
        images(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="has no pictures"):
        images(tmp_path / "empty")
    with pytest.raises(ValueError, match="n = 13: must be ≤ 12"):
        images(colour, 13)


BYTES, LABELS = picture(1, 20 * 8, 8).reshape(20, 8, 8, 3), np.arange(20) % 4


@pytest.fixture
def npz(tmp_path):
    file = tmp_path / "set.npz"
    np.savez(file, images=BYTES, labels=LABELS, x_train=BYTES[..., 0], y_train=LABELS[::-1].astype(np.uint8))
    return file


def test_npz(npz):
    made = arrays(npz)
    assert (made.name, made.image_shape) == ("set", (8, 8, 3))
    np.testing.assert_allclose(made.pixels() * 255, BYTES, atol=1e-10)
    np.testing.assert_array_equal(made.labels, LABELS)
    named = arrays(npz, images="x_train", labels="y_train", size=4)  # the names in Keras' files
    np.testing.assert_array_equal(named.labels, LABELS[::-1])
    np.testing.assert_allclose(
        named.pixels() * 255, BYTES[..., 0].reshape(20, 4, 2, 4, 2).mean(axis=(2, 4)), atol=1e-10
    )
    assert arrays(npz, labels="none").labels is None


def test_numbers_of_arrays_share_the_scale_of_the_file(npz):
    whole, few = arrays(npz, grayscale=True), arrays(npz, 6, rng=1, grayscale=True)
    np.testing.assert_array_equal(few.points, whole.subset(6, 1).points)
    np.testing.assert_array_equal(few.labels, whole.subset(6, 1).labels)


def test_npy_of_points(tmp_path):
    """Numbers that are not bytes keep their values."""
    points = np.random.default_rng(0).standard_normal((30, 5)) * 7 + 100
    np.save(tmp_path / "points.npy", points)
    made = arrays(tmp_path / "points.npy")
    assert (made.image_shape, made.labels) == ((5, 1), None)
    np.testing.assert_allclose(made.pixels()[..., 0], points, rtol=1e-13)
    np.save(tmp_path / "one.npy", points.reshape(30, 5, 1, 1))
    np.testing.assert_array_equal(arrays(tmp_path / "one.npy").points, made.points)


def written(folder, **contents):
    np.savez(folder / "bad.npz", **contents)
    return folder / "bad.npz"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: f / "none.npz", "must be a .npy or .npz file .*No such file"),
        (lambda f: written(f, other=BYTES), "images = 'images': must be among the arrays of bad.npz: other"),
        (lambda f: written(f, images=np.zeros(4)), r"images of shape \(4,\): must be \(N, height, width"),
        (lambda f: written(f, images=np.zeros((2, 3, 3, 4))), r"images of shape \(2, 3, 3, 4\)"),
        (lambda f: written(f, images=np.zeros((0, 3, 3))), r"images of shape \(0, 3, 3\)"),
        (lambda f: written(f, images=np.full((2, 3), np.nan)), "must be finite real numbers"),
        (lambda f: written(f, images=np.ones((2, 3), complex)), "must be finite real numbers"),
        (lambda f: written(f, images=np.array([["a", "b"]])), "must be finite real numbers"),
        (lambda f: written(f, images=BYTES, labels=LABELS[:3]), r"labels of shape \(3,\): must be 20 integers"),
        (lambda f: written(f, images=BYTES, labels=LABELS + 0.5), r"labels of shape \(20,\): must be 20 integers"),
        (lambda f: written(f, images=np.array([[None]])), "must be a .npy or .npz file .*allow_pickle=False"),
    ],
)
def test_bad_arrays(tmp_path, make, message):
    with pytest.raises(ValueError, match=message):
        arrays(make(tmp_path))


@pytest.mark.parametrize("contents", [b"", b"no array", b"PK\x03\x04 no zip", b"\x93NUMPY\x01\x00"])
def test_damaged_arrays(tmp_path, contents):
    (tmp_path / "bad.npy").write_bytes(contents)
    with pytest.raises(ValueError, match=r"bad\.npy': must be a \.npy or \.npz file of numbers"):
        arrays(tmp_path / "bad.npy")


def test_points_have_no_size(tmp_path):
    np.save(tmp_path / "points.npy", np.eye(4))
    with pytest.raises(ValueError, match=r"size = 2: points.npy holds points of shape \(4, 4\), not images"):
        arrays(tmp_path / "points.npy", size=2)


def test_a_bar_on_a_terminal_only(monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert list(tracked([1, 2, 3], "reading")) == [1, 2, 3]
    assert capsys.readouterr().err == ""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert list(tracked([1, 2, 3], "reading")) == [1, 2, 3]
    assert "reading" in terminal.getvalue()
