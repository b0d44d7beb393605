"""One reverse process, one sweep, one trained network, with picture and numbers."""
