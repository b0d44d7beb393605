"""Certified pruning: the exact posterior from the few points that carry it.

In the condensed phase the posterior w_μ ∝ exp(-|x-y^μ|²/2r) sits on a few of the N training points.
Every point with |x-y|² ≤ min + 2r ln(N/ε) is kept; the others together weigh less than ε.  A `Tree`
(points in blocks of 64 on their principal axes, with bounding boxes) finds the kept points by
lower bounds of the distance that hold in spite of all rounding; their distances are then computed
again from the float64 points.  So the result depends neither on how the points were found nor on
threads, batches or the processor's vectors.

- `tree.py` builds the tree, `queries.py` brings queries into its units, `rounding.py` says by how much
  single precision may err;
- `block_distances.py` bounds the distances of a block, a box to a query; `block_vectors.py` and
  `product_vectors.py` do the same by explicit vectors;
- `screening.py` walks the blocks, by boxes or by products in the integers of `integers.py`;
  `survivors.py` sums what is left;
- `pruned_sums.py` is the door, `choice.py` tells whether entering pays.
"""

from .choice import Choice, choose
from .pruned_sums import BOXES, Pruned, Survivors, pruned_sums, survivors_of
from .tree import Tree

__all__ = ["BOXES", "Choice", "Pruned", "Survivors", "Tree", "choose", "pruned_sums", "survivors_of"]
