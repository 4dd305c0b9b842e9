"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from quanvolve._interrupt import unfinished


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path in the same folder, which takes the place of `path` when the block ends well.

    Whatever happens, a reader of `path` finds the old file or the new one, and two writers do not mix.

    Args:
        path: the file to be written.

    Raises:
        OSError: if the folder cannot be written.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replacing(Path(folder) / "a.txt") as part:
        ...         _ = part.write_text("whole")
        ...     (Path(folder) / "a.txt").read_text()
        'whole'
    """
    part = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    unfinished.add(str(part))
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        if str(error.filename) == str(part):
            error.filename = str(path)  # the name that whoever reads the message knows
        raise
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        unfinished.discard(str(part))


def write_whole(path: Path, content: bytes | str) -> None:
    """Write bytes, or text as UTF-8, to a file, whole or not at all."""
    with replacing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
