"""Where downloaded files are kept, and whether anything may be downloaded."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_dir() -> Path:
    """The folder in which downloaded data sets are kept, each in a subfolder of its own.

    It is `QUANVOLVE_CACHE` where that is set, else the user's cache folder on this system (on Linux
    `$XDG_CACHE_HOME/quanvolve` or `~/.cache/quanvolve`). The folder need not exist yet.

    Returns:
        The folder.

    Examples:
        >>> import os
        >>> from unittest import mock
        >>> from quanvolve.data import cache_dir
        >>> with mock.patch.dict(os.environ, QUANVOLVE_CACHE="datasets"):
        ...     cache_dir().name
        'datasets'
    """
    chosen = os.environ.get("QUANVOLVE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    # No company's folder around it, and on Windows none named Cache within.
    folder = user_cache_path("quanvolve", appauthor=False, opinion=False)
    # The XDG specification has relative paths ignored.
    return folder if folder.is_absolute() else Path.home() / ".cache" / "quanvolve"


def offline() -> bool:
    """Whether `QUANVOLVE_OFFLINE` forbids every connection."""
    return os.environ.get("QUANVOLVE_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")
