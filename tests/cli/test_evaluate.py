"""`quanvolve evaluate`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import quanvolve
from quanvolve import QuanvClassifier, QuanvTransformer, load_dataset
from quanvolve.data import write_idx
from tests.cli.conftest import Result, cli, ok, refused


def test_json(trained: tuple[Path, Result]) -> None:
    folder, _ = trained
    metrics = json.loads((folder / "metrics.json").read_text())
    assert ok("evaluate", folder, "--json").json == {
        "run": str(folder),
        "dataset": "digits",
        "test_accuracy": metrics["test_accuracy"],
        "test_right": metrics["test_right"],
        "n_test": 360,
        **{name: metrics[name] for name in ("metrics", "per_class", "intervals")},
    }
    assert metrics["metrics"]["accuracy"]["value"] == metrics["test_accuracy"]
    assert [row["recall"] for row in metrics["per_class"]] == list(metrics["recall"].values())


def test_other_data(trained: tuple[Path, Result], tmp_path: Path) -> None:
    data = load_dataset("digits")
    path = tmp_path / "some.npz"
    np.savez(
        path,
        train_images=data.train_images[:20],
        train_labels=data.train_labels[:20],
        test_images=data.test_images[:50],
        test_labels=data.test_labels[:50],
    )
    right = int((quanvolve.load(trained[0]).predict(data.test_images[:50]) == data.test_labels[:50]).sum())
    assert ok("evaluate", trained[0], path).out.splitlines()[0] == f"test accuracy {right / 50:.4f} ({right} of 50)"


def test_a_saved_classifier_without_a_run(tmp_path: Path) -> None:
    data = load_dataset("digits")
    clf = QuanvClassifier(backbone="none", max_epochs=1, random_state=0).fit(data.train_images, data.train_labels)
    clf.save(tmp_path / "model")
    assert "give one after it" in refused("evaluate", tmp_path / "model")
    score = clf.score(data.test_images, data.test_labels)
    assert ok("evaluate", tmp_path / "model", "digits", "--json").json["test_accuracy"] == score


def test_series_of_several_channels(tmp_path: Path) -> None:
    header = "@relation x\n@attribute bag relational\n@attribute a real\n@end bag\n@attribute y {up,down}\n@data\n"
    rows = ("'0,1,2,3,4\\n4,4,4,4,4',up\n", "'4,3,2,1,0\\n0,0,0,0,0',down\n")
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"Own_{part}.arff").write_text(header + "".join(rows * 10))
    line = ok("train", tmp_path / "Own_TRAIN.arff", "--epochs", 1, "--quiet", "--output", tmp_path / "run").out
    assert ok("evaluate", tmp_path / "run").out.splitlines()[0] == line.splitlines()[-1]
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"Own_{part}.arff").write_text(header + "'0,1,2,3,4',up\n'4,3,2,1,0',down\n")
    assert "are 1x5, but the model in" in refused("evaluate", tmp_path / "run")


def test_what_does_not_fit(trained: tuple[Path, Result], write_npz: Callable[..., Path], tmp_path: Path) -> None:
    assert "are 4x4, but the model" in refused("evaluate", trained[0], write_npz())
    assert "are 3x8x8, but the model" in refused("evaluate", trained[0], write_npz(shape=(3, 8, 8)))
    path = write_npz(shape=(8, 8), labels=np.array(["a", "b"] * 30))
    assert "no label of data set 'sides'" in refused("evaluate", trained[0], path)
    QuanvTransformer(random_state=0).fit(np.zeros((3, 8, 8))).save(tmp_path / "transformer")
    assert "holds a QuanvTransformer" in refused("evaluate", tmp_path / "transformer", "digits")


def test_another_scale_is_warned_of(trained: tuple[Path, Result], write_npz: Callable[..., Path]) -> None:
    result = cli("evaluate", trained[0], write_npz(shape=(8, 8)))
    assert result.code == 0
    assert result.err.startswith("quanvolve: warning: X is uint8 in [0, 255]")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("features", [16, 15])
def test_data_that_are_no_images(features: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(50) % 2
    np.savez(tmp_path / "rows.npz", X=rng.random((50, features)) + labels[:, None], y=labels)
    line = ok("train", tmp_path / "rows.npz", "--epochs", 2, "--output", tmp_path / "run").out.splitlines()[-1]
    assert ok("evaluate", tmp_path / "run").out.splitlines()[0] == line


def test_the_data_are_where_the_run_found_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_dataset("digits")
    (tmp_path / "files").mkdir()
    for part, images, labels in (
        ("train", data.train_images[:80], data.train_labels[:80]),
        ("t10k", data.test_images[:30], data.test_labels[:30]),
    ):
        write_idx(tmp_path / "files" / f"{part}-images-idx3-ubyte.gz", (images * 255).astype(np.uint8))
        write_idx(tmp_path / "files" / f"{part}-labels-idx1-ubyte.gz", labels.astype(np.uint8))
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    text = ok("train", "mnist", "--data-dir", "files", "--backbone", "none", "--epochs", 1, "--output", run).out
    # From any folder, without a word on where they are.
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert ok("evaluate", run).out.splitlines()[:1] == text.splitlines()[-1:]
    shutil.move(tmp_path / "files", tmp_path / "moved")
    assert "does not exist" in refused("evaluate", run)
    assert ok("evaluate", run, "--data-dir", "../moved").out.splitlines()[:1] == text.splitlines()[-1:]
