"""The pictures: one module per figure, a registry, one style sheet, and the command line."""
