"""Real images as points: the same door as the synthetic laws, without a population behind it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from theory.validation import Array, fail, generator, positive_integer


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N images flattened to points (N, D), with their classes.

    `points` float64; `labels` (N,) integers; `image_shape` (height, width[, channels]) with product D.
    """

    name: str
    points: Array
    labels: NDArray[np.int64]
    image_shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or len(self.points) == 0 or self.points.shape[1] != np.prod(self.image_shape):
            raise ValueError(f"points has shape {self.points.shape}: must be (N, {np.prod(self.image_shape)}), N ≥ 1")
        if not np.all(np.isfinite(self.points)):
            raise ValueError("points: must be finite, without NaN")
        if self.labels.shape != (len(self.points),):
            raise ValueError(f"labels has shape {self.labels.shape}: must be ({len(self.points)},)")

    def __len__(self) -> int:
        return len(self.points)

    @property
    def ambient_dim(self) -> int:
        """D, the number of pixels."""
        return self.points.shape[1]

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """`n` different images, shape (n, D); ValueError if there are fewer."""
        return self.subset(n, rng).points

    def subset(self, n: int, rng: np.random.Generator) -> "ImageSet":
        """`n` different images with their labels. Equal seeds give nested subsets: the first n of one shuffle."""
        if positive_integer(n, "n") > len(self):
            raise fail("n", n, f"must be ≤ {len(self)}, the images in {self.name}")
        return self._take(generator(rng).permutation(len(self))[:n])

    def split(self, held_out: int, rng: np.random.Generator) -> tuple["ImageSet", "ImageSet"]:
        """(training set, `held_out` held-out images), disjoint, together the whole set."""
        if positive_integer(held_out, "held_out") >= len(self):
            raise fail("held_out", held_out, f"must be < {len(self)}, the images in {self.name}")
        order = generator(rng).permutation(len(self))
        return self._take(order[held_out:]), self._take(order[:held_out])

    def of_class(self, *classes: int) -> "ImageSet":
        """The images of the given classes."""
        chosen = np.flatnonzero(np.isin(self.labels, classes))
        if not len(chosen):
            raise fail("classes", classes, f"must be among {sorted(set(self.labels.tolist()))}")
        return self._take(chosen)

    def _take(self, index: NDArray[np.int64]) -> "ImageSet":
        return replace(self, points=self.points[index], labels=self.labels[index])


def digits() -> ImageSet:
    """The 1797 real handwritten digits, 8×8 pixels, that scikit-learn ships (UCI optical digits, test part).

    The mean image is subtracted and one scale makes the mean pixel variance 1, so that
    distances keep their proportions and r is in units of the typical pixel variance.
    """
    from sklearn.datasets import load_digits  # imports slowly

    raw = load_digits()
    centred = raw.data.astype(np.float64) - raw.data.mean(axis=0)
    scaled = centred / np.sqrt(np.mean(centred**2))
    return ImageSet("digits", scaled, raw.target.astype(np.int64), (8, 8))
