"""One style sheet for all figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def styled() -> Iterator[None]:
    """Draw with the project's style, without a display."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import style

    with style.context(str(Path(__file__).with_name("remanifold.mplstyle"))):
        yield
