"""Feature maps of arrays on disk: whole, resumable, and never of something else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from quanvolve import QuanvTransformer
from quanvolve._errors import DataError, ModelError, QuanvolveError
from quanvolve.estimators import _disk as disk
from quanvolve.estimators import transform_on_disk
from tests.waiting import PATIENCE, until


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (150, 8, 8), dtype=np.uint8)


@pytest.fixture
def transformer(images: np.ndarray) -> QuanvTransformer:
    return QuanvTransformer(n_filters=1, random_state=0).fit(images)


@pytest.mark.parametrize("into", ["npy", "zarr"])
@pytest.mark.parametrize("source", ["npy", "zarr"])
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_they_are_those_of_transform(into: str, source: str, dtype: str, images: np.ndarray, tmp_path: Path) -> None:
    given = images if dtype == "uint8" else images / 255
    transformer = QuanvTransformer(n_filters=1, random_state=0).fit(given)
    path = tmp_path / f"images.{source}"
    if source == "npy":
        np.save(path, given)
    else:
        zarr.create_array(str(path), shape=given.shape, chunks=(40, 8, 8), dtype=given.dtype)[:] = given
    told: list[tuple[int, int]] = []
    found = transform_on_disk(
        transformer, path, tmp_path / f"maps.{into}", block=32, progress=lambda *done: told.append(done)
    )
    expected = transformer.transform(given)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(np.asarray(found[:]), expected)
    assert told == [(n, 150) for n in (0, 32, 64, 96, 128, 150)]
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"images.{source}", f"maps.{into}"]


def test_an_interruption_costs_one_block(
    images: np.ndarray, transformer: QuanvTransformer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "i.npy", images)
    real, done = disk.do_block, []

    def interrupted(*arguments: Any) -> int:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(arguments[4])
        return real(*arguments)

    monkeypatch.setattr(disk, "do_block", interrupted)
    with pytest.raises(KeyboardInterrupt):
        transform_on_disk(transformer, tmp_path / "i.npy", tmp_path / "m.npy", block=32)
    assert not (tmp_path / "m.npy").exists()
    assert json.loads((tmp_path / "m.npy.part.json").read_text())["done"] == [0, 32, 64]
    again: list[int] = []
    monkeypatch.setattr(disk, "do_block", lambda *a: (again.append(a[4]), real(*a))[1])
    found = transform_on_disk(transformer, tmp_path / "i.npy", tmp_path / "m.npy", block=32)
    assert again == [96, 128]
    np.testing.assert_array_equal(found, transformer.transform(images))


def test_chunks_that_a_killed_writer_has_begun_are_not_kept(
    images: np.ndarray, transformer: QuanvTransformer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "i.npy", images)

    def killed(transformer: Any, source: Path, part: Path, *_: Any) -> int:
        (part / "c" / "0").mkdir(parents=True)
        (part / "c" / "0" / "0.7a8bffd1b8424ed7.partial").write_bytes(b"begun")  # where zarr writes before it renames
        raise KeyboardInterrupt

    real = disk.do_block
    monkeypatch.setattr(disk, "do_block", killed)
    with pytest.raises(KeyboardInterrupt):
        transform_on_disk(transformer, tmp_path / "i.npy", tmp_path / "m.zarr", block=32)
    monkeypatch.setattr(disk, "do_block", real)
    found = transform_on_disk(transformer, tmp_path / "i.npy", tmp_path / "m.zarr", block=32)
    np.testing.assert_array_equal(found[:], transformer.transform(images))
    assert list((tmp_path / "m.zarr").rglob("*.partial")) == []


def test_kill_9_and_again(images: np.ndarray, tmp_path: Path) -> None:
    many = np.tile(images, (40, 1, 1))
    np.save(tmp_path / "i.npy", many)
    code = f"""
import numpy as np
from quanvolve import QuanvTransformer
from quanvolve.estimators import transform_on_disk
transformer = QuanvTransformer(n_filters=1, random_state=0).fit(np.load({str(tmp_path / "i.npy")!r})[:150])
transform_on_disk(transformer, {str(tmp_path / "i.npy")!r}, {str(tmp_path / "m.npy")!r}, block=16)
"""
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": "1"})
    state = tmp_path / "m.npy.part.json"
    until(lambda: state.exists() and len(json.loads(state.read_text())["done"]) > 5, "some blocks are done", process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "m.npy").exists()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)
    transformer = QuanvTransformer(n_filters=1, random_state=0).fit(many[:150])
    np.testing.assert_array_equal(np.load(tmp_path / "m.npy"), transformer.transform(many))


def test_what_was_begun_with_something_else_is_refused(
    images: np.ndarray, transformer: QuanvTransformer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "i.npy", images)

    def stop(*_: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(disk, "do_block", stop)
        with pytest.raises(KeyboardInterrupt):
            transform_on_disk(transformer, tmp_path / "i.npy", tmp_path / "m.npy", block=32)
    other = QuanvTransformer(n_filters=1, random_state=1).fit(images)
    for own, block in ((other, 32), (transformer, 16)):
        with pytest.raises(ModelError, match="was begun with other images, another transformer or another `block`"):
            transform_on_disk(own, tmp_path / "i.npy", tmp_path / "m.npy", block=block)
    (tmp_path / "m.npy.part.json").write_text("{")
    with pytest.raises(ModelError, match=r"m\.npy\.part\.json is damaged"):
        transform_on_disk(transformer, tmp_path / "i.npy", tmp_path / "m.npy", block=32)


def test_wrong_files_are_named(images: np.ndarray, transformer: QuanvTransformer, tmp_path: Path) -> None:
    np.save(tmp_path / "i.npy", images)
    with pytest.raises(QuanvolveError, match=r"m\.txt must end with \.npy or \.zarr"):
        transform_on_disk(transformer, tmp_path / "i.npy", tmp_path / "m.txt")
    with pytest.raises(DataError, match=r"no\.npy cannot be read as an array"):
        transform_on_disk(transformer, tmp_path / "no.npy", tmp_path / "m.npy")
    with pytest.raises(DataError, match=r"no\.zarr cannot be read as an array"):
        transform_on_disk(transformer, tmp_path / "no.zarr", tmp_path / "m.npy")
    (tmp_path / "m.npy").write_bytes(b"mine")
    with pytest.raises(QuanvolveError, match=r"m\.npy is there already"):
        transform_on_disk(transformer, tmp_path / "i.npy", tmp_path / "m.npy")
    assert (tmp_path / "m.npy").read_bytes() == b"mine"
    with pytest.raises(QuanvolveError, match=r"`block` \(=0\) must be at least 1"):
        transform_on_disk(transformer, tmp_path / "i.npy", tmp_path / "n.npy", block=0)
