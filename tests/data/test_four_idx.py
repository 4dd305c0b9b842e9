"""Folders with four IDX files: the MNIST family and EMNIST."""

from pathlib import Path

import numpy as np
import pytest

from quanvolve import _errors
from quanvolve.data import load_dataset
from quanvolve.data._four_idx import EMNIST, FILES
from tests.data import made
from tests.data.conftest import Family

DataError = _errors.DataError
IMAGES = made.RNG.integers(0, 256, (8, 5, 4), dtype=np.uint8)


def put(folder: Path, split: str, labels: np.ndarray) -> Path:
    for stem in EMNIST[split].stems:
        array = IMAGES if "images" in stem else labels
        (folder / f"{stem}.gz").write_bytes(made.idx(array[:3] if "-test-" in stem else array))
    return folder


def test_a_folder_of_the_mnist_family(family: Family) -> None:
    for path in (family.folder, family.folder / f"{FILES[0]}.gz", family.folder / f"{FILES[3]}.gz"):
        data = load_dataset(path)
        for part, expected in zip(
            (data.train_images, data.train_labels, data.test_images, data.test_labels), family.arrays, strict=True
        ):
            np.testing.assert_array_equal(part, expected)
        assert (data.name, data.class_names) == ("files", tuple("0123456789"))


@pytest.mark.parametrize(
    ("split", "lowest", "names"),
    [
        ("balanced", 0, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"),
        ("byclass", 0, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
        ("letters", 1, "abcdefghijklmnopqrstuvwxyz"),
        ("digits", 0, "0123456789"),
    ],
)
def test_emnist_is_turned_and_its_letters_count_from_0(tmp_path: Path, split: str, lowest: int, names: str) -> None:
    labels = np.linspace(lowest, lowest + len(names) - 1, 8).astype(int)
    data = load_dataset(put(tmp_path, split, labels))
    np.testing.assert_array_equal(data.train_images, IMAGES.transpose(0, 2, 1))
    assert data.train_images.flags.c_contiguous
    np.testing.assert_array_equal(data.test_labels, labels[:3] - lowest)
    assert (data.name, "".join(data.class_names)) == (f"emnist-{split}", names)
    put(tmp_path, split, labels + 1)
    with pytest.raises(DataError, match=rf"holds the label {lowest + len(names)}, expected {lowest} to "):
        load_dataset(tmp_path)


def test_letters_that_count_from_0_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels-idx1-ubyte\.gz' holds the label 0, expected 1 to 26"):
        load_dataset(put(tmp_path, "letters", np.arange(8)))


def test_several_sets_in_a_folder(tmp_path: Path) -> None:
    put(put(tmp_path, "digits", np.arange(8)), "letters", np.arange(1, 9))
    with pytest.raises(DataError, match="holds 2 sets of four IDX files: give a file of one of them"):
        load_dataset(tmp_path)
    assert load_dataset(tmp_path / "emnist-letters-test-labels-idx1-ubyte.gz").name == "emnist-letters"


def test_files_that_lack(tmp_path: Path) -> None:
    put(tmp_path, "digits", np.arange(8))
    first, second = (tmp_path / f"{stem}.gz" for stem in EMNIST["digits"].stems[:2])
    second.unlink()
    with pytest.raises(DataError, match=rf"' lacks {second.name}: a data set has four IDX files"):
        load_dataset(first)
    first.rename(tmp_path / "pictures-idx3-ubyte")
    with pytest.raises(DataError, match=r"pictures-idx3-ubyte' is no file of a known set of four IDX files: name it"):
        load_dataset(tmp_path / "pictures-idx3-ubyte")
