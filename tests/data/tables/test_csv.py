"""Tables in files of text: what comes in is what is in the file, and every fault is named in one line."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quanvolve._errors import DataError
from quanvolve.data import Dataset, load_dataset, read_table
from tests.data.made import zipped

Write = Callable[..., Path]
ROWS = "".join(f"{k % 2},{k},{k + 1},{2 * k},{k % 7}\n" for k in range(12))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str | bytes, name: str = "own.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


def everything(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Training and test together, in an order that does not depend on the split."""
    values = np.concatenate([data.train_images, data.test_images]).reshape(-1, *data.train_images.shape[1:])
    labels = np.concatenate([data.train_labels, data.test_labels])
    order = np.lexsort([*values.reshape(len(values), -1).T[::-1], labels])
    return values[order], labels[order]


def looped(path: Path, label: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """What a plain loop reads from a file with names of columns, in the same order."""
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    values = np.array([[float(cell) for k, cell in enumerate(row) if k != label] for row in rows])
    labels = np.array([int(row[label]) for row in rows])
    order = np.lexsort([*values.T[::-1], labels])
    return values[order], labels[order]


def assert_same(data: Dataset, path: Path, label: int = 0) -> None:
    values, labels = everything(data)
    expected, of_rows = looped(path, label)
    np.testing.assert_array_equal(values.reshape(len(values), -1), expected)
    np.testing.assert_array_equal(labels, of_rows)


@pytest.mark.parametrize("first", [0, 1])
def test_pixels_by_their_names(write: Write, first: int) -> None:
    """Kaggle's MNIST: bytes of images, as a plain loop reads them."""
    pixels = np.random.RandomState(0).randint(0, 256, (30, 784))
    names = ",".join(f"pixel{k + first}" for k in range(784))
    rows = "".join(f"{k % 10},{','.join(map(str, row))}\n" for k, row in enumerate(pixels))
    path = write(f"label,{names}\n{rows}", "train.csv")
    data = load_dataset(path)
    assert repr(data) == "Dataset('train': 24 train + 6 test, 28x28 uint8, 10 classes)"
    assert_same(data, path)
    assert data.dims == 2
    assert data.notes[0] == "labels: the column 'label'"
    assert data.notes[1].startswith("images of 28x28, from the columns pixel")
    assert data.notes[2] == "there is no test set: 20% of each class are taken for it (seed 0)"


def test_the_same_split_by_seed_and_share(write: Write) -> None:
    path = write("label,a,b,c,d\n" + ROWS)
    one, two, other = (load_dataset(path, seed=seed, test_fraction=0.5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.test_images, two.test_images)
    assert not np.array_equal(one.test_images, other.test_images)
    assert np.bincount(one.test_labels).tolist() == [3, 3]


def test_without_names(write: Write) -> None:
    """The label is the only column that can hold it, wherever it stands."""
    pixels = np.random.RandomState(0).randint(0, 256, (40, 16))
    pixels[:, -1] = 0
    first = write("".join(f"{k % 4},{','.join(map(str, row))}\n" for k, row in enumerate(pixels)), "first.csv")
    data = load_dataset(first, columns="pixels")
    assert (data.train_images.shape, data.train_images.dtype) == ((32, 4, 4), np.uint8)
    assert data.class_names == ("0", "1", "2", "3")
    assert data.notes[:2] == (
        "the first row of first.csv holds values: the columns are called column 1 to column 17",
        "labels: column 1, which alone can hold them",
    )
    iris = write("5.1,3.5,Iris-setosa\n7.0,3.2,Iris-versicolor\n" * 4, "iris.csv")
    assert load_dataset(iris).class_names == ("Iris-setosa", "Iris-versicolor")
    both = write("0,1.5,1\n1,2.5,0\n" * 5, "both.csv")
    with pytest.raises(DataError, match=r"of its 3 columns column 1, column 3 may all hold the labels: say which with"):
        load_dataset(both)
    assert load_dataset(both, label="column 3").train_images.shape == (8, 2)
    neither = write("0.5,1.5,1.5\n1.5,2.5,0.5\n" * 5, "neither.csv")
    with pytest.raises(DataError, match="none can be told to hold the labels"):
        load_dataset(neither)


@pytest.mark.parametrize("head", [False, True])
def test_pixels_without_names(write: Write, head: bool) -> None:
    """Kaggle's MNIST without its first row, and a frame of pandas without names of columns."""
    pixels = np.random.RandomState(0).randint(0, 256, (40, 64))
    pixels[:, -1] = 0

    def read(pixels: np.ndarray, **asked: str) -> Dataset:
        rows = "".join(f"{k % 4},{','.join(map(str, row))}\n" for k, row in enumerate(pixels))
        names = f"label,{','.join(map(str, range(pixels.shape[1])))}\n"
        return load_dataset(write(names * head + rows), **asked)

    data = read(pixels)
    assert (data.train_images.shape, data.train_images.dtype, data.dims) == ((32, 8, 8), np.uint8, 2)
    assert "a square of whole numbers up to 255 each; `columns='features'` takes them as features" in data.notes[-2]
    assert read(pixels, columns="features").train_images.shape == (32, 64)
    for other in (pixels // 2, pixels + 1, pixels / 2, pixels[:, 1:]):
        assert read(other).train_images.shape == (32, other.shape[1])


FER = "emotion,pixels,Usage\n" + "".join(
    f"{k % 3},{' '.join(str((k * 7 + i * 5) % 256) for i in range(64))},{part}\n"
    for k, part in enumerate(["Training", "PublicTest", "PrivateTest"] * 4)
)


def test_many_numbers_in_a_cell(write: Write) -> None:
    """As FER2013 has its pixels."""
    data = load_dataset(write(FER))
    assert (data.train_images.shape, data.train_images.dtype, data.dims) == ((4, 8, 8), np.uint8, 2)
    assert data.train_images[1].ravel().tolist() == [(21 + i * 5) % 256 for i in range(64)]
    assert (len(data.test_labels), len(data.valid_labels), data.class_names) == (4, 4, ("0", "1", "2"))
    assert data.notes[2] == "each cell of the column 'pixels' holds 64 numbers, called pixel0 to pixel63 here"
    assert load_dataset(write(FER), image_size=4).train_images.shape == (4, 4, 4)
    assert load_dataset(write(FER), columns="series").train_images.shape == (4, 1, 64)
    dim = load_dataset(write("label,pixels\n" + '0,[1. 0.5 -2 1]\n1,"[3, 4, 5, 6]"\n' * 4))
    assert (dim.train_images.shape, dim.train_images.dtype) == ((6, 2, 2), np.float64)
    assert load_dataset(write("label,pixels\n" + "0,1 2 3 4\n" * 4)).train_images.dtype == np.float64


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1,7 12 ", "1,7 ", r"row 3 of .*, column 'pixels' holds 63 numbers, but row 2 of .* 64: give each as many"),
        ("1,7 12 ", "1,7 x ", r"row 3 of .*, column 'pixels' holds 'x' among its numbers, expected numbers alone"),
    ],
)
def test_faults_of_many_numbers_in_a_cell(write: Write, old: str, new: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(write(FER.replace(old, new, 1)))


def test_several_columns_of_many_numbers(write: Write) -> None:
    with pytest.raises(DataError, match=r"several columns of texts with many numbers each \(a, b\): leave all but one"):
        load_dataset(write("label,a,b\n" + "0,1 2 3 4,1 2 3 4\n" * 4))


def test_the_first_row_holds_names_that_are_numbers(write: Write) -> None:
    """As pandas writes a frame without names of columns."""
    path = write("label,0,1,2,3\n" + ROWS)
    data = load_dataset(path)
    assert_same(data, path)
    assert data.notes[0] == "the first row of own.csv is taken for the names of the columns: label, 0, 1, 2, 3"
    assert load_dataset(write("0,1,2,3,4\n" + ROWS), label="0").train_images.shape == (10, 4)


def test_features_stay_in_a_row_and_it_is_said(write: Write) -> None:
    path = write("label," + ",".join(f"f{k}" for k in range(64)) + "\n" + f"0{',1' * 64}\n1{',2' * 64}\n" * 5)
    data = load_dataset(path)
    assert (data.train_images.shape, data.dims) == ((8, 64), 1)
    assert data.notes[1] == (
        "64 columns of numbers (f0, f1, f2, f3, ... f63 (64 of them)): features in a row, along which windows slide; "
        "`image_size` or `columns='pixels'` makes images of them, `columns='series'` series"
    )
    assert load_dataset(path, image_size=8).train_images.shape == (8, 8, 8)
    assert load_dataset(path, image_size=(4, 16)).train_images.shape == (8, 4, 16)
    assert load_dataset(path, columns="pixels").train_images.shape == (8, 8, 8)
    series = load_dataset(path, columns="series")
    assert (series.train_images.shape, series.dims) == ((8, 1, 64), 1)
    with pytest.raises(DataError, match=r"has 64 columns of numbers .* which do not make an image of 5x5, grey or in"):
        load_dataset(path, image_size=5)
    for asked in ({"fit": "pad"}, {"grayscale": True}):
        with pytest.raises(DataError, match="has no meaning for 'own', which does not consist of picture files"):
            load_dataset(path, **asked)
    with pytest.raises(DataError, match=r"`columns` \(='picture'\) must be one of 'auto', 'features', 'pixels', 'ser"):
        load_dataset(path, columns="picture")


def test_pixels_are_put_in_their_order(write: Write) -> None:
    """Columns that were sorted as text."""
    names = sorted((f"pixel{k}" for k in range(16)), key=str)
    rows = "".join(f"{k % 2}," + ",".join(name.removeprefix("pixel") for name in names) + "\n" for k in range(6))
    data = load_dataset(write("label," + ",".join(names) + "\n" + rows))
    np.testing.assert_array_equal(data.train_images[0], np.arange(16).reshape(4, 4))
    gap = write("label,pixel0,pixel1,pixel3,pixel4\n" + ROWS)
    with pytest.raises(DataError, match="has columns pixel0, pixel1, pixel3, pixel4, but none with the number 2"):
        load_dataset(gap)
    assert load_dataset(gap, columns="features").train_images.shape == (10, 4)


def test_pixels_by_row_and_column(write: Write) -> None:
    rows = "".join(f"{k % 2},1,2,3,4,5,6\n" for k in range(6))
    data = load_dataset(write("label,1x1,1x2,1x3,2x1,2x2,2x3\n" + rows))
    np.testing.assert_array_equal(data.train_images[0], [[1, 2, 3], [4, 5, 6]])
    turned = load_dataset(write("label,1x1,2x1,1x2,2x2,1x3,2x3\n" + rows))
    np.testing.assert_array_equal(turned.train_images[0], [[1, 3, 5], [2, 4, 6]])
    with pytest.raises(DataError, match="which are not the pixels of one image of 2x4"):
        load_dataset(write("label,1x1,1x2,1x3,2x1,2x2,2x4\n" + rows))


def test_colours(write: Write) -> None:
    names = ",".join(f"pixel{k:04}" for k in range(12))
    path = write(
        f"label,{names}\n" + "".join(f"{k % 2},{','.join(str(200 + j) for j in range(12))}\n" for k in range(6))
    )
    with pytest.raises(DataError, match=r"three numbers for each of 2x2 pixels: say `channels='first'` if all of") as e:
        load_dataset(path)
    assert e.value.arguments == ("channels",)
    pixels = np.arange(200, 212)
    first, last = (load_dataset(path, channels=channels).train_images[0] for channels in ("first", "last"))
    np.testing.assert_array_equal(first, pixels.reshape(3, 2, 2))
    np.testing.assert_array_equal(last, np.moveaxis(pixels.reshape(2, 2, 3), 2, 0))


def test_pixels_are_resized_as_pictures(write: Write) -> None:
    from PIL import Image

    pixels = np.random.RandomState(0).randint(0, 256, (10, 64))
    names = ",".join(f"pixel{k}" for k in range(64))
    rows = "".join(f"{k % 2},{','.join(map(str, row))}\n" for k, row in enumerate(pixels))
    path = write(f"label,{names}\n{rows}")
    data = load_dataset(path, image_size=4)
    assert data.preparation is not None
    assert str(data.preparation) == "4x4 (crop), grey"
    expected = [
        np.array(Image.fromarray(row.reshape(8, 8).astype(np.uint8)).resize((4, 4), Image.Resampling.BILINEAR))
        for row in pixels
    ]
    shape = (len(pixels), -1)
    assert set(map(bytes, everything(data)[0].reshape(shape))) == set(map(bytes, np.array(expected).reshape(shape)))
    dim = write(f"label,{names}\n" + "".join(f"{k % 2}{',0.5' * 64}\n" for k in range(6)))
    with pytest.raises(
        DataError, match="holds images of 8x8 as float64, and only pictures and grey or coloured images"
    ):
        load_dataset(dim, image_size=4)


def test_pixels_among_other_columns(write: Write) -> None:
    data = load_dataset(write("label,pixel0,pixel1,pixel2,age\n" + ROWS))
    assert data.train_images.shape == (10, 4)
    assert data.notes[2].startswith("some columns are called like pixels, but age are not")


def test_wide_series(write: Write) -> None:
    path = write("label,t0,t1,t3,t2\n" + ROWS)
    data = load_dataset(path)
    assert (data.train_images.shape, data.dims) == ((10, 1, 4), 1)
    assert data.notes[1].startswith("series of 4 values in time, from the columns t0, t1, t3, t2; `columns='features'`")
    np.testing.assert_array_equal(everything(data)[0][0], [[0, 1, 0, 0]])
    two = load_dataset(write("label,x_t0,x_t1,y_t0,y_t1\n" + ROWS))
    assert two.train_images.shape == (10, 2, 2)
    assert "2 channels (x, y)" in two.notes[1]
    with pytest.raises(DataError, match=r"channels of unequal length \(x: 3, y: 1\)"):
        load_dataset(write("label,x_t0,x_t1,x_t2,y_t0\n" + ROWS))
    assert load_dataset(path, columns="features").train_images.shape == (10, 4)


def long(times: tuple[str, ...] = ("2", "0", "1")) -> str:
    """Six series of two channels; the first channel is 10 i + k, k the place of the time among the others."""
    rows = [f"s{i},{time},{10 * i + sorted(times).index(time)},{i},{'ab'[i % 2]}\n" for i in range(6) for time in times]
    return "series,time,value,other,label\n" + "".join(rows)


@pytest.mark.parametrize(
    "times",
    [("2", "0", "1"), ("2026-01-03", "2026-01-01", "2026-01-02"), ("2026-01-01T10:00:00Z", "2026-01-01T09:00:00Z")],
)
def test_long_series(write: Write, times: tuple[str, ...]) -> None:
    data = load_dataset(write(long(times)))
    values, labels = everything(data)
    expected = np.array([[10 * i + np.arange(len(times)), [i] * len(times)] for i in (0, 2, 4, 1, 3, 5)])
    np.testing.assert_array_equal(values, expected)
    assert labels.tolist() == ["a"] * 3 + ["b"] * 3
    assert data.dims == 1
    assert data.notes[1] == (
        f"6 series of {len(times)} values in long form, by `series` in the order of `time`; channels: value, other"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "s3,2,32,3,b\n",
            "",
            r"has 2 rows of the series 's3' and 3 of 's0' \(column 'series'\): series must be equally",
        ),
        ("s3,2,", "s3,1,", r"row \d+ of .* has a time \(column 'time'\) that the series 's3' has in another row"),
        ("s3,2,32,3,b", "s3,2,32,3,a", "row .* says '.' in the column 'label', but an earlier row of the series 's3'"),
        (
            "s3,2,",
            "s3,soon,",
            "row 11 of .* has 'soon' in the column 'time', expected a time as a number or as in 2026",
        ),
        ("s3,2,", "s3,nan,", r"row 11 of .* has no time \(column 'time'\): fill it in"),
        ("s3,2,32,", "s3,2,,", "row 11 of .* has no number in the column 'value'"),
    ],
)
def test_faults_of_long_series(write: Write, old: str, new: str, message: str) -> None:
    assert old in long()
    with pytest.raises(DataError, match=message):
        load_dataset(write(long().replace(old, new)))


