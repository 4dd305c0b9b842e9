"""Data sets by name."""

import re
from pathlib import Path

import numpy as np
import pytest

from quanvolve import _errors
from quanvolve.data import dataset_key, list_datasets, list_ucr, load_dataset, source_of, where
from quanvolve.data.named import SPECS

DataError = _errors.DataError


def test_every_name_has_a_loader() -> None:
    infos = {info.name: info for info in list_datasets()}
    assert set(infos) == {"digits", "moons", *SPECS}
    digits = load_dataset("digits")
    info = infos["digits"]
    assert info.images == len(digits.train_labels) + len(digits.test_labels)
    assert info.shape == digits.train_images.shape[1:]
    assert info.classes == len(digits.class_names)
    for name, spec in SPECS.items():
        assert infos[name].images >= 780
        assert infos[name].shape in ((28, 28), (16, 16), (3, 28, 28), (3, 32, 32))
        assert infos[name].classes == len(spec.class_names) == len(set(spec.class_names))
        assert len(spec.md5) == len(spec.files)
        assert all(re.fullmatch("[0-9a-f]{32}", str(md5)) for md5 in spec.md5)
        assert all(re.fullmatch(r"https?://\S+/", mirror) for mirror in spec.mirrors)
        assert infos[name].source
        assert infos[name].licence


def test_spelling() -> None:
    assert load_dataset("Digits").name == "digits"
    assert where("Fashion_MNIST") == "to download"
    assert dataset_key("Fashion_MNIST") == "fashion-mnist"
    assert dataset_key("ucr/COFFEE") == "ucr/Coffee"
    assert "UCR" in source_of("ucr/Coffee")
    assert where("UCR/gunpoint") == "to download"


def test_the_archive_of_series() -> None:
    names = list_ucr()
    assert len(set(names)) == 128
    assert {"ucr/Coffee", "ucr/GunPoint", "ucr/Yoga"} <= set(names)
    assert not set(names) & {info.name for info in list_datasets()}


def test_a_folder_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert dataset_key("ucr/Coffee") == "ucr/Coffee"
    (tmp_path / "ucr" / "Coffee").mkdir(parents=True)
    assert dataset_key("ucr/Coffee") == Path("ucr/Coffee")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("digit", "did you mean 'digits'? "),
        ("fashionmnist", "did you mean 'fashion-mnist'"),
        ("imagenet-xxl", ""),
        ("", ""),
        ("x" * 5000, ""),
        ("mnist\0", "did you mean 'mnist'"),
        ("bloodminst", "did you mean 'bloodmnist'"),
        ("ucr/Cofee", "did you mean 'ucr/Coffee'"),
        ("EMNIST", "did you mean 'emnist-balanced' or 'emnist-letters'? "),
    ],
)
def test_unknown_name(name: str, hint: str) -> None:
    for ask in (load_dataset, where, dataset_key):
        with pytest.raises(DataError, match=re.escape(f"unknown data set {name!r}: {hint}")) as caught:
            ask(name)
        known = ", ".join(info.name for info in list_datasets())
        assert f"Known: {known}, ucr/NAME for the UCR archive, or the path of an .npz file, " in str(caught.value)
        assert ("did you mean" in str(caught.value)) == bool(hint)


def test_a_path_that_is_not_there() -> None:
    with pytest.raises(
        DataError, match=r"^'photos/animals' does not exist: check the path; known: an \.npz file, series"
    ):
        load_dataset("photos/animals")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.zip", "an archive: unpack it, and give the folder"),
        ("a.tar.gz", "an archive: unpack it, and give the folder"),
        ("a.PNG", "one picture: give the folder with all of them, those of each class in a folder of its own"),
        ("a.npy", "one array, without labels: save the images and labels together with np.savez"),
        ("a.xlsx", "a spreadsheet: save it as .csv"),
        ("a.pkl", "pickled objects, which are never loaded: save arrays with np.savez"),
        ("a.json", "no table that is read here: save it as .parquet or .csv"),
        ("a.h5", "a file of arrays that is not read here: save the images and labels with np.savez"),
        ("a.heic", "a picture in a format that is not read: convert it to PNG or JPEG"),
        ("a.thing", "a file of an unknown kind; known: an .npz file, series as .ts, .tsv, .txt or .arff, four IDX"),
    ],
)
def test_files_that_are_not_read(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(b"hello")
    with pytest.raises(DataError, match=re.escape(f"{name}' is {said}")) as caught:
        load_dataset(tmp_path / name)
    assert "pandas" not in str(caught.value)


def test_npz_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "own.npz", X=np.zeros((10, 4, 4)), y=np.arange(10) % 2)
    (tmp_path / "bare").write_bytes((tmp_path / "own.npz").read_bytes())
    for path in (tmp_path / "own.npz", str(tmp_path / "own.npz"), tmp_path / "bare"):
        assert load_dataset(path).train_images.shape == (8, 4, 4)
        assert where(path) == str(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert load_dataset("own.npz").name == "own"
    assert where("own.npz") == "."
    assert (dataset_key("own.npz"), dataset_key("bare")) == (Path("own.npz"), Path("bare"))
    # Whether an .npz file is there is for others to say.
    assert dataset_key("absent.npz") == Path("absent.npz")


def test_npz_file_that_is_not_there(tmp_path: Path) -> None:
    for ask in (load_dataset, where):
        with pytest.raises(DataError, match=r"absent\.npz' does not exist, expected an \.npz file: check the path"):
            ask(tmp_path / "absent.npz")


def test_places(tmp_path: Path) -> None:
    assert where("digits") == "bundled"
    assert where("digits", tmp_path) == "bundled"
    assert where("kmnist") == "to download"
    assert where("kmnist", tmp_path) == f"not in {tmp_path}"
    assert where("kmnist", tmp_path / "absent") == f"not in {tmp_path / 'absent'}"
