"""A model's answers as a table: its columns, and files that hold it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quanvolve._errors import QuanvolveError
from quanvolve._files import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS = (".csv", ".parquet", ".json")
OF_CLASSES, OF_LABELS, OF_NUMBERS = "classes", "labels", "numbers"
"""What a model gives: the most probable of several classes, any of several labels, or numbers."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model takes images for.

    Args:
        names: of the images.
        outputs: probabilities of the classes or labels, shape (n, classes); or numbers, (n, targets).
        kind: which of them: `OF_CLASSES`, `OF_LABELS` or `OF_NUMBERS`.
        classes: the labels.
        labels: their names for people.
    """

    names: list[str]
    outputs: NDArray[Any]
    kind: str = OF_CLASSES
    classes: list[Any] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def best(self, top: int) -> list[list[tuple[int, float]]]:
        """For each image the `top` most probable classes, by number, with their probabilities."""
        order = (-self.outputs).argsort(axis=1, kind="stable")[:, :top]
        return [[(int(k), float(row[k])) for k in few] for few, row in zip(order, self.outputs, strict=True)]

    def table(self, top: int, every: bool) -> tuple[list[str], list[list[Any]]]:
        """Names of columns, and rows: image, label, probability, the next labels with theirs, and those of all classes.

        Of several labels those above one half stand in one column, and the probabilities of all beside them; of numbers
        each has a column.

        Args:
            top: how many labels.
            every: whether the probability of each class has a column.
        """
        outputs = self.outputs.tolist()
        if self.kind == OF_NUMBERS:
            several = len(self.outputs[0]) > 1
            header = [f"target_{k + 1}" for k in range(len(self.outputs[0]))] if several else ["prediction"]
            return ["image", *header], [[name, *row] for name, row in zip(self.names, outputs, strict=True)]
        if self.kind == OF_LABELS:
            header = ["image", "labels", *(f"p_{label}" for label in self.labels)]
            found = ["; ".join(chosen) or "none" for chosen in self._chosen()]
            return header, [[n, f, *row] for n, f, row in zip(self.names, found, outputs, strict=True)]
        count = min(top, len(self.classes))
        header = ["image", "label", "probability"]
        header += [f"{word}_{k}" for k in range(2, count + 1) for word in ("label", "probability")]
        header += [f"p_{label}" for label in self.labels] if every else []
        rows = []
        for name, few, row in zip(self.names, self.best(count), outputs, strict=True):
            cells = [cell for k, probability in few for cell in (self.labels[k], probability)]
            rows.append([name, *cells, *(row if every else [])])
        return header, rows

    def documents(self) -> Iterator[dict[str, Any]]:
        """The same for JSON, an object an image."""
        if self.kind == OF_NUMBERS:
            for name, numbers in zip(self.names, self.outputs.tolist(), strict=True):
                yield {"name": name, "prediction": numbers[0] if len(numbers) == 1 else numbers}
            return
        if self.kind == OF_LABELS:
            for name, chosen, shares in zip(self.names, self._chosen(), self.outputs.tolist(), strict=True):
                yield {"name": name, "labels": chosen, "probabilities": dict(zip(self.labels, shares, strict=True))}
            return
        for name, ((k, probability),), row in zip(self.names, self.best(1), self.outputs, strict=True):
            yield {
                "name": name,
                "label": self.classes[k],
                "label_name": self.labels[k],
                "probability": probability,
                "probabilities": {str(c): float(p) for c, p in zip(self.classes, row, strict=True)},
            }

    def _chosen(self) -> list[list[str]]:
        return [[label for label, p in zip(self.labels, row, strict=True) if p > 0.5] for row in self.outputs]


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
