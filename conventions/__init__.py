"""What all rooms agree on: what a law and a score are, what an estimate is, how arguments are checked, files written.

Start with `law` and `score`, the two protocols. Everything else in the package may import from here, and nothing
here from elsewhere.
"""
