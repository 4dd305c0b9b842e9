"""The classes of pictures from a table beside them, as Kaggle gives them out."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.data._asked import Asked
from quanvolve.data._text import plural, quoted, reason
from quanvolve.data.sources._listing import PART_OF, Labelled, Listing
from quanvolve.data.sources._tree import Tree

_LABELS = (
    "label", "labels", "class", "classes", "class_name", "class_id", "target", "category", "y", "species", "breed",
    "diagnosis",
)  # fmt: skip
_FILES = ("file", "filename", "file_name", "image", "image_id", "image_name", "image_path", "img", "path", "id", "name")
_PARTS = ("split", "part", "set", "subset", "partition")
_WHOLE = ("labels", "label", "metadata", "annotations", "data")
_PROBED = 200
"""Rows that tell which column names the pictures."""


def find_tables(tree: Tree, asked: Asked) -> dict[str, str]:
    """The tables of labels in a folder: for each the part that it is of; "" where it is of all.

    Raises:
        DataError: if there are several, and none is named as such tables are.
    """
    if asked.label in tree.tables:
        return {asked.label: ""}
    stems = {name: Path(name).stem.lower() for name in tree.tables}
    if len(stems) == 1:
        return dict.fromkeys(stems, "")
    for name, stem in stems.items():
        if stem in _WHOLE:
            return {name: ""}
    parts = {name: PART_OF.get(stem.replace("-", "_").partition("_")[0], "") for name, stem in stems.items()}
    named = {name: part for name, part in parts.items() if part}
    if "train" in named.values():
        return named
    raise DataError(
        f"{quoted(tree.path)} has the tables {', '.join(map(repr, tree.tables[:6]))}, and none says that it has the "
        f"labels: name it, such as `label={tree.tables[0]}`"
    )


def by_tables(tree: Tree, tables: dict[str, str], asked: Asked) -> Listing:
    """Each row of a table a picture.

    Raises:
        DataError: if a table cannot be read, or it is not clear which columns are the file and the label.
    """
    listing = Listing({})
    pictures = _Pictures(tree)
    for name, part in tables.items():
        column = None if asked.label in tables else asked.label
        try:
            _add(listing, os.path.join(tree.path, name), pictures, part, column)
        except DataError as error:
            if part in ("", "train"):
                raise
            # Of the test set of a competition there often are no labels.
            listing.notes.append(f"left out a table: {error}")
    listing.notes += pictures.left_over({picture.path for part in listing.parts.values() for picture in part})
    if not listing.parts.get("train"):
        raise DataError(f"no row of {' or '.join(quoted(os.path.join(tree.path, t)) for t in tables)} is to train with")
    return listing


class _Pictures:
    """Finds picture files by what tables call them."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._by_name: dict[str, list[str]] = {}
        self._count = 0
        for path in tree.all_pictures():
            self._count += 1
            inside = os.path.relpath(path, tree.path).replace(os.sep, "/")
            name = os.path.basename(path)
            for key in {inside, os.path.splitext(inside)[0], name, os.path.splitext(name)[0]}:
                self._by_name.setdefault(key, []).append(path)

    def find(self, text: str, part: str) -> list[str]:
        """The files that a text may mean; those in a folder of the same part before others."""
        text = text.strip().replace("\\", "/").removeprefix("./")
        found = self._by_name.get(text) or self._by_name.get(text.rpartition("/")[2]) or []
        if len(found) > 1:
            of_part = [path for path in found if part and PART_OF.get(self._folder(path)) == part]
            return of_part or found
        return found

    def _folder(self, path: str) -> str:
        return os.path.relpath(path, self._tree.path).split(os.sep)[0].lower()

    def left_over(self, used: set[str]) -> list[str]:
        left = self._count - len(used)
        return [f"left out {plural(left, 'picture')} that no row of the table names"] if left else []


