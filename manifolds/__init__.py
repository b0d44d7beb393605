"""The data: laws with exact population quantities, and real image sets behind the same door."""

from .hidden_manifold import HiddenManifold
from .images.array_files import arrays
from .images.cifar import cifar10
from .images.handwritten import digits, mnist
from .images.image_files import celeba, images
from .images.image_set import ImageSet
from .linear import Linear
from .manifold import Manifold
from .mixture import Mixture
from .normalized_linear import NormalizedLinear
from .parametric import Parametric
from .product import Product, Torus
from .sphere import Sphere

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
