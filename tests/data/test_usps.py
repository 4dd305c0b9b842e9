"""USPS in its compressed text form."""

import bz2
import re
from pathlib import Path

import numpy as np
import pytest

from quanvolve import _errors
from quanvolve.data import load_dataset
from tests.data import made

DataError = _errors.DataError
IMAGES = np.round(made.RNG.uniform(-1, 1, (6, 16, 16)), 4).astype(np.float32)
LABELS = np.array([0, 9, 3, 3, 1, 0])
GOOD = made.usps(IMAGES, LABELS)
LINES = bz2.decompress(GOOD).splitlines(keepends=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "usps.bz2").write_bytes(GOOD)
    (tmp_path / "usps.t.bz2").write_bytes(made.usps(IMAGES[:2], LABELS[:2]))
    return tmp_path


def test_both_files_are_read_whichever_is_given(folder: Path) -> None:
    for path in (folder, folder / "usps.bz2", folder / "usps.t.bz2"):
        data = load_dataset(path)
        np.testing.assert_array_equal(data.train_images, IMAGES)
        np.testing.assert_array_equal(data.test_labels, LABELS[:2])
        assert (data.train_images.dtype, data.train_labels.dtype) == (np.float32, np.int64)
        assert (data.name, data.class_names) == ("usps", tuple("0123456789"))


def changed(line: bytes) -> bytes:
    return bz2.compress(LINES[0] + line)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: get the file again"),
        (b"1 1:0.5", "is a damaged bzip2 file"),
        (GOOD[: len(GOOD) // 2], "is a damaged bzip2 file"),
        (bz2.compress(b""), "holds no image, expected at least one"),
        (changed(LINES[1][:-40]), r"line 2 of .* is no label with the 256 values `1:value` to `256:value`"),
        (changed(b"\n"), r"line 2 of .* is no label with the 256 values"),
        (changed(LINES[1].replace(b" 2:", b" 3:")), r"line 2 of .* is no label with the 256 values"),
        (changed(LINES[1].replace(b" 2:", b" 2:x")), r"line 2 of .* is no label with the 256 values"),
        (changed(LINES[1].replace(b" 2:", b" 2:nan 3:")), r"line 2 of .* is no label with the 256 values"),
        (changed(LINES[0].replace(b"2:", b"2:1.5 2:", 1)), r"line 2 of .* is no label with the 256 values"),
        (changed(re.sub(rb" 2:\S+", b" 2:nan", LINES[1])), r"line 2 of .* is no label with the 256 values"),
        (changed(re.sub(rb" 2:\S+", b" 2:1e300", LINES[1])), r"line 2 of .* is no label with the 256 values"),
        (changed(b"inf" + LINES[1][2:]), r"line 2 of .* is no label with the 256 values"),
        (changed(b"11" + LINES[1][2:]), r"line 2 of .* has the label 11, expected 1 to 10: check that"),
        (changed(b"0" + LINES[1][2:]), r"line 2 of .* has the label 0, expected 1 to 10: check that"),
        (bz2.compress(LINES[0] * 3000), "unpacks to more than 100 times its size, which no text of numbers does"),
    ],
)
def test_files_that_are_refused(folder: Path, content: bytes, message: str) -> None:
    (folder / "usps.t.bz2").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(folder)
    assert repr(str(folder / "usps.t.bz2")) in str(caught.value)
    assert str(caught.value).isprintable()


def test_files_that_do_not_make_a_pair(folder: Path) -> None:
    (folder / "other.bz2").write_bytes(GOOD)
    with pytest.raises(DataError, match=r"other\.bz2' is a \.bz2 file, of which only USPS' usps\.bz2 and usps\.t\.bz2"):
        load_dataset(folder / "other.bz2")
    (folder / "usps.bz2").unlink()
    with pytest.raises(
        DataError, match=r"usps\.bz2' does not exist: USPS has a file to train with and one for the test"
    ):
        load_dataset(folder)
