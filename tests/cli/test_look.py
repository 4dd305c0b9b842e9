"""`quanvolve look`: what is understood of data; the same heads a training."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quanvolve import load_dataset
from quanvolve.data import source_of, understand
from tests.cli.conftest import Result, cli, ok, refused
from tests.data.pictures import folder_of, painted


def head_of(lines: list[str]) -> list[str]:
    return lines[: lines.index("")]


def test_a_name(tmp_path: Path) -> None:
    data = understand(load_dataset("digits"), source_of("digits"))
    assert ok("look", "digits").out == "\n".join([*data.lines(), ""])
    found = ok("look", "digits", "--json", "--output", tmp_path / "new" / "look.png").json
    assert found["classes"][0] == {"name": "0", "train": 142, "valid": 0, "test": 36}
    assert (found["kind"], found["shape"], found["source"]) == ("images", [8, 8], "bundled with scikit-learn")
    assert found["picture"] == str(tmp_path / "new" / "look.png")
    with Image.open(tmp_path / "new" / "look.png") as picture:
        assert picture.size[0] > 1000


def test_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    for part, count in (("train", 8), ("val", 3), ("test", 4)):
        folder_of(folder / part, {"cat": count, "dog": count}, size=(9, 7), mode="RGB")
    painted(500, (9, 7), "RGB").save(folder / "train" / "cat" / "single.png")
    (folder / "test" / "bird").mkdir()
    painted(501, (9, 7), "RGB").save(folder / "test" / "bird" / "0.png")
    (folder / "train" / "fox").mkdir()
    painted(502, (9, 7), "RGB").save(folder / "train" / "fox" / "0.png")
    (folder / "train" / "dog" / "empty.png").write_bytes(b"")
    result = cli("look", folder, "--image-size", "6x5", "--fit", "pad", "--output", tmp_path / "look.png")
    assert result.code == 0
    assert result.err.startswith("quanvolve: warning: 1 of 34 pictures in ")
    lines = result.out.splitlines()
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 80
    assert lines[1].startswith("images    3x6x5, uint8 from ")
    assert [lines[0], *lines[2:4]] == [
        "data      pets, a folder of pictures in folders of classes",
        "prepared  6x5 (pad), colour",
        "split     18 train, 6 validation, 9 test",
    ]
    text = " ".join(" ".join(lines).split())
    assert "note left out: " in text
    # The pictures of each part begin with the same number.
    assert "warning 8 test samples (88.9%) also among the training samples" in text
    assert "'bird': no sample to train with" in text
    assert "'fox': one sample to train with" in text
    table = [line.split() for line in lines[lines.index("") + 1 :][:5]]
    assert table == [
        ["class", "train", "validation", "test"],
        ["bird", "0", "0", "1"],
        ["cat", "9", "3", "4"],
        ["dog", "8", "3", "4"],
        ["fox", "1", "0", "0"],
    ]
    assert lines[-1] == f"wrote {tmp_path / 'look.png'}"
    found = cli("look", folder, "--image-size", 6, "--grayscale", "--json").json
    assert (found["preparation"], found["duplicates"], found["contradictions"]) == ("6x6 (crop), grey", 8, 4)
    assert found["picture"] is None


@pytest.mark.parametrize("shape", [(12,), (2, 12), (5, 6, 4), (3, 8, 8), (8, 8)])
def test_pictures_of_what_is_no_picture(tmp_path: Path, shape: tuple[int, ...]) -> None:
    kind = {(12,): "series", (2, 12): "series", (5, 6, 4): "volumes"}.get(shape, "images")
    samples, labels = np.random.default_rng(0).random((20, *shape)), np.arange(20) % 3
    np.savez(
        tmp_path / "own.npz",
        **{f"train_{kind}": samples[:15], "train_labels": labels[:15], f"test_{kind}": samples[15:]},
        test_labels=labels[15:] if kind != "series" else np.full(5, 7),
    )
    ok("look", tmp_path / "own.npz", "--output", tmp_path / "look.svg")
    assert (tmp_path / "look.svg").read_text().startswith("<?xml")


def test_the_same_heads_a_training(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    path = write_npz()
    how = ("--backbone", "none", "--epochs", 1)
    lines = ok("train", path, *how, "--output", tmp_path / "run").out.splitlines()
    assert head_of(lines) == head_of(ok("look", path).out.splitlines())
    assert lines[0] == "data      sides, an .npz file"
    for option in ("--quiet", "--json"):
        text = ok("train", path, *how, option, "--output", tmp_path / option).out
        assert "an .npz file" not in text


def test_what_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "pets", {"cat": 3, "dog": 3})
    painted(0, (9, 9)).save(folder / "cat" / "large.png")
    assert "such as --image-size 28" in refused("look", folder)
    assert "unknown data set 'digit': did you mean 'digits'?" in refused("look", "digit")
    assert "--output" in refused("look", "digits", "--output", tmp_path)
    message = refused("look", "digits", "--output", tmp_path / "look.txt")
    assert "the ending must be one of" in message
    shutil.rmtree(folder)
    assert "pets' does not exist: check the path" in refused("look", folder)


def test_a_trained_run_says_what_it_was_trained_on(trained: tuple[Path, Result]) -> None:
    _, result = trained
    assert result.out.startswith("data      digits, bundled with scikit-learn\nimages    8x8, float32 from 0 to 1\n")
