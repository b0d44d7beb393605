"""The figures, a file each; `figures.registry` lists them by name."""