def test_long_series_at_other_times(write: Write) -> None:
    data = load_dataset(write(long().replace("s3,2,", "s3,7,")))
    assert data.notes[1].endswith("; their times differ, and only the order of the values is kept")


def test_rows_that_are_numbered(write: Write) -> None:
    """The number of a row is no feature, and what is left out is said."""
    rows = "".join(f"{k},{k % 2},{k / 2},word,\n" for k in range(10))
    data = load_dataset(write("id,label,a,remark,nothing\n" + rows))
    assert data.train_images.shape == (8, 1)
    assert data.notes[1:3] == ("left out: id, remark, nothing", "the column 'nothing' is empty")
    saved = load_dataset(write(",label,a\n" + "".join(f"{k},{k % 2},{k / 2}\n" for k in range(10))))
    assert saved.train_images.shape == (8, 1)
    assert saved.notes[1] == "left out: (without a name)"


def test_parts_in_a_column(write: Write) -> None:
    parts = ["train"] * 4 + ["Validation"] * 2 + ["test"] * 3
    path = write("split,label,a\n" + "".join(f"{part},{k % 2},{k}\n" for k, part in enumerate(parts)))
    data = load_dataset(path)
    assert data.valid_images is not None
    assert data.valid_labels is not None
    assert (data.train_images[:, 0].tolist(), data.test_images[:, 0].tolist()) == ([0, 1, 2, 3], [6, 7, 8])
    assert (data.valid_images[:, 0].tolist(), data.valid_labels.tolist()) == ([4, 5], [0, 1])
    other = load_dataset(write("split,label,a\n" + "".join(f"{k % 3},{k % 2},{k}\n" for k in range(9))))
    assert other.notes[1] == "the column 'split' names no parts for training and test (0, 1, 2)"
    with pytest.raises(DataError, match=r"has no part for training, only test, valid"):
        load_dataset(write("split,label,a\n" + "".join(f"{part},{k % 2},{k}\n" for k, part in enumerate(parts[4:]))))


