"""Real images as points: the same door as the synthetic laws, with the set itself in place of a population."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...conventions.arguments import Array, fail, generator, nonnegative_scalar, points, positive_integer
from ..linear import Linear
from .duplicates import near_duplicates


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N images flattened to points (N, D), with their classes if they have any.

    `points` float64; `labels` (N,) integers or None; `image_shape` (height, width[, channels]) with product D.
    A pixel value is `offset` + `scale`·point, `offset` one number or (D,): the readers bring bytes to [0, 1],
    subtract the mean image and divide by one number that makes the mean pixel variance 1, so that distances keep
    their proportions and r is in units of the typical pixel variance. A subset keeps the offset and scale of the set
    it was taken from. ValueError for wrong shapes, and for points that are not finite. Guide: docs/data.md.
    """

    name: str
    points: Array
    labels: NDArray[np.int64] | None
    image_shape: tuple[int, ...]
    offset: Array | float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or len(self.points) == 0 or self.points.shape[1] != np.prod(self.image_shape):
            raise ValueError(f"points has shape {self.points.shape}: must be (N, {np.prod(self.image_shape)}), N ≥ 1")
        if not np.all(np.isfinite(self.points)):
            raise ValueError("points: must be finite, without NaN")
        if self.labels is not None and self.labels.shape != (len(self.points),):
            raise ValueError(f"labels has shape {self.labels.shape}: must be ({len(self.points)},)")

    def __repr__(self) -> str:
        classes = "no labels" if self.labels is None else f"{len(self.classes)} classes"
        return f"ImageSet({self.name}: {len(self)} images {'×'.join(map(str, self.image_shape))}, {classes})"

    def __len__(self) -> int:
        return len(self.points)

    @property
    def ambient_dim(self) -> int:
        """D, the number of pixel values of an image."""
        return self.points.shape[1]

    @property
    def classes(self) -> tuple[int, ...]:
        """The labels that occur, increasing; none if there are no labels."""
        return () if self.labels is None else tuple(np.unique(self.labels).tolist())

    # choosing images

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """`n` different images, shape (n, D); ValueError if there are fewer."""
        return self.subset(n, generator(rng)).points

    def subset(self, n: int, rng: np.random.Generator | int) -> "ImageSet":
        """`n` different images with their labels, `rng` a generator or a seed.

        Equal seeds give nested subsets: the first n of one shuffle.
        """
        if positive_integer(n, "n") > len(self):
            raise fail("n", n, f"must be ≤ {len(self)}, the images in {self.name}")
        return self.take(shuffled(len(self), rng)[:n])

    def split(self, held_out: int, rng: np.random.Generator | int) -> tuple["ImageSet", "ImageSet"]:
        """(training set, `held_out` held-out images), disjoint, together the whole set."""
        if positive_integer(held_out, "held_out") >= len(self):
            raise fail("held_out", held_out, f"must be < {len(self)}, the images in {self.name}")
        order = shuffled(len(self), rng)
        return self.take(order[held_out:]), self.take(order[:held_out])

    def of_class(self, *classes: int) -> "ImageSet":
        """The images of the given classes; ValueError if there are none."""
        if self.labels is None:
            raise fail("classes", classes, f"{self.name} has no labels")
        chosen = np.flatnonzero(np.isin(self.labels, classes))
        if not len(chosen):
            raise fail("classes", classes, f"must be among {list(self.classes)}")
        return self.take(chosen)

    def take(self, index: ArrayLike) -> "ImageSet":
        """The images at the given positions 0 … N-1, in that order."""
        where = np.asarray(index)
        if where.ndim != 1 or where.dtype.kind not in "ui" or np.any((where < 0) | (where >= len(self))):
            raise fail("index", where, f"must be a list of integers from 0 to {len(self) - 1}")
        labels = None if self.labels is None else self.labels[where]
        return replace(self, points=self.points[where], labels=labels)

    def duplicates(self, tolerance: float = 0.0) -> list[NDArray[np.int64]]:
        """Groups of two or more equal images: their positions, increasing, one array for each group.

        `tolerance` > 0: groups linked by a root-mean-square difference per pixel |y - y'|/√D ≤ tolerance, in units of
        the typical pixel deviation; every pair is compared, N²D operations. Two copies of a training point count
        like one of double weight, so that the posterior condenses on it already where K = ln N - ln 2.
        """
        return near_duplicates(self.points, nonnegative_scalar(tolerance, "tolerance"))

    # back to pictures

    def pixels(self, x: ArrayLike | None = None) -> Array:
        """Pixel values of points `x` (n, D) or (D,), or of the set: shape (n, height, width[, channels]).

        Not clipped: a sampled point may leave the range of the pixels.
        """
        values = self.offset + self.scale * (self.points if x is None else points(x, self.ambient_dim))
        return values.reshape(-1, *self.image_shape)

    # what a population would offer, estimated by the set

    @property
    def mean(self) -> Array:
        """Mean image, shape (D,): zero for a whole set, not for a subset or a class."""
        return self.points.mean(axis=0)

    def covariance(self) -> Array:
        """Covariance of the set around its own mean, (D, D), normalised by N."""
        centred = self.points - self.mean
        return centred.T @ centred / len(self)

    def leading_variance(self) -> float:
        """Λ, the largest eigenvalue of the covariance; times `scale`² it is in squared pixel values."""
        return float(self.gaussian.variances[0])

    def direction(self, i: int) -> Array:
        """Unit vector (D,) of the i-th principal direction, largest variance first."""
        return self.gaussian.direction(i)

    @cached_property
    def gaussian(self) -> Linear:
        """The Gaussian law of the same mean and covariance; variances decreasing, without those of zero.

        Of all laws of this covariance it has the largest information at every r, so that its collapse point is an
        upper bound for the law that the images are drawn from, as far as N images tell its covariance.
        """
        centred = self.points - self.mean
        wide = self.ambient_dim > len(self)
        product = centred @ centred.T if wide else centred.T @ centred
        eigenvalues, vectors = np.linalg.eigh(product / len(self))
        order = np.arange(len(eigenvalues))[::-1]
        rounding = max(len(eigenvalues), 256) * np.finfo(float).eps  # on any processor
        rank = max(1, int(np.sum(eigenvalues > rounding * max(eigenvalues[-1], 0.0))))
        kept = order[:rank]
        # orthonormalised again: what comes from the N × N product has lost digits where variances are small
        basis = np.linalg.qr(centred.T @ vectors[:, kept])[0] if wide else vectors[:, kept]
        return Linear(np.maximum(eigenvalues[kept], 0.0), basis=basis, centre=self.mean)


def shuffled(count: int, rng: np.random.Generator | int) -> NDArray[np.int64]:
    """A permutation of 0 … count-1, by a generator or by a seed ≥ 0."""
    if isinstance(rng, np.random.Generator):
        return rng.permutation(count)
    if isinstance(rng, bool) or not isinstance(rng, (int, np.integer)) or rng < 0:
        raise fail("rng", rng, "must be a numpy.random.Generator or a seed, an integer ≥ 0")
    return np.random.default_rng(rng).permutation(count)
