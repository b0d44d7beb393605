"""Certified pruning: the exact posterior from the few points that carry it.

In the condensed phase the posterior w_μ ∝ exp(-|x-y^μ|²/2r) sits on a few of the N training points, the `survivors`
one folder up.  A `Tree` (points in blocks of 64 on their principal axes, with bounding boxes) finds them by lower
bounds of the distance that hold in spite of all rounding; their distances are then computed again from the
float64 points.  So the result depends neither on how the points were found nor on threads, batches or the
processor's vectors.

Start with `pruned_sums`, the door.  From there
- `prices` tells whether entering pays, and by which walk;
- `tree` builds the tree, `queries` brings queries into its units, `rounding` says by how much single precision may err;
- `screening` walks the blocks, by boxes or by products in the `integers`; `kept_sums` adds up what is left;
- `bounds` names the bounds of a block or a box: `block_distances` to read them, `block_vectors` and
  `product_vectors` the same by explicit vectors; `machine_words` has two operations that Numba lacks.
"""

from .prices import Prices, prices
from .pruned_sums import Pruned, pruned_sums, survivors_of, walks
from .screening import BOXES, Walk
from .tree import Tree

__all__ = ["BOXES", "Prices", "Pruned", "Tree", "Walk", "prices", "pruned_sums", "survivors_of", "walks"]
