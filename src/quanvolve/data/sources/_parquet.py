"""Tables in files of Apache Parquet."""

from __future__ import annotations

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
        if not path.is_file():
            raise DataError(f"{quoted(path)} does not exist, expected a file of Parquet: check the path")
        frame = _read(path)
        return {"train": from_frame(frame, asked, name=path.stem, source=quoted(path), folder=path.parent)}

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The data set that it holds."""
        return loaded(self.tables(data, asked), asked)


def _read(path: Path) -> Any:
    for module, function in _READERS:
        try:
            read = getattr(import_module(module), function)
        except ImportError:
            continue
        try:
            return read(path)
        except MemoryError:
            raise DataError(f"{quoted(path)} does not fit into the memory of this machine") from None
        # Each library raises errors of its own on damaged files.
        except Exception as error:
            raise DataError(f"{quoted(path)} cannot be read as Parquet ({reason(error)}): get the file again") from None
    raise DataError(
        f"{quoted(path)} is a file of Parquet, which pyarrow, polars or pandas reads, and none of them is there: "
        "pip install pyarrow"
    )
