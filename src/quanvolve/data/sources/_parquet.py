"""Tables in files of Apache Parquet."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._text import quoted, reason
from quanvolve.data.sources._tabular import loaded
from quanvolve.data.tables import Table, from_frame

_READERS = (("pyarrow.parquet", "read_table"), ("polars", "read_parquet"), ("pandas", "read_parquet"))


class Parquet:
    """Columns of numbers, text, or pictures as the Hugging Face hub stores them; read by pyarrow, polars or pandas.

    Examples:
        >>> import tempfile, polars
        >>> from quanvolve.data import load_dataset
        >>> frame = polars.DataFrame({"size": range(10), "y": ["small", "large"] * 5})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     frame.write_parquet(f"{folder}/own.parquet")
        ...     load_dataset(f"{folder}/own.parquet")
        Dataset('own': 8 train + 2 test, 1 int64, 2 classes)
    """

    kind = "a table as .parquet"

    def takes(self, data: Any) -> bool:
        """By the ending of the path."""
        return isinstance(data, Path) and data.suffix.lower() in (".parquet", ".pq")

    def tables(self, data: Any, asked: Asked) -> dict[str, Table]:
        """The one table."""
        path: Path = data
        if not os.path.isfile(path):
            raise DataError(f"{quoted(path)} does not exist, expected a file of Parquet: check the path")
        frame, source = _read(path), quoted(path)
        table = from_frame(
            frame, asked, name=path.stem, source=source, folder=path.parent, class_names=_class_names(frame)
        )
        return {"train": table}

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The data set that it holds."""
        return loaded(self.tables(data, asked), asked)


def _class_names(frame: Any) -> dict[str, tuple[str, ...]]:
    """The names of classes that Hugging Face's `datasets` writes beside the columns, where it wrote the file."""
    try:
        said = json.loads(frame.schema.metadata[b"huggingface"])["info"]["features"]
        return {
            column: tuple(map(str, feature["names"]))
            for column, feature in said.items()
            if feature["_type"] == "ClassLabel" and column in frame.column_names
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}


def _read(path: Path) -> Any:
    for module, function in _READERS:
        try:
            return getattr(import_module(module), function)(path)
        # pandas itself needs another library for it.
        except ImportError:
            continue
        except MemoryError:
            raise DataError(f"{quoted(path)} does not fit into the memory of this machine") from None
        # Each library raises errors of its own on damaged files.
        except Exception as error:
            raise DataError(f"{quoted(path)} cannot be read as Parquet ({reason(error)}): get the file again") from None
    raise DataError(
        f"{quoted(path)} is a file of Parquet, which pyarrow, polars or pandas reads, and none of them is there: "
        "pip install pyarrow"
    )
