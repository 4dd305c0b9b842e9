"""Reading files that anybody may have written: their size is known before they are read, and so is what JSON becomes.

The limits stand far above what this package writes, and keep the memory that a file can take below some hundred MB.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

from quanvolve._errors import ModelError

MOST_BYTES = 64 * 2**20
"""Bytes of a file of JSON."""
MOST_VALUES = 4_000_000
"""Numbers, texts, lists and objects in JSON; each takes at most about 90 bytes of memory."""


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a file.

    Args:
        path: of the file; a pipe or a device, whose reading need not end, is refused.
        most: how many bytes it may have.

    Raises:
        OSError: if it cannot be read, is no file, or is larger; `strerror` says so.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a.json"
        ...     _ = path.write_bytes(b"12345")
        ...     read_bytes(path, 4)
        Traceback (most recent call last):
            ...
        OSError: [Errno 27] it has 5 bytes, expected at most 4: '...a.json'
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a file", str(path))
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, expected at most {most:,}", str(path))
        return file.read(most)


def parse_json(content: bytes | str) -> Any:
    """A value of JSON.

    Raises:
        ValueError: if it is none, or too large; in one line.

    Examples:
        >>> parse_json(b'{"a": [1, 2]}')
        {'a': [1, 2]}
        >>> parse_json("[" * 100_000)
        Traceback (most recent call last):
            ...
        ValueError: it is nested too deeply
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"it has {len(content):,} bytes, expected at most {MOST_BYTES:,}")
    # Each value but the first follows one of these; inside of texts they count too, which does no harm.
    text = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    values = 1 + sum(text.count(mark) for mark in (b",", b"[", b"{"))
    if values > MOST_VALUES:
        raise ValueError(f"it has about {values:,} values, expected at most {MOST_VALUES:,}")
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not text in UTF-8 ({error.reason} at byte {error.start})") from None
    except ValueError as error:
        raise ValueError(" ".join(str(error).split())[:200]) from None


def read_json(path: Path) -> Any:
    """A value of JSON from a file.

    Raises:
        OSError: as :func:`read_bytes`.
        ValueError: as :func:`parse_json`.
    """
    return parse_json(read_bytes(path))


def read_document(path: Path, format: str) -> dict[str, Any]:
    """An object of JSON that this package wrote, which says its format.

    Args:
        path: of the file.
        format: what its entry `format` must be.

    Raises:
        OSError: as :func:`read_bytes`.
        ModelError: if it is not JSON, or of another format.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "run.json"
        ...     _ = path.write_text('{"format": "quanvolve-run", "format_version": 1}')
        ...     read_document(path, "quanvolve-run")["format_version"]
        1
    """
    try:
        content = read_json(path)
    except ValueError as error:
        raise ModelError(f"{path} is damaged: it is not JSON ({error})") from error
    if not isinstance(content, dict) or content.get("format") != format:
        raise ModelError(f"{path} was not written by quanvolve: expected the format {format!r}")
    return content
