"""Networks and how they are read: residual MLPs, U-Nets, a module of the user's own."""
