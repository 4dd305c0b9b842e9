"""Warnings that point at the line of the user's own that led to them."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

_PACKAGE = str(Path(__file__).parent) + os.sep


class QuanvolveWarning(UserWarning):
    """A warning of this package, whatever line it points at."""


def warn_user(message: str) -> None:
    """Warn, from the innermost line outside this package.

    Python shows a warning once for each line that it comes from: from a line in here it would be shown once in all.

    Args:
        message: what happens, and what to do.

    Examples:
        >>> with warnings.catch_warnings(record=True, action="always") as caught:
        ...     warn_user("the images are upside down: turn them")
        >>> str(caught[0].message), caught[0].filename == __file__
        ('the images are upside down: turn them', False)
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, QuanvolveWarning, stacklevel=level)
