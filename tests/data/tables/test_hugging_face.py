"""Data sets of Hugging Face's `datasets`, as objects and as folders that they were saved to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import datasets
from quanvolve._errors import DataError
from quanvolve.data import load_dataset
from tests.waiting import PATIENCE

NAMES = ("cat", "dog", "cow")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def rows(n: int = 12, first: int = 0) -> datasets.Dataset:
    """Pictures of one value each, 10 times their number."""
    pictures = [Image.fromarray(np.full((6, 8), 10 * k, np.uint8)) for k in range(first, first + n)]
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(NAMES))})
    return datasets.Dataset.from_dict({"image": pictures, "label": [k % 2 for k in range(n)]}, features=features)


def parts() -> datasets.DatasetDict:
    return datasets.DatasetDict({"train": rows(6), "validation": rows(4, 6), "test": rows(2, 10)})


def test_pictures_and_classes_by_their_features() -> None:
    data = load_dataset(rows())
    assert data.class_names == NAMES
    assert (data.train_images.shape, data.train_images.dtype, data.dims) == ((10, 6, 8), np.uint8, 2)
    images, labels = np.concatenate([data.train_images, data.test_images]), [*data.train_labels, *data.test_labels]
    looped = {(int(np.array(row["image"])[0, 0]), row["label"]) for row in rows()}
    assert set(zip(images[:, 0, 0].tolist(), labels, strict=True)) == looped
    assert str(data.preparation) == "6x8 (crop), grey"


def test_parts() -> None:
    data = load_dataset(parts())
    assert data.valid_images is not None
    assert data.train_images[:, 0, 0].tolist() == [0, 10, 20, 30, 40, 50]
    assert data.valid_images[:, 0, 0].tolist() == [60, 70, 80, 90]
    assert data.test_images[:, 0, 0].tolist() == [100, 110]
    both = load_dataset(datasets.DatasetDict({"train": rows(6), "validation": rows(4)}))
    assert (both.valid_images, len(both.test_labels)) == (None, 4)
    assert both.notes[-1] == "there is no test set: the validation set is taken for it"
    assert len(load_dataset(datasets.DatasetDict({"all": rows()})).test_labels) == 2
    with pytest.raises(
        DataError, match="has the parts 'train', 'extra', 'testing', 'test', expected train, validation"
    ):
        load_dataset(datasets.DatasetDict(dict.fromkeys(("train", "extra", "testing", "test"), rows(2))))
    pair = load_dataset((rows(6), rows(2)))
    assert (len(pair.train_labels), len(pair.test_labels)) == (6, 2)
    with pytest.raises(DataError, match=r"the data for the test set have parts of their own \(train, valid, test\)"):
        load_dataset((rows(6), parts()))


def test_saved(tmp_path: Path) -> None:
    rows().shuffle(seed=0).select(range(8)).save_to_disk(tmp_path / "one")
    one, same = load_dataset(tmp_path / "one"), load_dataset(rows().shuffle(seed=0).select(range(8)))
    np.testing.assert_array_equal(one.train_images, same.train_images)
    assert one.name == "one"
    parts().save_to_disk(tmp_path / "three")
    three = load_dataset(str(tmp_path / "three"))
    assert (len(three.train_labels), len(three.test_labels), three.class_names) == (6, 2, NAMES)
    rows().to_parquet(tmp_path / "own.parquet")
    parquet = load_dataset(tmp_path / "own.parquet")
    assert parquet.class_names == NAMES
    np.testing.assert_array_equal(parquet.train_images, load_dataset(rows()).train_images)
    next((tmp_path / "one").glob("*.arrow")).write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"one' cannot be read \(.*\): save the data set again"):
        load_dataset(tmp_path / "one")


def test_saved_where_the_library_is_missing(tmp_path: Path) -> None:
    rows().save_to_disk(tmp_path / "one")
    code = f"""
import sys
sys.modules["datasets"] = None
from quanvolve import load_dataset
try:
    load_dataset({str(tmp_path / "one")!r})
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.strip().endswith(
        "was saved by Hugging Face's datasets, which is not there: pip install datasets"
    )


def test_columns_of_numbers_and_arrays() -> None:
    numbers = load_dataset(datasets.Dataset.from_dict({"a": [1.5, 2, 3, 4], "b": range(4), "label": [0, 1, 0, 1]}))
    assert sorted([*numbers.train_images.tolist(), *numbers.test_images.tolist()]) == [[1.5, 0], [2, 1], [3, 2], [4, 3]]
    features = datasets.Features({"x": datasets.Array2D((2, 2), "float32"), "y": datasets.Value("int64")})
    squares = datasets.Dataset.from_dict(
        {"x": [[[k, 1], [2, 3]] for k in range(6)], "y": [0, 1] * 3}, features=features
    )
    data = load_dataset(squares)
    assert (data.train_images.shape, data.dims) == ((5, 2, 2), 2)
    assert load_dataset(squares, columns="series").dims == 1


def test_labels_that_are_not_given() -> None:
    """Public test sets have -1 in place of each."""
    hidden = (
        rows(4).remove_columns("label").add_column("label", [-1] * 4).cast_column("label", rows().features["label"])
    )
    data = load_dataset(datasets.DatasetDict({"train": rows(10), "test": hidden}))
    assert (len(data.train_labels), len(data.test_labels)) == (8, 2)
    assert "the part 'test' has no labels (-1 everywhere) and is left out" in data.notes
    with pytest.raises(
        DataError, match=r"row 0 of the data set has the label -1, expected 0 to 2, as there are 3 names"
    ):
        load_dataset(hidden)


def test_what_is_refused() -> None:
    with pytest.raises(DataError, match=r"streams \(IterableDataset\) cannot be split: load it without streaming"):
        load_dataset(rows().to_iterable_dataset())
    with pytest.raises(DataError, match="the data set has no row"):
        load_dataset(rows(0))
    two = rows().add_column("other", [0, 1] * 6).cast_column("other", datasets.ClassLabel(names=["no", "yes"]))
    with pytest.raises(DataError, match="several columns that may hold the labels: label, other"):
        load_dataset(two)
    assert load_dataset(two, label="other").class_names == ("no", "yes")
    broken = datasets.Dataset.from_dict({"image": [{"bytes": b"none", "path": None}] * 2, "label": [0, 1]})
    with pytest.raises(DataError, match="row 0 of the data set, column 'image' is not an image of a known kind"):
        load_dataset(broken.cast_column("image", datasets.Image()))
