"""Files that are complete or not there at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .arguments import fail


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`, of its suffix, to be written; on success it is synced and renamed over `path`.

    After an error, or a kill, `path` is as it was; the temporary file is removed unless the process was killed.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write(path: Path, content: bytes | str) -> None:
    """Writes `content` to `path`, all or nothing."""
    with whole(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def writable(folder: Path, argument: str = "out") -> Path:
    """`folder`, created if need be; ValueError before any work is done if it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise fail(argument, str(folder), f"must be a folder that can be written to ({error.strerror})") from None
    return folder
