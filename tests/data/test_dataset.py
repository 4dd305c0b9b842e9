"""`Dataset`, the digits, the cache folder, and what importing the room loads."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows
from sklearn import datasets

from quanvolve import _errors
from quanvolve.data import Dataset, cache_dir, load_digits

DataError = _errors.DataError


@pytest.fixture
def small() -> Dataset:
    images, labels = np.arange(6 * 3 * 4).reshape(6, 1, 3, 4), np.arange(6) % 2
    return Dataset("small", images, labels, images[:4], labels[:4], ("even", "odd"))


def test_repr(small: Dataset) -> None:
    assert repr(small) == "Dataset('small': 6 train + 4 test, 1x3x4 int64, 2 classes)"


def test_subset_takes_the_first(small: Dataset) -> None:
    part = small.subset(2, 1)
    np.testing.assert_array_equal(part.train_images, small.train_images[:2])
    np.testing.assert_array_equal(part.test_labels, small.test_labels[:1])
    assert (part.name, part.class_names) == ("small", ("even", "odd"))
    assert len(small.train_labels) == 6


def test_subset_of_more_than_there_is(small: Dataset) -> None:
    assert len(small.subset(100).train_labels) == 6
    assert len(small.subset(None, np.int64(2)).test_labels) == 2


@pytest.mark.parametrize("count", [0, -1, 1.5])
def test_subset_of_nothing(small: Dataset, count: int) -> None:
    with pytest.raises(
        DataError, match=rf"`n_train` \(={count}\) must be a whole number of at least 1.* 6 train images"
    ):
        small.subset(count, 1)
    with pytest.raises(DataError, match=rf"`n_test` \(={count}\) must be a whole number of at least 1.* 4 test images"):
        small.subset(1, count)


def test_one_label_an_image() -> None:
    with pytest.raises(DataError, match=r"data set 'odd': `test_images` has shape \(3, 2, 2\) and `test_labels` has"):
        Dataset("odd", np.zeros((2, 2, 2)), np.zeros(2), np.zeros((3, 2, 2)), np.zeros(2), ())


def test_digits() -> None:
    data, again = load_digits(), load_digits()
    assert data.train_images.dtype == np.float32
    assert data.train_labels.dtype == np.int64
    assert (data.train_images.shape, data.test_images.shape) == ((1437, 8, 8), (360, 8, 8))
    assert (data.train_images.min(), data.train_images.max()) == (0, 1)
    np.testing.assert_array_equal(data.test_images, again.test_images)
    everything = np.concatenate([data.train_labels, data.test_labels])
    counts = np.bincount(datasets.load_digits().target)
    assert np.bincount(everything).tolist() == counts.tolist()
    # The same share of each class, to the nearest image.
    assert np.abs(np.bincount(data.test_labels) - counts * 360 / 1797).max() < 1


def test_importing_is_light() -> None:
    heavy = "('torch', 'sklearn', 'pennylane', 'matplotlib', 'PIL', 'pandas')"
    code = f"import sys, quanvolve.data; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cache_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_dir() == tmp_path / "cache"
    monkeypatch.delenv("QUANVOLVE_CACHE")
    # Where it was before platformdirs was asked: nobody's files are downloaded anew.
    before = {
        Unix: tmp_path / ".cache" / "quanvolve",
        MacOS: tmp_path / "Library" / "Caches" / "quanvolve",
        Windows: tmp_path / "local" / "quanvolve",
    }
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("platformdirs.windows.get_win_folder", lambda name: str(tmp_path / "local"))
    for system, folder in before.items():
        monkeypatch.setattr("platformdirs.PlatformDirs", system)
        assert cache_dir() == folder
    monkeypatch.setattr("platformdirs.PlatformDirs", Unix)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_dir() == tmp_path / ".cache" / "quanvolve"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "quanvolve"
