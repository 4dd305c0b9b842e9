"""Tables in files of text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quanvolve.data._asked import Asked
from quanvolve.data._dataset import Dataset
from quanvolve.data.sources._tabular import loaded
from quanvolve.data.tables import CSV_ENDINGS, Table, read_csv


class Csv:
    """Values separated by commas, semicolons, bars or tabs, with or without names of columns; also packed.

    Examples:
        >>> import tempfile
        >>> from quanvolve.data import load_dataset
        >>> rows = "".join(f"{k % 2},{k},{2 * k},{3 * k},{k}\\n" for k in range(10))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "small.csv").write_text("label,pixel0,pixel1,pixel2,pixel3\\n" + rows)
        ...     load_dataset(f"{folder}/small.csv")
        Dataset('small': 8 train + 2 test, 2x2 float64, 2 classes)
    """

    kind = "a table as .csv or .tsv"

    def takes(self, data: Any) -> bool:
        """By the ending of the path; pairs of files NAME_TRAIN.tsv and NAME_TEST.tsv are series."""
        if not isinstance(data, Path):
            return False
        name = data.name.lower()
        return name.endswith(CSV_ENDINGS) and not name.endswith(("_train.tsv", "_test.tsv"))

    def tables(self, data: Any, asked: Asked) -> dict[str, Table]:
        """The one table."""
        return {"train": read_csv(data, asked)}

    def load(self, data: Any, asked: Asked) -> Dataset:
        """The data set that it holds."""
        return loaded(self.tables(data, asked), asked)
