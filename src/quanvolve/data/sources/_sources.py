"""The sources that there are."""

from __future__ import annotations

from typing import Any

from quanvolve.data.sources._folders import Folders
from quanvolve.data.sources._npz import Npz
from quanvolve.data.sources._series import Series
from quanvolve.data.sources._source import Source

SOURCES: tuple[Source, ...] = (Npz(), Series(), Folders())
"""In the order in which they are asked whether they take data; the first that does loads it."""


def find_source(data: Any) -> Source | None:
    """The source that takes data, or None.

    Args:
        data: A `Path`, or an object.

    Examples:
        >>> from pathlib import Path
        >>> find_source(Path("shapes.npz")).kind
        'an .npz file'
    """
    return next((source for source in SOURCES if source.takes(data)), None)
