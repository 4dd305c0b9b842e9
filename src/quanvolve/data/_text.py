"""Pieces of error messages, each kept to one line."""

from __future__ import annotations

import os

from quanvolve._lines import one_line


def quoted(path: str | os.PathLike[str]) -> str:
    """The path in quotes, with line breaks and control characters escaped."""
    return repr(os.fspath(path))


def reason(error: BaseException) -> str:
    """The error's own words on one line, or its type where it has none.

    An `OSError` names the file once more; its `strerror` alone is enough beside a message that names the
    file.
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return one_line(str(error)) or type(error).__name__


def plural(count: int, noun: str) -> str:
    """`1 label`, `2 labels`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
