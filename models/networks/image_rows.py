"""Images as points and back. A point is an image flattened channels last, as in `ImageSet`."""

from torch import Tensor


def rows_to_images(x: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Points (n, H W C), channels last, as images (n, C, H, W)."""
    height, width, *channels = image_shape
    return x.reshape(len(x), height, width, *(channels or [1])).permute(0, 3, 1, 2)


def images_to_rows(images: Tensor) -> Tensor:
    """Images (n, C, H, W) as points (n, H W C)."""
    return images.permute(0, 2, 3, 1).reshape(len(images), -1)
