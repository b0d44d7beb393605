"""Sums over N points, as fast as the hardware allows and exact: kernels, pruning, vectors.

Start with `engine`, which chooses how a sum is done; `kernel` sums over all points, `pruning` proves which matter,
`vectors` is the single-precision kernel. Guide: docs/benchmarks.md.
"""
