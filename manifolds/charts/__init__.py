"""Charts u → y(u) and integrals over their images: curves and surfaces of any shape.

Start with `chart`; `shapes` has well-known ones, `panels` to `quasi_random_nodes` the cubatures.
"""
