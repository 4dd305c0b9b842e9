"""Figures as pictures of the page."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from quanvolve.explain import save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What matplotlib's figures share, such as its reader of mathematical text, is not made for several threads.
_lock = threading.Lock()


def svg_bytes(draw: Callable[[], Figure], *, dark: bool = False) -> bytes:
    """A figure as an SVG file.

    Args:
        draw: makes it, in the common style.
        dark: light letters on dark paper.
    """
    with _lock, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figure.svg"
        save_figure(draw(), path, dark=dark)
        return path.read_bytes()
