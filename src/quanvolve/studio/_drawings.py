"""Figures as pictures of the page."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from quanvolve.explain import save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The reader of mathematical text that all figures share is not made for several threads.
_lock = threading.Lock()


def svg_bytes(figure: Figure, *, dark: bool = False) -> bytes:
    """A figure as an SVG file.

    Args:
        figure: drawn in the common style.
        dark: light letters on dark paper.
    """
    with _lock, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figure.svg"
        save_figure(figure, path, dark=dark)
        return path.read_bytes()
