"""Data named on the command line: a manifold, digits, mnist, a NumPy file or a folder of pictures."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..conventions.arguments import Array, fail, positive_integer
from . import ImageSet, Manifold, arrays, digits, images, mnist
from .names import manifold


class Source(NamedTuple):
    """A law, or a set of images or points; the other is None."""

    name: str
    law: Manifold | None
    images: ImageSet | None

    @property
    def slug(self) -> str:
        """The name as part of the name of a file."""
        return slug(self.name)

    def points(self, n: int, seed: int) -> Array:
        """`n` points (n, D): nested subsets of a set for one seed; ValueError if it has fewer."""
        positive_integer(n, "n")
        if self.images is not None:
            return self.images.subset(n, seed).points
        assert self.law is not None
        return self.law.sample(n, np.random.default_rng([seed, 0]))


def source(name: str, side: int | None = None) -> Source:
    """The data of that name; `side`: pictures resized to side × side. ValueError for unknown names and bad files."""
    if name == "digits":
        return Source(name, None, digits())
    if name == "mnist":
        return Source(name, None, mnist(size=side))
    path = Path(name)
    if path.suffix in (".npy", ".npz"):
        return Source(path.stem, None, arrays(path, size=side))
    if path.is_dir():
        return Source(path.resolve().name, None, images(path, size=side))
    try:
        return Source(name, manifold(name), None)
    except ValueError as error:
        if "/" in name or path.suffix:
            raise fail("source", name, "must be a .npy or .npz file or a folder of pictures") from None
        raise ValueError(f"{error}; or digits, mnist, a .npy or .npz file, a folder of pictures") from None


def slug(name: str) -> str:
    """`name` with what a file name should not have replaced by dashes."""
    return re.sub(r"[^\w.+=-]+", "-", name).strip("-.")[:80]
