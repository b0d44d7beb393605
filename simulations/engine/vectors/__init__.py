"""Explicit vector instructions for the brute-force sums.  A physicist never needs to open this folder.

What it computes is what `simulations.engine.kernel` computes, in float32: for each query the posterior mean,
log-partition, participation, entropy, nearest point and mean squared distance, from one pass over all
points.  That file is the readable version and the reference in the tests; this one is fast.

- `lanes`: a few lines that write vector instructions (8 or 16 numbers at a time) into compiled code.
- `brute_layout`: how points and queries lie in memory.
- `brute_tile`: the arithmetic on one tile, some hundred points against 16 or 32 queries.
- `brute_walk`: some queries walk over all tiles.
- `brute`: the door: `pack`, `brute_sums`, `gram_error`.

`lanes.LANES` is 0 on a processor without suitable instructions; use `simulations.engine.kernel` there.
"""
