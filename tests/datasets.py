"""The data that tests read: small excerpts beside them, and the complete sets, for tests marked slow only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

EXCERPTS = Path(__file__).parent / "data" / "files"
MNIST = EXCERPTS / "mnist"
SERIES = EXCERPTS / "timeseries"

PARTS = {
    "mnist": "the four IDX files of MNIST",
    "rgb": "cifar10_subset.npz",
    "timeseries": "the folders ArrowHead and Coffee of the UCR archive, each with its two text files and NAME.npz",
}
# Fixtures take the variable away from the tests, which must not see the data of this machine by accident.
_COMPLETE = os.environ.get("QUANVOLVE_DATA")


def complete(part: str) -> Path:
    """The folder of a complete data set, for a test marked slow; without it the test fails and says what it needs."""
    layout = "; ".join(f"{name}/ ({content})" for name, content in PARTS.items())
    if not _COMPLETE:
        pytest.fail(f"QUANVOLVE_DATA is not set: set it to a folder with {layout}", pytrace=False)
    folder = Path(_COMPLETE).resolve() / part
    if not folder.is_dir():
        pytest.fail(f"QUANVOLVE_DATA={_COMPLETE} lacks {part}/: set it to a folder with {layout}", pytrace=False)
    return folder