def _add(listing: Listing, path: str, pictures: _Pictures, part: str, column: str | None) -> None:
    header, rows = _read(path)
    file = _file_column(path, header, rows, pictures, part)
    label = _label_column(path, header, file, column)
    of_part = _part_column(header, rows, {file, label})
    lost, unlabelled = [], 0
    for row in rows:
        name, kind = row[file], row[label].strip()
        own = part or ("train" if of_part is None else PART_OF[row[of_part].strip().lower()])
        found = pictures.find(name, own)
        if len(found) > 1:
            raise DataError(
                f"{quoted(path)} names {one_line(name)!r}, which may be {quoted(found[0])} or {quoted(found[1])}: give "
                "the path from the folder of the table"
            )
        if not found:
            lost.append(name)
        elif not kind:
            unlabelled += 1
        else:
            listing.parts.setdefault(own, []).append(Labelled(found[0], kind))
    table = os.path.basename(path)
    listing.notes.append(f"labels from the column {header[label]!r} of {table!r}, files from {header[file]!r}")
    if lost:
        listing.notes.append(
            f"left out {plural(len(lost), 'row')} of {table!r} without a picture, such as {one_line(lost[0])!r}"
        )
    if unlabelled:
        listing.notes.append(f"left out {plural(unlabelled, 'row')} of {table!r} without a label")


def _read(path: str) -> tuple[list[str], list[list[str]]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            delimiter = max("\t;,", key=first.count)
            lines = [line for line in csv.reader(file, delimiter=delimiter) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{quoted(path)} cannot be read as a table ({reason(error)}): save it as CSV in UTF-8"
        ) from None
    if len(lines) < 2:
        raise DataError(f"{quoted(path)} has no rows, expected a header and a row for each picture")
    header = [name.strip() for name in lines[0]]
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(header):
            raise DataError(
                f"{quoted(path)} has {plural(len(line), 'value')} in row {number}, expected {len(header)} as in its "
                "header"
            )
    return header, lines[1:]


def _file_column(path: str, header: list[str], rows: list[list[str]], pictures: _Pictures, part: str) -> int:
    """The column whose values are pictures; of several the one that is named so."""
    probed = rows[:: max(1, len(rows) // _PROBED)]
    hits = [sum(bool(pictures.find(row[column], part)) for row in probed) for column in range(len(header))]
    best = max(hits)
    if not best:
        raise DataError(
            f"{quoted(path)} has the columns {_named(header)}, and none of them names pictures that are there: one "
            "must hold their names, or their paths from its folder"
        )
    return min((c for c, count in enumerate(hits) if count == best), key=lambda c: _rank(header[c], _FILES))


def _label_column(path: str, header: list[str], file: int, asked: str | None) -> int:
    if asked is not None:
        if asked not in header:
            raise DataError(f"{quoted(path)} has no column `label={asked}`, but {_named(header)}")
        return header.index(asked)
    others = [column for column in range(len(header)) if column != file]
    named = [column for column in others if header[column].lower() in _LABELS]
    if len(others) > 1 and len(named) != 1:
        choices = [header[column] for column in named or others]
        raise DataError(
            f"{quoted(path)} has the columns {_named(header)}, of which several may be the label: say which, such as "
            f"`label={choices[-1]}`"
        )
    if not others:
        raise DataError(f"{quoted(path)} has the column {_named(header)} alone, expected one with labels too")
    return named[0] if named else others[0]


def _part_column(header: list[str], rows: list[list[str]], taken: set[int]) -> int | None:
    for column, name in enumerate(header):
        if column not in taken and name.lower() in _PARTS:
            values = {row[column].strip().lower() for row in rows}
            if values <= set(PART_OF):
                return column
    return None


def _rank(name: str, known: Sequence[str]) -> int:
    return known.index(name.lower()) if name.lower() in known else len(known)


def _named(header: list[str]) -> str:
    shown = ", ".join(repr(one_line(name)) for name in header[:12])
    return shown + (f" and {len(header) - 12} more" if len(header) > 12 else "")
