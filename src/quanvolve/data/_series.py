"""Time series from the text files of the UCR and UEA archives."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._arff import Row
from quanvolve.data._arff import rows as arff_rows
from quanvolve.data._blob import Blob, read_blob
from quanvolve.data._dataset import Dataset
from quanvolve.data._shapes import checked_pixels
from quanvolve.data._text import quoted

SERIES_ENDINGS = (".ts", ".tsv", ".txt", ".arff")
"""In the order in which they are preferred where a data set comes in several forms."""
_PARTS = ("TRAIN", "TEST")
# The archive also has a file for each channel of series with several.
_ONE_CHANNEL = re.compile(r"Dimension\d+$")


def load_series(path: str | os.PathLike[str]) -> Dataset:
    """Load time series from `NAME_TRAIN.ts` and `NAME_TEST.ts`, or `.tsv`, `.txt` or `.arff` files.

    A `.ts` file has header lines that start with `#` or `@`, then after `@data` one series a line: values separated
    by commas, channels by colons, the label last. A `.tsv` or `.txt` file has one series of one channel a line: the
    label, then the values, separated by tabs or spaces. An `.arff` file has its attributes, then after `@data` the
    values separated by commas, the label last; several channels stand in quotes (a relational attribute). All series
    must be equally long and complete.

    Args:
        path: one of the two files, or their folder.

    Returns:
        The data set, with float64 series of shape (n, channels, length) and the labels as whole numbers where they
        are such, else as text.

    Raises:
        DataError: a file is missing or damaged; the message names it and the line.

    Examples:
        >>> import pathlib, tempfile
        >>> from quanvolve.data import load_series
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for part in ("TRAIN", "TEST"):
        ...         _ = pathlib.Path(folder, f"Ramp_{part}.ts").write_text("@data\\n0,1,2:up\\n2,1,0:down\\n")
        ...     load_series(folder)
        Dataset('Ramp': 2 train + 2 test, 1x3 float64, 2 classes)

    References:
        Dau et al., "The UCR Time Series Archive", IEEE/CAA J. Autom. Sinica 6, 1293 (2019), arXiv:1810.07758.
    """
    files = _pair(Path(path))
    return read_series(files[0].stem.removesuffix("_TRAIN"), *(read_blob(file) for file in files))


def read_series(name: str, train_file: Blob, test_file: Blob) -> Dataset:
    """The data set of two files; the endings of their names say in which form they are.

    Raises:
        DataError: A file is damaged; the message names it and the line.
    """
    (train, train_labels), (test, test_labels) = (_read(file) for file in (train_file, test_file))
    if train.shape[1:] != test.shape[1:]:
        raise DataError(
            f"{test_file.what} holds series of {_size(test)}, expected {_size(train)} as in {train_file.what}: make "
            "both equal"
        )
    labels = np.array([*train_labels, *test_labels])
    try:
        numbers = labels.astype(np.float64)
        if np.isfinite(numbers).all() and (numbers == np.round(numbers)).all():
            labels = numbers.astype(np.int64)
    except ValueError:
        pass  # labels that are words stay words
    split = len(train_labels)
    names = tuple(str(label) for label in np.unique(labels))
    return Dataset(name, train, labels[:split], test, labels[split:], names, dims=1)


def has_pair(folder: Path) -> bool:
    """Whether a folder holds series."""
    return any(_train_files(folder, ending) for ending in SERIES_ENDINGS)


def _train_files(folder: Path, ending: str) -> list[Path]:
    files = sorted(folder.glob(f"*_TRAIN{ending}"))
    return [file for file in files if not _ONE_CHANNEL.search(file.stem.removesuffix("_TRAIN"))]


def _pair(path: Path) -> tuple[Path, Path]:
    """The two files of a data set."""
    if path.is_dir():
        for ending in SERIES_ENDINGS:
            files = _train_files(path, ending)
            if len(files) > 1:
                raise DataError(f"{quoted(path)} holds {len(files)} files *_TRAIN{ending}: give one of them")
            if files:
                path = files[0]
                break
        else:
            endings = f"{', '.join(SERIES_ENDINGS[:-1])} or {SERIES_ENDINGS[-1]}"
            raise DataError(f"{quoted(path)} holds no NAME_TRAIN{endings}: give the folder of a data set")
    for part in _PARTS:
        if path.stem.endswith(f"_{part}"):
            base = path.stem.removesuffix(f"_{part}")
            train, test = (path.with_name(f"{base}_{other}{path.suffix}") for other in _PARTS)
            for file in (train, test):
                if not file.is_file():
                    raise DataError(
                        f"{quoted(file)} does not exist: a data set has a file for training and one for the test"
                    )
            return train, test
    raise DataError(
        f"the name of {quoted(path)} does not end with _TRAIN or _TEST, as those of series files do: rename "
        "the pair, or save a table as .csv"
    )


def _read(file: Blob) -> tuple[NDArray[Any], list[str]]:
    """Series (n, channels, length) and their labels as text."""
    try:
        lines = file.content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"cannot read {file.what}: it is not text") from None
    series: list[NDArray[np.float64]] = []
    labels: list[str] = []
    expected: list[int] = []
    for channels, label, where in _rows(lines, file):
        sizes = [len(channel) for channel in channels]
        expected = expected or sizes
        if sizes != expected or len(set(sizes)) > 1:
            raise DataError(
                f"{where} has {sizes} values in its channels, expected {[expected[0]] * len(expected)} as in the first "
                "series: series must be equally long; cut or pad them"
            )
        series.append(np.array([_values(channel, where) for channel in channels]))
        labels.append(label)
    if not series:
        raise DataError(f"{file.what} holds no series, expected at least one: it is cut short")
    return checked_pixels(np.stack(series), f"the series in {file.what}"), labels


def _rows(lines: list[str], file: Blob) -> Iterator[Row]:
    ending = Path(file.name).suffix.lower()
    if ending == ".arff":
        yield from arff_rows(lines, file.what)
        return
    first = 0
    if ending == ".ts":
        marks = [number for number, line in enumerate(lines) if line.strip().lower() == "@data"]
        if not marks:
            raise DataError(
                f"{file.what} has no line @data, expected one before the series: it is no .ts file, or cut short"
            )
        first = marks[0] + 1
    split = {".ts": _split_ts, ".tsv": _split_tsv}.get(ending, _split_txt)
    for number, line in enumerate(lines[first:], first + 1):
        if line.strip() and not line.startswith("#"):
            where = f"line {number} of {file.what}"
            yield Row(*split(line, where), where)


def _split_ts(line: str, where: str) -> tuple[list[list[str]], str]:
    *channels, label = line.strip().split(":")
    if not channels or not label.strip():
        raise DataError(f"{where} has no label, expected values, then a colon and the label: the file is cut short")
    return [channel.split(",") for channel in channels], label.strip()


def _split_tsv(line: str, where: str) -> tuple[list[list[str]], str]:
    # An empty field is a value that is missing, not one to be passed over.
    label, *values = line.split("\t")
    return [_some(values, where)], label.strip()


def _split_txt(line: str, where: str) -> tuple[list[list[str]], str]:
    label, *values = line.replace(",", " ").split() or [""]
    return [_some(values, where)], label


def _some(values: list[str], where: str) -> list[str]:
    if not values:
        raise DataError(f"{where} has a label and no values: the file is cut short")
    return values


def _values(texts: list[str], where: str) -> list[float]:
    try:
        return [float(text) for text in texts]
    except ValueError:
        wrong = next(text for text in texts if not _is_number(text))
        raise DataError(
            f"{where} has {wrong.strip()!r} where a number was expected: fill in missing values first"
        ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _size(series: NDArray[Any]) -> str:
    return f"{series.shape[1]} channel(s) and {series.shape[2]} values"
