"""Tables from text: values separated by commas, tabs or semicolons."""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve._lines import one_line
from quanvolve.data._asked import Asked
from quanvolve.data._text import plural, quoted, reason
from quanvolve.data.tables._names import LABELS, find_roles, listed
from quanvolve.data.tables._packed import PACKED, UNREADABLE, unpacked
from quanvolve.data.tables._table import Table

CSV_ENDINGS = tuple(text + packed for text in (".csv", ".tsv") for packed in ("", *PACKED))
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
_TRUTH = {"true": 1.0, "false": 0.0}
_DELIMITERS = (",", ";", "\t", "|")
_KNOWN = 4096  # more different numbers than that are no pixels
_LOOKED_AT = 200  # rows from which the kinds of the columns are told
_COMMA_FOR_POINT = re.compile(r"[+-]?\d+,\d+")


class Record(NamedTuple):
    """A row of the file that is not empty, and its number, counted from 1."""

    row: int
    cells: list[str]


def read_csv(path: Path, asked: Asked) -> Table:
    """The table in a file of text, its numbers as float64.

    A column holds numbers if its first value is one. The first row names the columns if it holds no number, or none
    but 0, 1, 2 ... in their order.

    Raises:
        DataError: A file that is missing, damaged, empty, or no text in UTF-8; a row of another length; text among
            numbers. One line, with file, row and column.
    """
    source = quoted(path)
    with _records(path) as (records, underlined):
        head = list(islice(records, _LOOKED_AT + 1))
        if not head:
            raise DataError(f"{source} is empty, expected a row with the names of columns and rows of values below it")
        named = _names_columns(head)
        names = _names(head[0].cells, source) if named else [f"column {k + 1}" for k in range(len(head[0].cells))]
        body = head[1:] if named else head
        if not body:
            raise DataError(f"{source} has names of columns and no row of values: it is cut short")
        roles = find_roles(names, asked.label, source)
        for record in body:
            _require_length(record, names, source)
        is_number = [
            name not in roles.names and _holds_numbers(record.cells[k] for record in body)
            for k, name in enumerate(names)
        ]
        for k, (name, number) in enumerate(zip(names, is_number, strict=True)):
            if not number and name not in roles.names:
                _require_points(body, k, name, source)
        rows, numbers, texts = _read(chain(body, records), names, is_number, underlined, source)
    number_names = [name for name, number in zip(names, is_number, strict=True) if number]
    others = dict(zip([name for name, number in zip(names, is_number, strict=True) if not number], texts, strict=True))
    notes = []
    if named and any(_number(name) is not None for name in names):
        notes.append(f"the first row of {path.name} is taken for the names of the columns: {listed(names)}")
    if not named:
        notes.append(f"the first row of {path.name} holds values: the columns are called column 1 to {names[-1]}")
    return Table(
        path.name[: -len(_ending(path))] if _ending(path) else path.stem,
        source,
        tuple(names),
        roles,
        numbers,
        tuple(number_names),
        others,
        lambda i: f"row {rows[i]} of {source}",
        folder=path.parent,
        notes=tuple(notes),
        named=named,
    )


def _ending(path: Path) -> str:
    return next((ending for ending in CSV_ENDINGS if path.name.lower().endswith(ending)), "")


@contextmanager
def _records(path: Path) -> Iterator[tuple[Iterator[Record], Callable[[], bool]]]:
    """The rows of a file that are not empty, and whether _ was met below the first line; with errors of one line."""
    row, underlined = 0, False

    def lines(stream: IO[str]) -> Iterator[str]:
        nonlocal underlined
        for number, line in enumerate(stream):
            underlined = underlined or (number > 0 and "_" in line)
            yield line

    def read(stream: IO[str], delimiter: str) -> Iterator[Record]:
        nonlocal row
        # Without `strict`, a quote that is never closed takes all that follows into one cell.
        for row, cells in enumerate(csv.reader(lines(stream), delimiter=delimiter, strict=True), 1):
            if cells and (len(cells) > 1 or cells[0].strip()):
                yield Record(row, cells)

    try:
        with unpacked(path) as binary:
            encoding = "utf-16" if binary.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        with unpacked(path) as binary, _as_text(binary, encoding) as text:
            delimiter = _delimiter(path, text.readline())
        with unpacked(path) as binary, _as_text(binary, encoding) as text:
            yield read(text, delimiter), lambda: underlined
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{quoted(path)} does not exist, expected a table: check the path") from None
    except csv.Error as error:
        raise DataError(
            f"row {row + 1} of {quoted(path)} cannot be read ({reason(error)}): look for a quote that is not closed"
        ) from None
    except UnicodeError:
        raise DataError(f"row {row + 1} of {quoted(path)} is no text in UTF-16: save the file as UTF-8") from None
    except MemoryError:
        raise DataError(f"{quoted(path)} does not fit into the memory of this machine: give fewer rows") from None
    except UNREADABLE as error:
        raise DataError(f"{quoted(path)} cannot be read ({reason(error)}): get the file again") from None


def _as_text(binary: IO[bytes], encoding: str) -> io.TextIOWrapper:
    # What is no UTF-8 is kept, to be named with its row and column.
    errors = "strict" if encoding == "utf-16" else "surrogateescape"
    return io.TextIOWrapper(binary, encoding=encoding, errors=errors, newline="")


