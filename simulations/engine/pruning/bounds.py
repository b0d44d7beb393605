"""Bounds of distances and products, by explicit vectors where the processor has them, else by plain loops."""

from ..vectors.lanes import LANES

if LANES:
    from .block_vectors import box_squares, boxes_within, scan
    from .product_vectors import PANEL, TOGETHER, block_products, product_maxima, tail_product
else:
    from .block_distances import (
        PANEL,
        TOGETHER,
        block_products,
        box_squares,
        boxes_within,
        product_maxima,
        scan,
        tail_product,
    )

__all__ = [
    "PANEL",
    "TOGETHER",
    "block_products",
    "box_squares",
    "boxes_within",
    "product_maxima",
    "scan",
    "tail_product",
]
