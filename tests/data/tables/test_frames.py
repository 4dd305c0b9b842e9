"""Frames of pandas, polars and pyarrow, and files of Parquet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

from quanvolve._errors import DataError
from quanvolve.data import load_dataset

FRAMES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas DataFrame": pd.DataFrame,
    "polars DataFrame": pl.DataFrame,
    "pyarrow Table": pa.table,
}
pytestmark = pytest.mark.parametrize("kind", FRAMES)


def columns(n: int = 10) -> dict[str, list[Any]]:
    return {
        "size": [k / 2 for k in range(n)],
        "name": ["a word"] * n,
        "count": list(range(n)),
        "big": [k % 2 == 0 for k in range(n)],
        "kind": [["cat", "dog"][k % 2] for k in range(n)],
    }


def test_columns_of_numbers(kind: str) -> None:
    data = load_dataset(FRAMES[kind](columns()), label="kind")
    assert repr(data) == "Dataset('frame': 8 train + 2 test, 3 float64, 2 classes)"
    assert (data.class_names, data.dims) == (("cat", "dog"), 1)
    assert data.notes[:2] == ("labels: the column 'kind'", "left out: name")
    given = {(k / 2, k, float(k % 2 == 0), ["cat", "dog"][k % 2]) for k in range(10)}
    rows = zip([*data.train_images, *data.test_images], [*data.train_labels, *data.test_labels], strict=True)
    assert {(*row.tolist(), str(label)) for row, label in rows} == given


def test_parquet(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    frame = FRAMES[kind](columns())
    if kind.startswith("pandas"):
        frame.to_parquet(path)
    elif kind.startswith("polars"):
        frame.write_parquet(path)
    else:
        pa.parquet.write_table(frame, path)
    expected, read = load_dataset(frame, label="kind"), load_dataset(path, label="kind")
    assert read.name == "own"
    np.testing.assert_array_equal(read.train_images, expected.train_images)
    np.testing.assert_array_equal(read.test_labels, expected.test_labels)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("count", None, "row 3 of the F has no number in the column 'count': fill such in"),
        ("size", None, "row 3 of the F has no number in the column 'size'"),
        ("big", None, "row 3 of the F has no number in the column 'big'"),
        ("size", float("nan"), "row 3 of the F has no number in the column 'size'"),
        ("size", float("inf"), "row 3 of the F has an infinite number in the column 'size'"),
        ("kind", None, "row 3 of the F has no label: fill it in, or leave it out"),
    ],
)
def test_what_is_missing_is_named(kind: str, column: str, value: float | None, message: str) -> None:
    content = columns()
    content[column][3] = value
    if kind.startswith("pandas") and column in ("count", "big"):
        content[column] = pd.array(content[column], dtype="Int64" if column == "count" else "boolean")
    with pytest.raises(DataError, match=message.replace("F", kind)):
        load_dataset(FRAMES[kind](content), label="kind")


def test_frames_that_make_no_data_set(kind: str) -> None:
    with pytest.raises(
        DataError, match=f"the {kind} has no column for the labels .*its columns: size, name, count, big"
    ):
        load_dataset(FRAMES[kind](columns()))
    with pytest.raises(DataError, match=f"the {kind} has no row: nothing can be learned from it"):
        load_dataset(FRAMES[kind]({"a": [], "label": []}))
    with pytest.raises(DataError, match=f"row 1 of the {kind} has the label 0.5, expected classes as whole numbers or"):
        load_dataset(FRAMES[kind](columns()), label="size")


def test_long_series_with_dates(kind: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC if kind.startswith("polars") else None)
    rows = [(i, start + timedelta(hours=t), 10 * i + t, i % 2) for i in range(6) for t in (2, 0, 1)]
    names = ("id", "time", "value", "label")
    data = load_dataset(FRAMES[kind](dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))))
    values = np.concatenate([data.train_images, data.test_images])
    assert values.shape == (6, 1, 3)
    assert {tuple(series[0]) for series in values.tolist()} == {(10 * i, 10 * i + 1, 10 * i + 2) for i in range(6)}


def test_arrays_in_a_column(kind: str) -> None:
    flat = load_dataset(FRAMES[kind]({"features": [[1.5, k] for k in range(10)], "label": [0, 1] * 5}))
    assert (flat.train_images.shape, flat.dims) == ((8, 2), 1)
    ragged = FRAMES[kind]({"features": [[1.5, 2.5], [2.5]], "label": [0, 1]})
    with pytest.raises(
        DataError, match=r"row 1 of the .*, column 'features' is 1, but row 0 of .* is 2: make all equal"
    ):
        load_dataset(ragged)


def _bytes(picture: Image.Image) -> bytes:
    stream = BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("held", ["paths", "bytes", "mappings"])
def test_pictures_in_a_column(kind: str, held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pictures = [Image.fromarray(np.full((6, 8), 20 * k, np.uint8)) for k in range(10)]
    for k, picture in enumerate(pictures):
        picture.save(f"{k}.png")
    cells: dict[str, list[Any]] = {
        "paths": [f"{k}.png" for k in range(10)],
        "bytes": list(map(_bytes, pictures)),
        "mappings": [{"bytes": _bytes(picture), "path": None} for picture in pictures],
    }
    data = load_dataset(FRAMES[kind]({"image": cells[held], "size": [1] * 10, "label": [0, 1] * 5}))
    assert (data.train_images.shape, data.train_images.dtype) == ((8, 6, 8), np.uint8)
    assert sorted([*data.train_images[:, 0, 0], *data.test_images[:, 0, 0]]) == [20 * k for k in range(10)]
    assert data.notes[:3] == ("labels: the column 'label'", "left out: size", "pictures, 6x8 (crop), grey")
    small = load_dataset(FRAMES[kind]({"image": cells[held], "label": [0, 1] * 5}), image_size=4, fit="pad")
    assert small.train_images.shape == (8, 4, 4)
    assert str(small.preparation) == "4x4 (pad), grey"


def test_a_frame_and_its_labels(kind: str) -> None:
    content = columns()
    labels = content.pop("kind")
    expected = load_dataset(FRAMES[kind]({**content, "kind": labels}), label="kind")
    for given in (labels, pd.Series(labels), pl.Series(labels), np.array(labels)):
        data = load_dataset((FRAMES[kind](content), given))
        np.testing.assert_array_equal(data.train_images, expected.train_images)
        np.testing.assert_array_equal(data.test_labels, expected.test_labels)
    with pytest.raises(DataError, match=r"\(frame, labels\) holds 10 rows and 9 labels: give one label a row"):
        load_dataset((FRAMES[kind](content), labels[1:]))
    frame = FRAMES[kind](content)
    halves = load_dataset(((frame[:5], labels[:5]), (frame[5:], labels[5:])))
    assert (halves.test_images[:, 1].tolist(), halves.test_labels.tolist()) == ([5, 6, 7, 8, 9], labels[5:])


def test_rows_of_the_same_name_without_a_time(kind: str) -> None:
    data = load_dataset(FRAMES[kind]({"id": [1, 1, 2, 2], "value": [1.5, 2, 3, 4], "label": ["a", "a", "b", "b"]}))
    assert data.train_images.shape == (3, 1)
    assert data.notes[1:3] == (
        "the column 'id' names rows more than once: a column `time` beside it would make series",
        "left out: id",
    )


def test_series_and_pixels_by_name(kind: str) -> None:
    series = load_dataset(FRAMES[kind]({"t0": range(10), "t1": range(10), "label": [0, 1] * 5}))
    assert (series.train_images.shape, series.dims) == ((8, 1, 2), 1)
    pixels = {f"pixel{k}": range(100, 200, 10) for k in range(4)}
    images = load_dataset(FRAMES[kind]({**pixels, "label": [0, 1] * 5}))
    assert (images.train_images.shape, images.train_images.dtype) == ((8, 2, 2), np.uint8)


def test_a_pair_of_frames(kind: str) -> None:
    train, test = columns(), columns(4)
    test["kind"][0] = "cow"
    data = load_dataset((FRAMES[kind](train), FRAMES[kind](dict(reversed(test.items())))), label="kind")
    assert data.train_images.tolist() == [[k / 2, k, k % 2 == 0] for k in range(10)]
    assert data.test_images.tolist() == [[k / 2, k, k % 2 == 0] for k in range(4)]
    assert data.test_labels.tolist() == ["cow", "dog", "cat", "dog"]
    assert data.class_names == ("cat", "cow", "dog")
    del test["count"]
    with pytest.raises(DataError, match=f"the {kind} has no column count, which the {kind} has: give both the same"):
        load_dataset((FRAMES[kind](train), FRAMES[kind](test)), label="kind")
