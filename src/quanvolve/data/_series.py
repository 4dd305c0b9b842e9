"""Time series from the text files of the UCR and UEA archives."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quanvolve._errors import DataError
from quanvolve.data._dataset import Dataset
from quanvolve.data._shapes import checked_pixels
from quanvolve.data._text import quoted

SERIES_ENDINGS = (".ts", ".txt")
_PARTS = ("TRAIN", "TEST")


def load_series(path: str | os.PathLike[str]) -> Dataset:
    """Load time series from `NAME_TRAIN.ts` and `NAME_TEST.ts`, or `.txt` files in the archive's older form.

    A `.ts` file has header lines that start with `#` or `@`, then after `@data` one series a line: values separated
    by commas, channels by colons, the label last. A `.txt` file has one series of one channel a line: the label, then
    the values, separated by spaces. All series must be equally long and complete.

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
    (train, train_labels), (test, test_labels) = (_read(file) for file in files)
    if train.shape[1:] != test.shape[1:]:
        raise DataError(
            f"{quoted(files[1])} holds series of {_size(test)}, expected {_size(train)} as in {quoted(files[0])}: make "
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
    name = files[0].stem.removesuffix("_TRAIN")
    return Dataset(name, train, labels[:split], test, labels[split:], names, dims=1)


def _pair(path: Path) -> tuple[Path, Path]:
    """The two files of a data set."""
    if path.is_dir():
        for ending in SERIES_ENDINGS:
            files = sorted(path.glob(f"*_TRAIN{ending}"))
            if len(files) > 1:
                raise DataError(f"{quoted(path)} holds {len(files)} files *_TRAIN{ending}: give one of them")
            if files:
                path = files[0]
                break
        else:
            raise DataError(f"{quoted(path)} holds no NAME_TRAIN.ts or NAME_TRAIN.txt: give the folder of a data set")
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
    raise DataError(f"the name of {quoted(path)} does not end with _TRAIN or _TEST, as those of series files do")


def _read(path: Path) -> tuple[NDArray[Any], list[str]]:
    """Series (n, channels, length) and their labels as text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise DataError(f"cannot read {quoted(path)}: {reason}") from error
    split = _split_ts if path.suffix.lower() == ".ts" else _split_txt
    first = 0
    if path.suffix.lower() == ".ts":
        marks = [number for number, line in enumerate(lines) if line.strip().lower() == "@data"]
        if not marks:
            raise DataError(
                f"{quoted(path)} has no line @data, expected one before the series: it is no .ts file, or cut short"
            )
        first = marks[0] + 1
    series: list[list[list[float]]] = []
    labels: list[str] = []
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"line {number} of {quoted(path)}"
        channels, label = split(line.strip(), where)
        series.append([_values(channel, where) for channel in channels])
        labels.append(label)
        sizes = [len(channel) for channel in series[-1]]
        expected = [len(channel) for channel in series[0]]
        if sizes != expected or len(set(sizes)) > 1:
            raise DataError(
                f"{where} has {sizes} values in its channels, expected {[expected[0]] * len(expected)} as in the first "
                "series: series must be equally long; cut or pad them"
            )
    if not series:
        raise DataError(f"{quoted(path)} holds no series, expected at least one: it is cut short")
    return checked_pixels(np.array(series), f"the series in {quoted(path)}"), labels


def _split_ts(line: str, where: str) -> tuple[list[list[str]], str]:
    *channels, label = line.split(":")
    if not channels or not label.strip():
        raise DataError(f"{where} has no label, expected values, then a colon and the label: the file is cut short")
    return [channel.split(",") for channel in channels], label.strip()


def _split_txt(line: str, where: str) -> tuple[list[list[str]], str]:
    label, *values = line.replace(",", " ").split()
    if not values:
        raise DataError(f"{where} has a label and no values: the file is cut short")
    return [values], label


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