def _delimiter(path: Path, line: str) -> str:
    if _ending(path).startswith(".tsv"):
        return "\t"
    return max(_DELIMITERS, key=lambda mark: len(next(csv.reader([line], delimiter=mark), [])))


def _names_columns(head: Sequence[Record]) -> bool:
    """Whether the first row holds names."""
    first = [cell.strip() for cell in head[0].cells]
    numbers = [cell for cell in first if _number(cell) is not None]
    if not numbers:
        return any(first)
    whole = [int(cell) for cell in numbers if cell.isascii() and cell.isdecimal()]
    counted = len(whole) == len(numbers) and len(whole) > 2 and whole == list(range(whole[0], whole[0] + len(whole)))
    if counted and whole[0] in (0, 1):
        return True
    return any(cell.lower() in LABELS for cell in first)


def _names(cells: Sequence[str], source: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    for k, name in enumerate(names):
        _require_utf8(name, f"row 1 of {source}, column {k + 1}")
        if not name and k:
            names[k] = f"column {k + 1}"
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1] if len(set(names)) < len(names) else []
    if twice:
        raise DataError(f"{source} has several columns {twice[0]!r}: give each a name of its own")
    return names


def _require_length(record: Record, names: Sequence[str], source: str) -> None:
    if len(record.cells) != len(names):
        raise DataError(
            f"row {record.row} of {source} has {plural(len(record.cells), 'value')}, expected {len(names)} as in the "
            "first row: it is cut short, or a value holds the mark between columns and stands in no quotes"
        )


def _require_utf8(text: str, where: str) -> None:
    if text.isascii():
        return
    wrong = next((letter for letter in text if "\udc80" <= letter <= "\udcff"), None)
    if wrong is not None:
        raise DataError(
            f"{where} holds the byte {ord(wrong) - 0xDC00:#x}, which is no text in UTF-8: save the file as UTF-8"
        )


def _holds_numbers(cells: Iterator[str]) -> bool:
    """Whether the first value is a number, or there is none."""
    value = next((cell for cell in cells if cell.strip().lower() not in _MISSING), None)
    return value is None or _number(value) is not None


def _require_points(body: Sequence[Record], column: int, name: str, source: str) -> None:
    """Refuse a column that is text only because its numbers have a comma in place of the point."""
    record = next((record for record in body if record.cells[column].strip().lower() not in _MISSING), None)
    if record is not None and _COMMA_FOR_POINT.fullmatch(record.cells[column].strip()):
        raise _no_number(record.cells[column], record.row, name, source, "a number")


def _number(text: str) -> float | None:
    text = text.strip()
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return _TRUTH.get(text.lower())


def _read(
    records: Iterator[Record],
    names: Sequence[str],
    is_number: Sequence[bool],
    underlined: Callable[[], bool],
    source: str,
) -> tuple[array[int], NDArray[np.float64], list[list[str]]]:
    """The numbers of the rows, the values of columns of numbers, and the texts of the others.

    `underlined` tells whether _ has been met in the file.
    """
    of_numbers = [k for k, number in enumerate(is_number) if number]
    of_texts = [k for k, number in enumerate(is_number) if not number]
    first, end = (of_numbers[0], of_numbers[-1] + 1) if of_numbers else (0, 0)
    together = end - first == len(of_numbers)
    numbers_of: Callable[[list[str]], Sequence[str]]
    numbers_of = itemgetter(slice(first, end)) if together else itemgetter(*of_numbers)
    rows, values, known = array("q"), array("d"), _Known()
    texts: list[list[str]] = [[] for _ in of_texts]
    seen: dict[str, str] = {}
    for record in records:
        _require_length(record, names, source)
        cells = record.cells
        before = len(values)
        try:
            # Python reads 1_000 as a number; other programs do not.
            if underlined() and "_" in "".join(numbers_of(cells)):
                raise ValueError
            read = known.__getitem__ if len(known) < _KNOWN else float
            values.extend(map(read, numbers_of(cells)))
        except ValueError:
            del values[before:]
            values.extend(_checked(cells[k], record.row, names[k], source) for k in of_numbers)
        rows.append(record.row)
        for column, k in zip(texts, of_texts, strict=True):
            text = cells[k].strip()
            _require_utf8(text, f"row {record.row} of {source}, column {names[k]!r}")
            # The same few labels come again and again.
            column.append(seen.setdefault(text, text))
    return rows, np.frombuffer(values, dtype=np.float64).reshape(len(rows), len(of_numbers)), texts


class _Known(dict[str, float]):
    """Numbers by their text: pixels are the same few again and again, and looked up faster than read."""

    def __missing__(self, text: str) -> float:
        self[text] = number = float(text)
        return number


def _checked(cell: str, row: int, name: str, source: str) -> float:
    if cell.strip().lower() in _MISSING:
        return np.nan
    number = _number(cell)
    if number is None:
        _require_utf8(cell, f"row {row} of {source}, column {name!r}")
        raise _no_number(cell, row, name, source, "a number as in the rows before")
    return number


def _no_number(cell: str, row: int, name: str, source: str, expected: str) -> DataError:
    point = _number(cell.replace(",", ".")) is not None
    remedy = "write a point in numbers, not a comma" if point else "correct it"
    return DataError(
        f"row {row} of {source}, column {one_line(name)!r} holds {one_line(cell.strip())!r}, expected {expected}: "
        f"{remedy}"
    )
