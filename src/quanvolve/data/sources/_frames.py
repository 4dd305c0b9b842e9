"""Frames of pandas and polars, and tables of pyarrow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from quanvolve._errors import DataError
from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data._text import plural
from quanvolve.data.sources._tabular import loaded
from quanvolve.data.tables import Table, are_labels, frame_columns, from_columns, from_frame, is_frame


class Frame:
    """A `pandas.DataFrame`, `polars.DataFrame` or `pyarrow.Table`; a column may hold pictures of Pillow or their paths.

    A tuple of a frame and its labels, as of scikit-learn's `fetch_openml(return_X_y=True)`, is taken as one frame.

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
        return is_frame(data) or (
            isinstance(data, tuple) and len(data) == 2 and is_frame(data[0]) and are_labels(data[1])
        )

    def tables(self, data: Any, asked: Asked) -> dict[str, Table]:
        """The one table."""
        if not isinstance(data, tuple):
            return {"train": from_frame(data, asked)}
        frame, labels = data
        if len(frame) != len(labels):
            raise DataError(
                f"(frame, labels) holds {plural(len(frame), 'row')} and {plural(len(labels), 'label')}: give one "
                "label a row"
            )
        columns = frame_columns(frame, "the frame")
        name = next(name for name in ("label", "label of the row", "_label") if name not in columns)
        return {"train": from_columns({**columns, name: labels}, replace(asked, label=name), "frame", "the frame")}

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The data set that it holds."""
        return loaded(self.tables(data, asked), asked)
