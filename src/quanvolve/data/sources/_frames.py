"""Frames of pandas and polars, and tables of pyarrow."""

from __future__ import annotations

from typing import Any

from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data.sources._tabular import loaded
from quanvolve.data.tables import Table, from_frame, is_frame


class Frame:
    """A `pandas.DataFrame`, `polars.DataFrame` or `pyarrow.Table`; a column may hold pictures of Pillow or their paths.

    Examples:
        >>> import pandas
        >>> from quanvolve.data import load_dataset
        >>> frame = pandas.DataFrame({"t0": range(10), "t1": range(10), "kind": ["up", "down"] * 5})
        >>> data = load_dataset(frame, label="kind")
        >>> data.train_images.shape
        (8, 1, 2)
        >>> data.notes[1]
        "series of 2 values in time, from the columns t0, t1; `columns='features'` takes them as features"
    """

    kind = "a frame of pandas or polars"

    def takes(self, data: Any) -> bool:
        """By the type."""
        return is_frame(data)

    def tables(self, data: Any, asked: Asked) -> dict[str, Table]:
        """The one table."""
        return {"train": from_frame(data, asked)}

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The data set that it holds."""
        return loaded(self.tables(data, asked), asked)