def test_forms_of_text(write: Write) -> None:
    plain = everything(load_dataset(write("label,a,b,c,d\n" + ROWS)))
    text = "label,a,b,c,d\n" + ROWS
    for name, content in (
        ("own.tsv", text.replace(",", "\t").encode()),
        ("own.csv", text.replace(",", ";").encode()),
        ("own.csv", text.replace(",", "|").encode()),
        ("own.csv", text.replace("\n", "\r\n").encode()),
        ("own.csv", text.encode("utf-8-sig")),
        ("own.csv", text.encode("utf-16")),
        ("own.csv", ("\n" + text.replace("\n", "\n\n")).encode()),
        ("own.csv", text.replace("label", '"label"').encode()),
        ("OWN.CSV.GZ", gzip.compress(text.encode())),
        ("own.csv.bz2", bz2.compress(text.encode())),
        ("own.tsv.xz", lzma.compress(text.replace(",", "\t").encode())),
        ("own.csv.zip", zipped({"folder/train.csv": text, "__MACOSX/._train.csv": "x"})),
    ):
        data = load_dataset(write(content, name))
        for values, expected in zip(everything(data), plain, strict=True):
            np.testing.assert_array_equal(values, expected)
        assert data.name.lower() == "own"


@pytest.mark.parametrize(
    ("label", "kind", "names"),
    [
        (("1", "2.0"), "i", ("1", "2")),
        (("cat", "7"), "U", ("7", "cat")),
        (("True", "False"), "U", ("False", "True")),
        (("1_0", "2_0"), "U", ("1_0", "2_0")),
    ],
)
def test_labels(write: Write, label: tuple[str, str], kind: str, names: tuple[str, ...]) -> None:
    data = load_dataset(write("a,label\n" + "".join(f"{k},{label[k % 2]}\n" for k in range(8))))
    assert data.train_labels.dtype.kind == kind
    assert data.class_names == names


