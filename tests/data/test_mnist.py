"""The MNIST family: where the files are looked for, and what is checked once they are read."""

import gzip
import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quanvolve import _errors
from quanvolve.data import Dataset, load_dataset, where, write_idx
from quanvolve.data._four_idx import FILES
from quanvolve.data.named import SPECS
from tests.data.conftest import Family, Web, good, status

DataError = _errors.DataError
FAMILY = ["mnist", "fashion-mnist", "kmnist"]


@pytest.fixture
def mirrored(web: Web, family: Family, monkeypatch: pytest.MonkeyPatch) -> Web:
    """Every data set of the family has two mirrors; the first has nothing."""
    for name in FAMILY:
        mirrors = (f"{web.url}/absent/", f"{web.url}/{name}/")
        monkeypatch.setitem(SPECS, name, replace(SPECS[name], mirrors=mirrors, md5=family.md5))
    for name in FAMILY:
        for stem in FILES:
            web.serve(f"/{name}/{stem}.gz", good((family.folder / f"{stem}.gz").read_bytes()))
    return web


def check(data: Dataset, family: Family) -> None:
    parts = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    for part, expected in zip(parts, family.arrays, strict=True):
        np.testing.assert_array_equal(part, expected)
    assert data.train_images.dtype == data.test_images.dtype == np.uint8
    assert data.train_labels.dtype == data.test_labels.dtype == np.int64


def unpack(folder: Path) -> None:
    for path in folder.glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()


