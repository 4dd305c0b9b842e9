"""A model's answers as a table: its columns, and files that hold it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quanvolve._errors import QuanvolveError
from quanvolve._files import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS = (".csv", ".parquet", ".json")


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model takes images for.

    Args:
        names: of the images.
        probabilities: of the classes, shape (n, classes).
        classes: their labels.
        labels: their names for people.
    """

    names: list[str]
    probabilities: NDArray[Any]
    classes: list[Any]
    labels: list[str]

    def best(self, top: int) -> list[list[tuple[int, float]]]:
        """For each image the `top` most probable classes, by number, with their probabilities."""
        order = (-self.probabilities).argsort(axis=1, kind="stable")[:, :top]
        return [[(int(k), float(row[k])) for k in few] for few, row in zip(order, self.probabilities, strict=True)]

    def table(self, top: int, every: bool) -> tuple[list[str], list[list[Any]]]:
        """Names of columns, and rows: image, label, probability, the next labels with theirs, and those of all classes.

        Args:
            top: how many labels.
            every: whether the probability of each class has a column.
        """
        count = min(top, len(self.classes))
        header = ["image", "label", "probability"]
        header += [f"{word}_{k}" for k in range(2, count + 1) for word in ("label", "probability")]
        header += [f"p_{label}" for label in self.labels] if every else []
        rows = []
        for name, few, row in zip(self.names, self.best(count), self.probabilities, strict=True):
            cells = [cell for k, probability in few for cell in (self.labels[k], probability)]
            rows.append([name, *cells, *(row.tolist() if every else [])])
        return header, rows

    def documents(self) -> Iterator[dict[str, Any]]:
        """The same for JSON, an object an image."""
        for name, ((k, probability),), row in zip(self.names, self.best(1), self.probabilities, strict=True):
            yield {
                "name": name,
                "label": self.classes[k],
                "label_name": self.labels[k],
                "probability": probability,
                "probabilities": {str(c): float(p) for c, p in zip(self.classes, row, strict=True)},
            }


def check_format(path: Path) -> None:
    """Refuse a file that answers cannot be written to, before any work.

    Raises:
        QuanvolveError: if the ending is unknown, or what writes it is not installed.
    """
    if path.suffix.lower() not in FORMATS:
        raise QuanvolveError(
            f"{str(path)!r} must end with one of {', '.join(FORMATS)}, which says what is written",
            arguments=("output",),
        )
    if path.suffix.lower() == ".parquet":
        _parquet()


def write_answers(answers: Answers, path: Path, top: int, every: bool) -> None:
    """Write the table, whole or not at all.

    Raises:
        QuanvolveError: as :func:`check_format`.
        OSError: if the file cannot be written.
    """
    check_format(path)
    kind = path.suffix.lower()
    header, rows = answers.table(top, every)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        if kind == ".parquet":
            arrow, parquet = _parquet()
            columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
            parquet.write_table(arrow.table(columns), part)
        elif kind == ".json":
            part.write_text(json.dumps({"predictions": list(answers.documents())}, indent=2, allow_nan=False))
        else:
            with part.open("w", newline="", encoding="utf-8") as stream:
                writer = csv.writer(stream)
                writer.writerow(header)
                writer.writerows(rows)


def _parquet() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise QuanvolveError(
            "writing Parquet needs pyarrow: pip install pyarrow, or write a .csv or .json file", arguments=("output",)
        ) from None
    return pyarrow, pyarrow.parquet
