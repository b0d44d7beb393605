"""The pictures. Start with `draw(name, out)`; `FIGURES` lists the names.

catalogue/     a file for each picture, named as it is
drawing/       one style, and the panels that pictures share
runs/          what the commands simulate, sweep and train compute
verification/  theory against simulation, with z-scores
figure         what a figure is; registry: their list; results: its files
comparison     the three legs side by side; dimension_curves, network_runs: many data sets and their networks
"""

from .registry import FIGURES, draw

__all__ = ["FIGURES", "draw"]