@pytest.mark.parametrize("name", FAMILY)
def test_download_then_cache(
    mirrored: Web, family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert where(name) == "to download"
    seen: list[str] = []
    data = load_dataset(name, progress=lambda file, done, total: seen.append(file))
    check(data, family)
    assert data.name == name
    assert len(data.class_names) == 10
    assert sorted(set(seen)) == sorted(f"{stem}.gz" for stem in FILES)
    assert len(mirrored.requests) == 8
    assert where(name) == str(tmp_path / "cache" / name)
    monkeypatch.setenv("QUANVOLVE_OFFLINE", "1")
    check(load_dataset(name), family)
    assert len(mirrored.requests) == 8


def test_only_what_the_cache_lacks_is_loaded(mirrored: Web, family: Family, tmp_path: Path) -> None:
    shutil.copytree(family.folder, tmp_path / "cache" / "mnist")
    (tmp_path / "cache" / "mnist" / f"{FILES[3]}.gz").unlink()
    assert where("mnist") == "to download"
    check(load_dataset("mnist"), family)
    assert {request.path for request in mirrored.requests} == {
        f"/{place}/{FILES[3]}.gz" for place in ("absent", "mnist")
    }


def test_download_fails(mirrored: Web, tmp_path: Path) -> None:
    mirrored.serve(f"/mnist/{FILES[2]}.gz", status(503))
    message = (
        f"could not download {FILES[2]}.gz (tried 2 mirrors; last: HTTP 503 from {mirrored.url}/mnist/{FILES[2]}.gz): "
        "put the four files in a folder and pass `data_dir=DIR`, or use the bundled 'digits'"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load_dataset("mnist")
    assert sorted(path.name for path in (tmp_path / "cache" / "mnist").iterdir()) == [
        f"{FILES[0]}.gz",
        f"{FILES[1]}.gz",
    ]


def test_offline_without_files(mirrored: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANVOLVE_OFFLINE", "1")
    with pytest.raises(DataError, match=rf"{FILES[0]}\.gz is not here and QUANVOLVE_OFFLINE forbids downloading it"):
        load_dataset("mnist")
    assert mirrored.requests == []
    assert not (tmp_path / "cache").exists()


def test_damaged_cache(mirrored: Web, tmp_path: Path) -> None:
    load_dataset("mnist")
    path = tmp_path / "cache" / "mnist" / f"{FILES[0]}.gz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{FILES[0]}\.gz' is damaged \(MD5 .*, expected .*\): delete it and run"):
        load_dataset("mnist")
    path.unlink()
    assert load_dataset("mnist").train_images.shape == (200, 8, 8)


def test_folder_in_place_of_a_cached_file(mirrored: Web, tmp_path: Path) -> None:
    (tmp_path / "cache" / "mnist" / f"{FILES[0]}.gz").mkdir(parents=True)
    with pytest.raises(DataError, match=rf"{FILES[0]}\.gz' cannot be read \(Is a directory\): delete it and run again"):
        load_dataset("mnist")
    assert mirrored.requests == []


@pytest.mark.parametrize("sub", ["", "mnist"])
@pytest.mark.parametrize("form", ["gz", "plain", "dot", "dot plain"])
def test_data_dir(family: Family, tmp_path: Path, form: str, sub: str) -> None:
    place = tmp_path / "own" / sub
    shutil.copytree(family.folder, place)
    if "plain" in form:
        unpack(place)
    if "dot" in form:
        for path in place.iterdir():
            path.rename(place / path.name.replace("-idx", ".idx"))
    check(load_dataset("mnist", data_dir=tmp_path / "own"), family)
    assert where("mnist", tmp_path / "own") == str(place)
    assert not (tmp_path / "cache").exists()


def test_data_dir_wins(mirrored: Web, family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANVOLVE_DATA", str(tmp_path / "elsewhere"))
    check(load_dataset("mnist", data_dir=str(family.folder)), family)
    assert mirrored.requests == []


def test_data_dir_without_files_is_no_download(mirrored: Web, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    with pytest.raises(DataError) as caught:
        load_dataset("mnist", data_dir=tmp_path / "own")
    assert str(caught.value) == (
        f"the data folder {str(tmp_path / 'own')!r} lacks train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
        f"t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz: put the four IDX files of mnist there, or leave out "
        f"`data_dir` to download them"
    )
    assert where("mnist", tmp_path / "own") == f"not in {tmp_path / 'own'}"
    assert mirrored.requests == []


def test_data_dir_with_some_files(family: Family) -> None:
    (family.folder / f"{FILES[1]}.gz").unlink()
    with pytest.raises(DataError, match=r"lacks train-labels-idx1-ubyte\.gz: put the four"):
        load_dataset("mnist", data_dir=family.folder)


def test_data_dir_absent(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the data folder '.*own' does not exist: put the four IDX files of kmnist"):
        load_dataset("kmnist", data_dir=tmp_path / "own")


def test_environment_folder(mirrored: Web, family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANVOLVE_DATA", str(tmp_path / "own"))
    shutil.copytree(family.folder, tmp_path / "own" / "fashion-mnist")
    check(load_dataset("fashion-mnist"), family)
    assert where("fashion-mnist") == str(tmp_path / "own" / "fashion-mnist")
    assert mirrored.requests == []
    assert where("mnist") == "to download"
    check(load_dataset("mnist"), family)
    assert len(mirrored.requests) == 8


@pytest.mark.parametrize("plain", [False, True])
def test_files_of_another_data_set(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: bool
) -> None:
    """All data sets of the family use the same names; their checksums tell them apart."""
    monkeypatch.setitem(SPECS, "mnist", replace(SPECS["mnist"], md5=family.md5))
    if plain:
        unpack(family.folder)
        monkeypatch.setattr(
            "quanvolve.data.named._store.UNPACKED_LABELS",
            {hashlib.md5((family.folder / FILES[1]).read_bytes()).hexdigest(): "mnist"},
        )
    check(load_dataset("mnist", data_dir=family.folder), family)
    with pytest.raises(DataError, match=r"the data folder '.*' holds mnist, expected kmnist: put the four IDX"):
        load_dataset("kmnist", data_dir=family.folder)
    monkeypatch.setenv("QUANVOLVE_DATA", str(family.folder))
    assert where("mnist") == str(family.folder)
    assert where("kmnist") == "to download"


IMAGES, LABELS = np.zeros((3, 4, 4), np.uint8), np.array([0, 9, 1], np.uint8)


@pytest.mark.parametrize(
    ("changed", "array", "message"),
    [
        (
            0,
            IMAGES.astype(np.int16),
            "train-images-idx3-ubyte' holds int16 of shape (3, 4, 4), expected uint8 of rank 3",
        ),
        (
            0,
            LABELS,
            "train-images-idx3-ubyte' holds uint8 of shape (3,), expected uint8 of rank 3 and not empty",
        ),
        (
            1,
            IMAGES,
            "train-labels-idx1-ubyte' holds uint8 of shape (3, 4, 4), expected uint8 of rank 1 and not empty",
        ),
        (
            2,
            IMAGES[:0],
            "t10k-images-idx3-ubyte' holds uint8 of shape (0, 4, 4), expected uint8 of rank 3 and not",
        ),
        (
            1,
            LABELS[:2],
            "train-labels-idx1-ubyte' holds 2 labels, expected 3 as there are images in train-images-idx3",
        ),
        (
            3,
            LABELS[[0, 1, 2, 0]],
            "t10k-labels-idx1-ubyte' holds 4 labels, expected 3 as there are images in t10k-",
        ),
        (3, LABELS + np.uint8(1), "t10k-labels-idx1-ubyte' holds the label 10, expected 0 to 9"),
        (
            2,
            IMAGES[:, :3],
            "t10k-images-idx3-ubyte' holds images of (3, 4) pixels, expected (4, 4) as in train-images",
        ),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, changed: int, array: np.ndarray, message: str) -> None:
    for i, (stem, fitting) in enumerate(zip(FILES, (IMAGES, LABELS) * 2, strict=True)):
        write_idx(tmp_path / stem, array if i == changed else fitting)
    with pytest.raises(DataError, match=re.escape(message)):
        load_dataset("mnist", data_dir=tmp_path)


def test_truncated_file_in_data_dir(family: Family) -> None:
    path = family.folder / f"{FILES[0]}.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=rf"{FILES[0]}\.gz' is a damaged gzip file"):
        load_dataset("mnist", data_dir=family.folder)


def test_specs_are_complete() -> None:
    sums = [md5 for name in FAMILY for md5 in SPECS[name].md5]
    assert len(set(sums)) == 12
    assert all(re.fullmatch("[0-9a-f]{32}", md5) for md5 in sums)
    for name in FAMILY:
        spec = SPECS[name]
        assert spec.name == name
        assert len(set(spec.class_names)) == 10
        assert all(re.fullmatch(r"https?://\S+/", mirror) for mirror in spec.mirrors)
