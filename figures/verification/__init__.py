"""Theory against simulation, with the z-score of the difference. Start with `table`."""
