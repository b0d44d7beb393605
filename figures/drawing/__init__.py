"""How things look: the style, panels of curves, planes of phases."""
