"""The sources that there are."""

from __future__ import annotations

from typing import Any

from quanvolve.data.sources._cifar import Cifar
from quanvolve.data.sources._csv import Csv
from quanvolve.data.sources._folders import Folders
from quanvolve.data.sources._frames import Frame
from quanvolve.data.sources._hugging_face import HuggingFace
from quanvolve.data.sources._idx import Idx
from quanvolve.data.sources._npz import Npz
from quanvolve.data.sources._pairs import Items, TrainAndTest
from quanvolve.data.sources._parquet import Parquet
from quanvolve.data.sources._series import Series
from quanvolve.data.sources._source import Source
from quanvolve.data.sources._svhn import Svhn
from quanvolve.data.sources._torch import Torch
from quanvolve.data.sources._usps import Usps

FILES: tuple[Source, ...] = (
    Npz(),
    Series(),
    Idx(),
    Cifar(),
    Svhn(),
    Csv(),
    Usps(),
    Parquet(),
    HuggingFace(),
    Folders(),
)
"""Those of files and folders; the first that takes one loads it."""

SOURCES: tuple[Source, ...] = (*FILES, Frame(), Torch(), Items(), TrainAndTest())
"""With those of objects alone."""


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
