"""Bounds of distances and products, by explicit vectors where the processor has them, else by plain loops."""

from typing import Any

from ..vectors.lanes import LANES
from . import block_distances, block_vectors, product_vectors

_distances: Any = block_vectors if LANES else block_distances
_products: Any = product_vectors if LANES else block_distances

scan, boxes_within, box_squares = _distances.scan, _distances.boxes_within, _distances.box_squares
product_maxima, block_products = _products.product_maxima, _products.block_products
tail_product, PANEL, TOGETHER = _products.tail_product, _products.PANEL, _products.TOGETHER
