"""Data sets by name, from a server on this machine: the archives and files in which they are published."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quanvolve import _errors
from quanvolve.data import Dataset, load_dataset, where
from quanvolve.data._four_idx import EMNIST
from quanvolve.data.named import SPECS, _specs, _ucr
from tests.data import made
from tests.data.conftest import Web, good, status, whole
from tests.datasets import SERIES

DataError = _errors.DataError
COLOUR = made.colour(9)
GREY = made.RNG.integers(0, 256, (9, 28, 28), dtype=np.uint8)
SMALL = made.RNG.uniform(-1, 1, (9, 16, 16)).astype(np.float32)
LABELS = np.array([0, 1, 2, 3, 4, 5, 6, 7, 0])
SEVERAL = made.RNG.integers(0, 2, (9, 14))


def npz(images: np.ndarray, labels: np.ndarray) -> bytes:
    path = Path("medical.npz")
    parts = {"train": slice(0, 5), "val": slice(5, 7), "test": slice(7, 9)}
    arrays = {f"{name}_images": images[rows] for name, rows in parts.items()}
    labels = labels.reshape(len(labels), -1)
    np.savez_compressed(path, **arrays, **{f"{name}_labels": labels[rows] for name, rows in parts.items()})
    return path.read_bytes()


def emnist() -> bytes:
    files = {"gzip/readme.txt": b"hello"}
    for split in ("balanced", "letters"):
        for stem in EMNIST[split].stems:
            rows = slice(0, 6) if "-train-" in stem else slice(6, 9)
            array = GREY[rows] if "images" in stem else LABELS[rows] + EMNIST[split].first_label
            files[f"gzip/{stem}.gz"] = made.idx(array)
    return made.zipped(files)


def batches() -> bytes:
    files = {f"x/data_batch_{i}.bin": made.cifar(COLOUR[i : i + 1], LABELS[i : i + 1]) for i in range(6)}
    return made.tarred({**files, "x/test_batch.bin": made.cifar(COLOUR[6:], LABELS[6:])})


def hundred() -> bytes:
    train, test = (made.cifar(COLOUR[part], LABELS[part], LABELS[part]) for part in (slice(6), slice(6, 9)))
    return made.tarred({"x/train.bin": train, "x/test.bin": test, "x/readme.html": b"hello"})


def coffee() -> bytes:
    names = ("Coffee_TRAIN.txt", "Coffee_TEST.txt")
    return made.zipped({name: (SERIES / "Coffee" / name).read_bytes() for name in names} | {"README.md": b"hello"})


def medical(name: str) -> tuple[bytes, ...]:
    images = GREY if len(SPECS[name].info.shape) == 2 else COLOUR[:, :, :28, :28].transpose(0, 2, 3, 1)
    return (npz(images, SEVERAL if SPECS[name].task == "multilabel" else LABELS % SPECS[name].info.classes),)


def family() -> tuple[bytes, ...]:
    return made.idx(GREY[:6]), made.idx(LABELS[:6]), made.idx(GREY[6:]), made.idx(LABELS[6:])


CONTENTS: dict[str, Callable[[], tuple[bytes, ...]]] = {
    "emnist-balanced": lambda: (emnist(),),
    "emnist-letters": lambda: (emnist(),),
    "usps": lambda: (made.usps(SMALL[:6], LABELS[:6]), made.usps(SMALL[6:], LABELS[6:])),
    "cifar10": lambda: (batches(),),
    "cifar100": lambda: (hundred(),),
    "svhn": lambda: (made.mat(COLOUR[:6], LABELS[:6]), made.mat(COLOUR[6:], LABELS[6:])),
    **{name: partial(medical, name) for name, spec in SPECS.items() if "MedMNIST" in spec.info.source},
    "ucr/Coffee": lambda: (coffee(),),
}
FAMILY = dict.fromkeys(("mnist", "fashion-mnist", "kmnist"), family)


def shape_of(name: str) -> tuple[int, ...]:
    return SPECS[name].info.shape if name in SPECS else (1, 286)


def load(name: str, **asked: Any) -> Dataset:
    return load_dataset(name, **asked, task="auto")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def publish(web: Web, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, bytes]]:
    """Serve the small files of a data set at its second mirror; the first has nothing."""

    def serve(name: str) -> dict[str, bytes]:
        spec = _specs.find_spec(name)
        files = dict(zip(spec.files, {**CONTENTS, **FAMILY}[name](), strict=True))
        mirrors = (f"{web.url}/absent/", f"{web.url}/{name}/")
        if name in SPECS:
            sums = tuple(hashlib.md5(content).hexdigest() for content in files.values())
            monkeypatch.setitem(SPECS, name, replace(spec, mirrors=mirrors, md5=sums))
        else:
            changed = replace(spec, mirrors=mirrors)
            monkeypatch.setattr(_specs, "ucr_spec", lambda asked: changed)
        for file, content in files.items():
            web.serve(f"/{name}/{file}", good(content))
        return files

    return serve


Publish = Callable[[str], dict[str, bytes]]


@pytest.mark.parametrize("name", CONTENTS)
def test_download_then_cache(
    name: str, web: Web, publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = publish(name)
    assert where(name) == "to download"
    seen: set[str] = set()
    data = load(name, progress=lambda file, done, total: seen.add(file))
    assert data.name == name
    assert data.train_images.shape[1:] == shape_of(name)
    parts = [part for part in (data.train_labels, data.valid_labels, data.test_labels) if part is not None]
    assert sum(map(len, parts)) == (24 if name == "ucr/Coffee" else 9)
    for array in (data.train_images, data.train_labels, data.test_images, data.test_labels):
        assert array.flags.writeable
        assert array.flags.c_contiguous
    assert seen == set(files)
    assert len(web.requests) == 2 * len(files)
    assert where(name) == str(tmp_path / "cache" / (_specs.find_spec(name).folder or name))
    monkeypatch.setenv("QUANVOLVE_OFFLINE", "1")
    again = load(name.upper())
    np.testing.assert_array_equal(again.train_images, data.train_images)
    np.testing.assert_array_equal(again.test_labels, data.test_labels)
    assert len(web.requests) == 2 * len(files)


@pytest.mark.parametrize("name", [*CONTENTS, *FAMILY])
def test_an_interrupted_download_is_resumed(name: str, web: Web, publish: Publish) -> None:
    file, content = next(iter(publish(name).items()))
    half = len(content) // 2
    web.serve(f"/{name}/{file}", good(content, upto=half), good(content))
    assert load(name).train_images.shape[1:] == shape_of(name)
    ranges = [request.range for request in web.requests if request.path == f"/{name}/{file}"]
    assert ranges == [None, f"bytes={half}-"]


@pytest.mark.parametrize("name", [*CONTENTS, *FAMILY])
def test_another_file_is_refused(name: str, web: Web, publish: Publish, tmp_path: Path) -> None:
    file, content = next(iter(publish(name).items()))
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 0xFF
    web.serve(f"/{name}/{file}", good(bytes(damaged)))
    fault = r"a damaged \.zip archive|no complete \.zip archive" if name.startswith("ucr/") else r"wrong checksum \(MD5"
    noun = "the four files" if name in FAMILY else _specs.find_spec(name).what
    with pytest.raises(
        DataError, match=rf"could not download {file} .*; last: ({fault}).*: put {noun} in a folder and"
    ):
        load(name)
    assert not list((tmp_path / "cache").rglob("*.*"))


@pytest.mark.parametrize("name", CONTENTS)
def test_offline_without_files(
    name: str, web: Web, publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = next(iter(publish(name)))
    monkeypatch.setenv("QUANVOLVE_OFFLINE", "1")
    with pytest.raises(DataError, match=rf"{file} is not here and QUANVOLVE_OFFLINE forbids downloading it"):
        load(name)
    assert web.requests == []
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("sub", ["", "NAME"])
@pytest.mark.parametrize("name", CONTENTS)
def test_data_dir(name: str, sub: str, web: Web, publish: Publish, tmp_path: Path) -> None:
    files = publish(name)
    place = tmp_path / "own" / sub.replace("NAME", name)
    (tmp_path / "own").mkdir()
    lacking = ", ".join(files)
    if name.startswith("emnist"):
        lacking = "gzip.zip"
    with pytest.raises(DataError, match=rf"own' lacks {lacking}: put .* of {name} there, or leave out `data_dir` to "):
        load(name, data_dir=tmp_path / "own")
    place.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (place / file).write_bytes(content)
    assert where(name, tmp_path / "own") == str(place)
    assert load(name, data_dir=tmp_path / "own").train_images.shape[1:] == shape_of(name)
    assert web.requests == []


def test_a_damaged_cache(publish: Publish, tmp_path: Path) -> None:
    publish("svhn")
    load_dataset("svhn")
    (tmp_path / "cache" / "svhn" / "test_32x32.mat").write_bytes(b"hello")
    with pytest.raises(
        DataError, match=r"test_32x32\.mat' is damaged \(MD5 .*, expected .*\): delete it and run again"
    ):
        load_dataset("svhn")
    publish("ucr/Coffee")
    load_dataset("ucr/Coffee")
    (tmp_path / "cache" / "ucr" / "Coffee" / "Coffee.zip").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"Coffee\.zip' cannot be read \(.*\): it is damaged, get it again"):
        load_dataset("ucr/Coffee")


def test_what_is_in_them(publish: Publish) -> None:
    for name in (*CONTENTS, *FAMILY):
        publish(name)
    np.testing.assert_array_equal(load_dataset("kmnist").test_images, GREY[6:])
    balanced, letters = load_dataset("emnist-balanced"), load_dataset("emnist-letters")
    np.testing.assert_array_equal(balanced.train_images, GREY[:6].transpose(0, 2, 1))
    np.testing.assert_array_equal(letters.test_labels, LABELS[6:])
    assert (balanced.class_names[10], letters.class_names[0], len(letters.class_names)) == ("A", "a", 26)
    blood = load_dataset("bloodmnist")
    np.testing.assert_array_equal(blood.train_images, COLOUR[:5, :, :28, :28])
    np.testing.assert_array_equal(blood.valid_images, COLOUR[5:7, :, :28, :28])
    np.testing.assert_array_equal(blood.valid_labels, LABELS[5:7])
    assert blood.class_names[0] == "basophil"
    assert blood.notes == ("`val_images` (2 images) choose the best epoch",)
    np.testing.assert_array_equal(load_dataset("cifar10").train_images, COLOUR[:6])
    np.testing.assert_array_equal(load_dataset("svhn").test_images, COLOUR[6:])
    np.testing.assert_allclose(load_dataset("usps").train_images, SMALL[:6], atol=1e-5)
    found, expected = load_dataset("ucr/Coffee"), load_dataset(SERIES / "Coffee")
    np.testing.assert_array_equal(found.train_images, expected.train_images)
    assert found.class_names == expected.class_names


def test_both_sets_of_emnist_share_one_archive(web: Web, publish: Publish) -> None:
    publish("emnist-balanced")
    publish("emnist-letters")
    load_dataset("emnist-balanced")
    asked = len(web.requests)
    load_dataset("emnist-letters")
    assert len(web.requests) == asked


def test_unpacked_files_in_data_dir(tmp_path: Path, web: Web) -> None:
    shutil.unpack_archive(_put(tmp_path / "a.tar.gz", batches()), tmp_path / "cifar10")
    (tmp_path / "cifar10" / "x").rename(tmp_path / "cifar10" / "cifar-10-batches-bin")
    shutil.unpack_archive(_put(tmp_path / "b.zip", emnist()), tmp_path)
    shutil.unpack_archive(_put(tmp_path / "c.zip", coffee()), tmp_path / "ucr" / "Coffee")
    assert len(load_dataset("cifar10", data_dir=tmp_path).test_labels) == 3
    assert len(load_dataset("emnist-letters", data_dir=tmp_path / "gzip").test_labels) == 3
    assert len(load_dataset("ucr/coffee", data_dir=tmp_path).test_labels) == 12
    assert len(load_dataset("ucr/coffee", data_dir=tmp_path / "ucr").test_labels) == 12
    assert web.requests == []


def _put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("emnist-letters", "gzip.zip", made.zipped({"a": b"b"}), r"gzip\.zip' lacks emnist-letters-train-images-idx3"),
        (
            "cifar10",
            "cifar-10-binary.tar.gz",
            made.tarred({"a": b"b"}),
            r"lacks data_batch_1\.bin: get cifar-10-binary",
        ),
        (
            "ucr/Coffee",
            "Coffee.zip",
            made.zipped({"a": b"b"}),
            r"Coffee\.zip' lacks Coffee_TRAIN\.ts and Coffee_TEST\.ts",
        ),
    ],
)
def test_archives_of_something_else(tmp_path: Path, name: str, file: str, content: bytes, message: str) -> None:
    _put(tmp_path / file, content)
    with pytest.raises(DataError, match=message):
        load_dataset(name, data_dir=tmp_path)


def test_medical_images_that_do_not_fit(tmp_path: Path) -> None:
    _put(tmp_path / "pneumoniamnist.npz", npz(np.zeros((9, 64, 64), np.uint8), LABELS % 2))
    with pytest.raises(
        DataError, match=r"holds images of shape \(64, 64\), expected \(28, 28\): check that this is pneu"
    ):
        load_dataset("pneumoniamnist", data_dir=tmp_path)
    _put(tmp_path / "pneumoniamnist.npz", npz(GREY, LABELS))
    with pytest.raises(DataError, match=r"holds other labels than 0 to 1: check that this is pneumoniamnist"):
        load_dataset("pneumoniamnist", data_dir=tmp_path)


def test_several_labels_for_one_image(web: Web, publish: Publish, tmp_path: Path) -> None:
    publish("chestmnist")
    for asked in ({}, {"task": "regression"}):
        with pytest.raises(
            DataError, match=r"'chestmnist' has several labels for one image, and `task` is .*: say"
        ) as e:
            load_dataset("chestmnist", **asked)
        assert e.value.arguments == ("task",)
    assert web.requests == []
    data = load_dataset("chestmnist", task="multilabel")
    assert (data.task, data.train_labels.shape, data.class_names[-1]) == ("multilabel", (5, 14), "hernia")
    np.testing.assert_array_equal(data.valid_labels, SEVERAL[5:7])
    _put(tmp_path / "chestmnist.npz", npz(GREY, SEVERAL[:, 1:]))
    with pytest.raises(DataError, match=r"holds labels of shape \(5, 13\), expected 0 or 1 for each of 14: check that"):
        load_dataset("chestmnist", data_dir=tmp_path, task="auto")


def test_every_data_set_with_a_name_is_served_here() -> None:
    assert {*CONTENTS, *FAMILY} == {*SPECS, "ucr/Coffee"}


def test_the_twelve_sets_of_medical_images() -> None:
    names = {name for name, spec in SPECS.items() if "MedMNIST" in spec.info.source}
    assert len(names) == 12
    assert {"pathmnist", "organsmnist"} <= names
    assert all(SPECS[name].files == (f"{name}.npz",) for name in names)


@pytest.mark.parametrize("length", [True, False])
def test_without_a_checksum_an_archive_cut_short_is_noticed(web: Web, publish: Publish, length: bool) -> None:
    ((file, content),) = publish("ucr/Coffee").items()
    web.serve(f"/ucr/Coffee/{file}", whole(content[:-50], length))
    with pytest.raises(DataError, match=r"no complete \.zip archive \(File is not a zip file\) from"):
        load_dataset("ucr/Coffee")
    web.serve(f"/ucr/Coffee/{file}", status(500))
    with pytest.raises(DataError, match=r"last: HTTP 500 from .*: put Coffee\.zip in a folder"):
        load_dataset("ucr/Coffee")


def test_addresses_of_the_archive_of_series() -> None:
    spec = _ucr.ucr_spec("ucr/GunPoint")
    assert [mirror + file for mirror in spec.mirrors[:1] for file in spec.files] == [
        "https://timeseriesclassification.com/aeon-toolkit/GunPoint.zip"
    ]
