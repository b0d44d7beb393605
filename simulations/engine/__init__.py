"""Sums over N points, as fast as the hardware allows and exact.  Which way is fastest where: docs/benchmarks.md.

Start with `planned_sums`, which decides how a sum is done, and `kernel`, the readable pass over all points that the
others must agree with.  What they return is in `sums`.
- brute force: `kernel` in float64; `vectors/` in float32 by explicit vector instructions;
- the condensed phase: `survivors` says which points carry the posterior, `pruning/` finds them without looking at all;
- `second_moments` of the survivors; `draw` from the posterior; `span` where points fill few dimensions;
- curves over the noise: `planted_curve` shares distances among noise ratios, `control_variates` shrink error bars.
How things are compiled and shared out among threads: `compilation`, `threading_layer`, `blas_threads`.

Nothing here imports from the rest of `simulations`.
"""
