"""Pages that other commands have written, shown inside the studio's own."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import FileResponse

# They hold styles and pictures in themselves, and no programs; as in a frame of another origin, they can reach nothing.
_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


def framed(path: Path) -> FileResponse:
    """A page from disk, allowed to be seen and nothing else."""
    return FileResponse(path, media_type="text/html", headers={"content-security-policy": _POLICY})
