"""Data sets by name."""

import re
from pathlib import Path

import numpy as np
import pytest

from quanvolve import _errors
from quanvolve.data import dataset_key, list_datasets, load_dataset, where
from quanvolve.data._mnist import SPECS

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
        assert (infos[name].images, infos[name].shape) == (70000, (28, 28))
        assert infos[name].classes == len(spec.class_names)
        assert infos[name].source
        assert infos[name].licence


def test_spelling() -> None:
    assert load_dataset("Digits").name == "digits"
    assert where("Fashion_MNIST") == "to download"
    assert dataset_key("Fashion_MNIST") == "fashion-mnist"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("digit", "did you mean 'digits'? "),
        ("fashionmnist", "did you mean 'fashion-mnist'"),
        ("imagenet-xxl", ""),
        ("", ""),
        ("x" * 5000, ""),
        ("mnist\0", "did you mean 'mnist'"),
    ],
)
def test_unknown_name(name: str, hint: str) -> None:
    for ask in (load_dataset, where, dataset_key):
        with pytest.raises(DataError, match=re.escape(f"unknown data set {name!r}: {hint}")) as caught:
            ask(name)
        known = "Known: digits, moons, mnist, fashion-mnist, kmnist, or the path of an .npz or .ts file, or of a folder"
        assert str(caught.value).endswith(
            f"{known} with pictures in folders of classes, or with NAME_TRAIN.ts and NAME_TEST.ts"
        )
        assert ("did you mean" in str(caught.value)) == bool(hint)


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
