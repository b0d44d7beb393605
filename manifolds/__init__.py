"""The data: laws with exact population quantities, and real image sets behind the same door."""

from manifolds.array_files import arrays
from manifolds.cifar import cifar10
from manifolds.handwritten import digits, mnist
from manifolds.hidden_manifold import HiddenManifold
from manifolds.image_files import celeba, images
from manifolds.image_set import ImageSet
from manifolds.linear import Linear
from manifolds.manifold import Manifold
from manifolds.mixture import Mixture
from manifolds.normalized_linear import NormalizedLinear
from manifolds.parametric import Parametric
from manifolds.product import Product, Torus
from manifolds.sphere import Sphere

__all__ = [
    "HiddenManifold",
    "ImageSet",
    "Linear",
    "Manifold",
    "Mixture",
    "NormalizedLinear",
    "Parametric",
    "Product",
    "Sphere",
    "Torus",
    "arrays",
    "celeba",
    "cifar10",
    "digits",
    "images",
    "mnist",
]
