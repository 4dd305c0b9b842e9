"""Time series, volumes and moons."""

from pathlib import Path

import numpy as np
import pytest

from quanvolve._errors import DataError
from quanvolve.data import load_dataset, load_moons, load_npz, load_series, where
from tests.datasets import SERIES


def test_text_and_arrays_hold_the_same_series() -> None:
    text, arrays = load_dataset(SERIES / "ArrowHead"), load_dataset(SERIES / "ArrowHead" / "ArrowHead.npz")
    assert text.dims == arrays.dims == 1
    assert text.train_images.shape == (6, 1, 251)
    assert arrays.test_images.shape == (6, 251)
    np.testing.assert_allclose(text.train_images[:, 0], arrays.train_images, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(text.train_labels, arrays.train_labels)
    np.testing.assert_array_equal(text.test_labels, arrays.test_labels)
    assert text.name == "ArrowHead"
    assert text.class_names == ("0", "1", "2")


def test_the_older_form_with_the_label_first() -> None:
    text, arrays = load_dataset(SERIES / "Coffee"), load_dataset(SERIES / "Coffee" / "Coffee.npz")
    np.testing.assert_allclose(text.test_images[:, 0], arrays.test_images, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(text.train_labels, arrays.train_labels)


def _write(folder: Path, train: str, test: str | None = None, name: str = "Own") -> Path:
    (folder / f"{name}_TRAIN.ts").write_text(train)
    if test is not None:
        (folder / f"{name}_TEST.ts").write_text(test)
    return folder / f"{name}_TRAIN.ts"


GOOD = "# a comment\n@problemName Own\n@data\n1,2,3:4,5,6:up\n0.5,-1,2e3:1,1,1:down\n"


def test_several_channels_and_labels_as_words(tmp_path: Path) -> None:
    path = _write(tmp_path, GOOD, GOOD)
    for given in (path, tmp_path, tmp_path / "Own_TEST.ts"):
        found = load_series(given)
        assert found.train_images.shape == (2, 2, 3)
        assert found.train_images[1, 0].tolist() == [0.5, -1.0, 2000.0]
        assert found.train_labels.tolist() == ["up", "down"]
        assert found.class_names == ("down", "up")
    assert where(path) == str(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2:a\n", "has no line @data, expected one before the series"),
        ("@data\n", "holds no series, expected at least one: it is cut short"),
        ("@data\n1,2:a\n1,2\n", r"line 3 of .* has no label, expected values, then a colon and the label"),
        ("@data\n1,2:a\n1,2,3:a\n", r"line 3 of .* has \[3\] values in its channels, expected \[2\] as in the first"),
        ("@data\n1,2:a\n1,?:a\n", r"line 3 of .* has '\?' where a number was expected: fill in missing values"),
        ("@data\n1,2:1,2,3:a\n", r"line 2 of .* has \[2, 3\] values in its channels, expected \[2, 2\]"),
        ("@data\n1,nan:a\n1,2:a\n", "holds 1 NaN or infinite pixel out of 4"),
    ],
)
def test_damaged_files_are_named_with_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_series(_write(tmp_path, text, GOOD))


def test_files_that_do_not_make_a_pair(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"holds no NAME_TRAIN\.ts, \.tsv, \.txt or \.arff: give the folder of a data set"
    ):
        load_series(tmp_path)
    path = _write(tmp_path, GOOD)
    with pytest.raises(DataError, match=r"Own_TEST.ts' does not exist: a data set has a file for training and one for"):
        load_series(path)
    _write(tmp_path, GOOD, "@data\n1,2:a\n")
    with pytest.raises(DataError, match=r"holds series of 1 channel\(s\) and 2 values, expected 2 channel\(s\) and 3"):
        load_series(path)
    _write(tmp_path, GOOD, GOOD, name="Other")
    with pytest.raises(DataError, match=r"holds 2 files \*_TRAIN.ts: give one of them"):
        load_series(tmp_path)
    (tmp_path / "plain.ts").write_text(GOOD)
    with pytest.raises(DataError, match="does not end with _TRAIN or _TEST"):
        load_series(tmp_path / "plain.ts")
    (tmp_path / "Own_TRAIN.ts").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"cannot read .*: it is not text"):
        load_series(path)


def test_volumes(tmp_path: Path) -> None:
    arrays = {"train_volumes": np.zeros((4, 3, 4, 5)), "test_volumes": np.ones((2, 3, 4, 5))}
    labels = {"train_labels": np.arange(4) % 2, "test_labels": np.arange(2)}
    np.savez(tmp_path / "v.npz", **arrays, **labels)
    found = load_npz(tmp_path / "v.npz")
    assert found.dims == 3
    assert found.train_images.shape == (4, 3, 4, 5)
    np.savez(tmp_path / "w.npz", train_volumes=np.zeros((4, 3)), test_volumes=np.zeros((2, 3)), **labels)
    with pytest.raises(DataError, match=r"has the shape \(4, 3\), expected \(n, D, H, W\) or \(n, C, D, H, W\)"):
        load_npz(tmp_path / "w.npz")


def test_moons_are_always_the_same() -> None:
    first, second = load_moons(), load_dataset("moons")
    assert first.dims == 1
    np.testing.assert_array_equal(first.train_images, second.train_images)
    assert np.bincount(first.train_labels).min() > 300