def test_which_column_holds_the_labels(write: Write) -> None:
    rows = "".join(f"{k % 2},{k % 3},{k}\n" for k in range(9))
    assert load_dataset(write("class,y,a\n" + rows)).train_images.shape == (7, 2)
    assert load_dataset(write("a,Y,b\n" + rows)).class_names == ("0", "1", "2")
    assert load_dataset(write("b,Kind,a\n" + rows), label="kind").class_names == ("0", "1", "2")
    with pytest.raises(
        DataError, match=r"several columns that may hold the labels: class, target; say which with"
    ) as e:
        load_dataset(write("class,target,a\n" + rows))
    assert e.value.arguments == ("label",)
    with pytest.raises(DataError, match=r"has no column 'kinds': did you mean 'kind'\? Its columns: b, kind, a$"):
        load_dataset(write("b,kind,a\n" + rows), label="kinds")
    wide = "kind," + ",".join(f"f{k}" for k in range(30)) + "\n" + "1" + ",1" * 30
    with pytest.raises(DataError, match=r"has no column for the labels .* columns: kind, f0, f1, f2, ... f29 \(31 of"):
        load_dataset(write(wide))


FAULTS: dict[str, tuple[str | bytes, str]] = {
    "no number": ("label,a,b\n0,1,2\n1,2,\n", "row 3 of F has no number in the column 'b': fill such in"),
    "several": ("label,a,b\n0,?,2\n1,NA,\n1,1,1\n", r"row 2 of F has no number in the column 'a' \(and 2 more\)"),
    "infinite": ("label,a\n0,1\n1,inf\n", "row 3 of F has an infinite number in the column 'a'"),
    "text": ("label,a,b\n0,1,2\n\n1,2,oops\n", "row 4 of F, column 'b' holds 'oops', expected a number as in the rows"),
    "underline": ("label,a\n0,1\n1,1_0\n", "row 3 of F, column 'a' holds '1_0', expected a number"),
    "comma": ("label;a\n0;1.5\n1;1,5\n", "row 3 of F, column 'a' holds '1,5', .*: write a point in numbers, not a"),
    "commas": ("label;a;b\n0;1;\n1;2;-1,5\n", "row 3 of F, column 'b' holds '-1,5', expected a number: write a point"),
    "short row": ("label,a,b\n0,1,2\n1,2\n", "row 3 of F has 2 values, expected 3 as in the first row"),
    "long row": ("label,a,b\n0,1,2\n1,2,3,4\n", "row 3 of F has 4 values, expected 3 as in the first row"),
    "empty": ("", "F is empty, expected a row with the names of columns"),
    "blank": ("\n\n", "F is empty, expected a row with the names of columns"),
    "no rows": ("label,a\n", "F has names of columns and no row of values"),
    "one row": ("label,a\n0,1\n", "F holds 1 item, expected at least 2"),
    "no label": ("label,a\n0,1\n,2\n", "row 3 of F has no label: fill it in"),
    "no class": ("label,a\n0,1\n0.5,2\n", "row 3 of F has the label 0.5, expected classes as whole numbers"),
    "same name": ("label,a,a\n0,1,2\n", "F has several columns 'a': give each a name of its own"),
    "only text": ("label,a\n0,x\n1,y\n", "F has no column of numbers or pictures beside the labels; its"),
    "Latin 1": ("label,a\ncaf\xe9,1\n".encode("latin-1"), "row 2 of F, column 'label' holds the byte 0xe9"),
    "Latin 1 name": ("label,\xe9\n1,1\n".encode("latin-1"), "row 1 of F, column 2 holds the byte 0xe9"),
    "Latin 1 number": ("label,a\n1,1\n1,\xb2\n".encode("latin-1"), "row 3 of F, column 'a' holds the byte 0xb2"),
    "cut UTF-16": ("label,a\nx,1".encode("utf-16")[:-1], "row 2 of F is no text in UTF-16"),
    "quote": ('label,a\n"x,1\ny,2\n', r"row 2 of F cannot be read \(unexpected end of data\): look for a quote"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named_in_one_line(write: Write, fault: str) -> None:
    content, message = FAULTS[fault]
    path = write(content)
    message = re.sub(r"\bF\b", lambda match: re.escape(repr(str(path))), message, count=1)
    with pytest.raises(DataError, match=f"^{message}") as caught:
        load_dataset(path)
    assert str(caught.value).isprintable()


def test_files_that_are_not_there_or_damaged(write: Write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent.csv' does not exist, expected a table: check the path"):
        load_dataset(tmp_path / "absent.csv")
    whole = gzip.compress(("label,a\n" + "1,2\n" * 5000).encode())
    for content in (b"nonsense", whole[:-20], whole[:30] + b"\xff" * 30 + whole[60:]):
        with pytest.raises(DataError, match=r"bad.csv.gz' cannot be read \(.*\): get the file again"):
            load_dataset(write(content, "bad.csv.gz"))
    for packed, ending in ((bz2.compress(b"label,a\n1,2\n" * 99), "bz2"), (lzma.compress(b"label,a\n"), "xz")):
        for content in (b"nonsense", packed[:-9]):
            with pytest.raises(DataError, match=rf"bad.csv.{ending}' cannot be read \(.*\): get the file again"):
                load_dataset(write(content, f"bad.csv.{ending}"))
    archive = zipped({"a.csv": "label,a\n" * 99})
    for content in (b"nonsense", archive[:-9], archive.replace(b"\x08\x00", b"\x63\x00")):
        with pytest.raises(DataError, match=r"bad.csv.zip' cannot be read \(.*\): get the file again"):
            load_dataset(write(content, "bad.csv.zip"))
    for files, held in (({"a.csv": "", "b.csv": ""}, r"2 files \(a.csv, b.csv\)"), ({}, "no file")):
        with pytest.raises(DataError, match=rf"two.csv.zip' holds {held}, expected one table: unpack it, and give the"):
            load_dataset(write(zipped(files), "two.csv.zip"))
    with pytest.raises(DataError, match=r"cannot be read \(embedded null byte\): get the file again"):
        load_dataset("a\0.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"folder.csv' cannot be read \(Is a directory\)"):
        load_dataset(tmp_path / "folder.csv")


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda word: word.strip() == word and bool(word.strip())
)


@given(st.data(), st.integers(1, 4), st.sampled_from([",", ";", "\t", "|"]))
def test_what_was_written_is_read(data: st.DataObject, width: int, mark: str) -> None:
    """Any numbers and words, between any marks, with quotes where there must be some."""
    rows = data.draw(st.lists(st.tuples(WORDS, *[NUMBERS] * width), min_size=2, max_size=12))
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=mark)
    writer.writerow(["label", *(f"a{k}" for k in range(width))])
    writer.writerows([word, *map(repr, numbers)] for word, *numbers in rows)
    with TemporaryDirectory() as folder:
        path = Path(folder, "written.csv")
        path.write_text(stream.getvalue(), encoding="utf-8", newline="")
        read = load_dataset(path)
    words = [word for word, *_ in rows]
    labels = np.concatenate([read.train_labels, read.test_labels])
    values = np.concatenate([read.train_images, read.test_images])
    if labels.dtype.kind == "i":
        assert sorted(labels.tolist()) == sorted(int(float(word)) for word in words)
        words = [str(int(float(word))) for word in words]
    together = sorted((str(label), *row) for label, row in zip(labels, values.tolist(), strict=True))
    assert together == sorted((word, *numbers) for word, (_, *numbers) in zip(words, rows, strict=True))


@given(st.binary(max_size=300) | st.text(alphabet='01.,;"\n -eé_', max_size=200).map(str.encode))
def test_any_file_is_read_or_refused_in_one_line(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "any.csv")
        path.write_bytes(b"label,a\n1,2\n" + content)
        try:
            data = load_dataset(path)
        except DataError as error:
            said = str(error)
        else:
            said = repr(data)
    assert said.isprintable()


def test_rows_to_predict_without_names(write: Write) -> None:
    """As many columns as the model takes are all values; of one more, the one that can hold labels is passed over."""
    plain = write("1,0.5,0.25\n0,1.5,2.5\n", "plain.csv")
    assert [row.pixels.ravel().tolist() for row in read_table(plain, (1, 1, 3))] == [[1, 0.5, 0.25], [0, 1.5, 2.5]]
    labelled = write("1,0.5,0.25\n0,1.5,2.5\n" * 2, "labelled.csv")
    assert [row.pixels.ravel().tolist() for row in read_table(labelled, (1, 1, 2))] == [[0.5, 0.25], [1.5, 2.5]] * 2
    text = write("0.5,0.25,cat\n1.5,2.5,dog\n", "text.csv")
    assert [row.pixels.ravel().tolist() for row in read_table(text, (1, 1, 2))] == [[0.5, 0.25], [1.5, 2.5]]
    either = write("1,0.5,1\n0,1.5,0\n" * 2, "either.csv")
    with pytest.raises(DataError, match=r"of its 3 columns column 1, column 3 may all hold the labels: say which with"):
        read_table(either, (1, 1, 2))
    with pytest.raises(DataError, match=r"holds 3 values in a row \(3\), but the model takes 5"):
        read_table(plain, (1, 1, 5))
