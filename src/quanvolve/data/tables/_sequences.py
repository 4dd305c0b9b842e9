"""Telling items and their labels from other pairs."""

from __future__ import annotations

import os
from typing import Any

from quanvolve.data.tables._frames import is_frame


def is_sequence(items: Any) -> bool:
    """Whether data are one item after the other, and no frame or path."""
    return not isinstance(items, str | bytes | os.PathLike) and hasattr(items, "__len__") and not is_frame(items)


def are_labels(labels: Any) -> bool:
    """Whether data are one plain value after the other, or an array of rows of them."""
    if not is_sequence(labels) or isinstance(labels, dict) or not len(labels):
        return False
    shape = getattr(labels, "shape", None)
    if shape is not None:
        # Data sets of Hugging Face have a shape, too.
        return len(shape) == 1 or (len(shape) == 2 and hasattr(labels, "dtype"))
    return isinstance(labels, list | tuple) and all(_is_plain(label) for label in labels)


def _is_plain(label: Any) -> bool:
    return label is None or isinstance(label, str | int | float) or getattr(label, "shape", None) == ()
