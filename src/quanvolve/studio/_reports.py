"""Pages that other commands have written, shown inside the studio's own."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response

from quanvolve.studio._problems import Missing

# They hold styles and pictures in themselves, and no programs; as in a frame of another origin, they can reach nothing.
_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


def framed(path: Path, what: str, name: str) -> Response:
    """A page from disk, allowed to be seen and nothing else.

    Args:
        path: of the page.
        what: what it is, for errors.
        name: of whatever it is about, for errors.

    Raises:
        Missing: if there is no such file.
    """
    return Response(content_of(path, what, name), media_type="text/html", headers={"content-security-policy": _POLICY})


def content_of(path: Path, what: str, name: str) -> bytes:
    """A file of a model or a study, read in one go: it may be deleted at any time.

    Raises:
        Missing: if there is none.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(what, name) from None
