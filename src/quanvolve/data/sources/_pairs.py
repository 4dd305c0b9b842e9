"""Tuples and lists: items with their labels, and data for training with data for the test."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._text import plural
from quanvolve.data.sources._csv import Csv
from quanvolve.data.sources._frames import Frame
from quanvolve.data.sources._hugging_face import HuggingFace
from quanvolve.data.sources._parquet import Parquet
from quanvolve.data.sources._tabular import Tabular, loaded
from quanvolve.data.sources._torch import Torch
from quanvolve.data.tables import Stream, Table, are_labels, collected, is_sequence

_TABULAR: tuple[Tabular, ...] = (Csv(), Parquet(), Frame(), HuggingFace())


class Items:
    """`(images, labels)`, or a list of pairs `(image, label)`: pictures of Pillow, paths, arrays or tensors.

    Examples:
        >>> from PIL import Image
        >>> from quanvolve.data import load_dataset
        >>> pictures = [Image.new("L", (20, 10 + k)) for k in range(10)]
        >>> load_dataset((pictures, ["round", "square"] * 5), image_size=8)
        Dataset('items': 8 train + 2 test, 8x8 uint8, 2 classes)
    """

    kind = "a tuple of images and labels"

    def takes(self, data: Any) -> bool:
        """A tuple of two sequences, of which the second holds one plain value an item; a list of pairs."""
        if isinstance(data, list):
            return bool(data) and isinstance(data[0], tuple) and len(data[0]) == 2
        return isinstance(data, tuple) and len(data) == 2 and is_sequence(data[0]) and are_labels(data[1])

    def stream(self, data: Any) -> Stream:
        """The pairs."""
        if isinstance(data, list):
            return Stream("items", "the list", data)
        items, labels = data
        if len(items) != len(labels):
            raise DataError(
                f"(images, labels) holds {plural(len(items), 'image')} and {plural(len(labels), 'label')}: give one "
                "label an image"
            )
        return Stream("items", "(images, labels)", zip(items, labels, strict=True))

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The data set that they make."""
        return collected({"train": self.stream(data)}, asked)


_STREAMS: tuple[Items | Torch, ...] = (Torch(), Items())


class TrainAndTest:
    """A tuple of two of the same kind: tables, frames, data sets, or `(images, labels)`.

    Examples:
        >>> import polars
        >>> from quanvolve.data import load_dataset
        >>> train = polars.DataFrame({"a": [1, 2, 3, 4], "label": [0, 1, 0, 1]})
        >>> load_dataset((train, train[:2]))
        Dataset('frame': 4 train + 2 test, 1 int64, 2 classes)
    """

    kind = "a tuple of data for training and for the test"

    def takes(self, data: Any) -> bool:
        """Whether both are taken by sources of the same form."""
        if not isinstance(data, tuple) or len(data) != 2:
            return False
        parts = [_as_path(part) for part in data]
        return any(
            all(any(source.takes(part) for source in sources) for part in parts) for sources in (_TABULAR, _STREAMS)
        )

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The data set that both make."""
        parts = dict(zip(("train", "test"), map(_as_path, data), strict=True))
        if all(any(source.takes(part) for source in _TABULAR) for part in parts.values()):
            return loaded({name: _table(part, name, asked) for name, part in parts.items()}, asked)
        streams = {
            name: next(source for source in _STREAMS if source.takes(part)).stream(part) for name, part in parts.items()
        }
        return collected(streams, asked)


def _table(part: Any, name: str, asked: Asked) -> Table:
    tables = next(source for source in _TABULAR if source.takes(part)).tables(part, asked)
    if len(tables) > 1:
        raise DataError(f"the data for the {name} set have parts of their own ({', '.join(tables)}): give one of them")
    return next(iter(tables.values()))


def _as_path(part: Any) -> Any:
    return Path(part) if isinstance(part, str | os.PathLike) else part
