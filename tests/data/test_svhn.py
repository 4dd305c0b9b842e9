"""SVHN, and numeric arrays of `.mat` files."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from quanvolve import _errors
from quanvolve.data import load_dataset
from quanvolve.data._blob import Blob
from quanvolve.data._mat import read_mat
from tests.data import made

DataError = _errors.DataError
IMAGES = made.colour(7, 8)
LABELS = np.array([10, 1, 2, 9, 10, 5, 3])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train_32x32.mat").write_bytes(made.mat(IMAGES, LABELS))
    (tmp_path / "test_32x32.mat").write_bytes(made.mat(IMAGES[:2], LABELS[:2], compressed=False))
    return tmp_path


def test_both_files_are_read_whichever_is_given(folder: Path) -> None:
    for path in (folder, folder / "train_32x32.mat", folder / "test_32x32.mat"):
        data = load_dataset(path)
        np.testing.assert_array_equal(data.train_images, IMAGES)
        np.testing.assert_array_equal(data.test_images, IMAGES[:2])
        assert data.train_labels.tolist() == [0, 1, 2, 9, 0, 5, 3]
        assert data.train_images.flags.c_contiguous
        assert (data.name, data.class_names) == ("svhn", tuple("0123456789"))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_arrays_are_those_that_scipy_wrote(dtype: str, compressed: bool) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    buffer = io.BytesIO()
    others = {"text": "hello", "cells": np.array([1, "a"], object), "record": {"a": 1}, "complex": np.ones(2) * 1j}
    scipy.io.savemat(buffer, {"a": array, "one": np.uint8(3), **others}, do_compression=compressed)
    found = read_mat(Blob("a.mat", "'a.mat'", buffer.getvalue()), ("a", "one"))
    np.testing.assert_array_equal(found["a"], array)
    assert found["a"].dtype == array.dtype
    assert found["one"].tolist() == [[3]]
    for name in (*others, "absent"):
        with pytest.raises(DataError, match=f"'a.mat' holds no numeric array '{name}': check that this is the right"):
            read_mat(Blob("a.mat", "'a.mat'", buffer.getvalue()), (name,))


def test_the_other_order_of_bytes() -> None:
    def element(kind: int, data: bytes) -> bytes:
        return struct.pack(">II", kind, len(data)) + data + b"\0" * (-len(data) % 8)

    matrix = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", 1, 3)) + element(1, b"a")
    matrix += element(4, struct.pack(">3H", 1, 2, 300))
    content = b"MATLAB 5.0".ljust(124) + b"\x01\x00MI" + element(14, matrix)
    found = read_mat(Blob("a.mat", "'a.mat'", content), ("a",))
    assert found["a"].tolist() == [[1, 2, 300]]
    assert found["a"].dtype == np.float64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: get the file again"),
        (b"hello" * 100, "is no .mat file of version 5 to 7: check that this is the right file"),
        (b"MATLAB 7.3 MAT-file".ljust(200), "is a .mat file of version 7.3, expected 5 to 7: save it with -v7"),
        (made.mat(IMAGES, LABELS)[:-30], "is damaged or cut short: get the file again"),
        (made.mat(IMAGES, LABELS, False)[:-30], "is damaged or cut short: get the file again"),
        (made.mat(IMAGES, LABELS)[:128], "holds no numeric array 'X'"),
        (made.mat(IMAGES, LABELS + 1), "holds the label 11, expected 1 to 10, where 10 means 0"),
        (made.mat(IMAGES, LABELS[:6]), "holds 6 labels for 7 images, expected as many"),
        (made.mat(IMAGES[:, :2], LABELS), r"holds `X` of uint8 and shape \(8, 8, 2, 7\), expected uint8 of shape \(H,"),
        (made.mat(IMAGES.astype(float), LABELS), r"holds `X` of float64 and shape \(8, 8, 3, 7\), expected uint8"),
        (
            made.mat(IMAGES[:, :, :4], LABELS),
            r"holds images of shape \(3, 4, 8\), expected \(3, 8, 8\) as in train_32x32",
        ),
    ],
)
def test_files_that_are_refused(folder: Path, content: bytes, message: str) -> None:
    (folder / "test_32x32.mat").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(folder)
    assert repr(str(folder / "test_32x32.mat")) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sizes_in_headers_are_not_believed() -> None:
    """A few bytes that claim gigabytes, in each place where a size stands."""
    header = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
    whole = made.mat(IMAGES, LABELS, compressed=False)
    at = whole.index(struct.pack("<II", 2, IMAGES.size))
    lying = {
        "element": header + struct.pack("<II", 14, 1 << 31),
        "compressed": header + struct.pack("<II", 15, 1 << 31) + zlib.compress(b"\0" * 99),
        "inside": header + struct.pack("<II", 15, 20) + zlib.compress(struct.pack("<II", 14, 1 << 31))[:20].ljust(20),
        "values": whole[:at] + struct.pack("<II", 2, 1 << 31) + whole[at + 8 :],
        "shape": whole.replace(struct.pack("<4i", 8, 8, 3, 7), struct.pack("<4i", 1 << 30, 8, 3, 7)),
        "negative": whole.replace(struct.pack("<4i", 8, 8, 3, 7), struct.pack("<4i", -8, -8, 3, 7)),
    }
    for content in lying.values():
        assert content != whole
        with pytest.raises(DataError, match=r"'a\.mat' is damaged or cut short: get the file again"):
            read_mat(Blob("a.mat", "'a.mat'", content), ("X", "y"))


def test_no_more_is_unpacked_than_an_array_says_that_it_has() -> None:
    """64 MB of zeros in some 60 kB, behind the head of an array of a hundred bytes or of 3 GB."""
    header = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
    for claimed in (100, 3 << 30):
        packed = zlib.compress(struct.pack("<II", 14, claimed) + bytes(1 << 26))
        content = header + struct.pack("<II", 15, len(packed)) + packed
        tracemalloc.start()
        with pytest.raises(DataError, match=r"'a\.mat' is damaged or cut short: get the file again"):
            read_mat(Blob("a.mat", "'a.mat'", content), ("X", "y"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20


def test_files_that_do_not_make_a_pair(folder: Path) -> None:
    (folder / "other.mat").write_bytes(made.mat(IMAGES, LABELS))
    with pytest.raises(
        DataError, match=r"other\.mat' is a \.mat file, of which only SVHN's train_32x32\.mat and test_32"
    ):
        load_dataset(folder / "other.mat")
    (folder / "test_32x32.mat").unlink()
    for path in (folder, folder / "train_32x32.mat"):
        with pytest.raises(DataError, match=r"test_32x32\.mat' does not exist: SVHN has a file to train with and one"):
            load_dataset(path)
