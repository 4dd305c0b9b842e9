"""`quanvolve train --preset`: its defaults, its summary, and the commands that use the run afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quanvolve.nn import PRESETS
from quanvolve.runs import TrainOptions
from tests.cli.conftest import Result, ok, refused

FIXES = "which fixes the network: leave one of the two out"


@pytest.fixture(scope="module")
def preset_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("preset") / "run"
    return folder, ok("train", "digits", "--preset", "quantum", "--epochs", 2, "--output", folder)


def test_what_is_printed_and_kept(preset_run: tuple[Path, Result]) -> None:
    folder, result = preset_run
    metrics = json.loads((folder / "metrics.json").read_text())
    p = metrics["parameters"]
    assert p["total"] == p["trainable"] == p["backbone"] + p["head"]
    assert 0 < p["quantum"] < p["backbone"]
    summary = result.out[result.out.index("data set  ") :].splitlines()
    lines = dict(line.split("  ", 1) for line in summary if not line.startswith("test "))
    assert lines["model"].strip() == "preset quantum"
    assert lines["parameters"].strip() == (
        f"{p['total']:,}: backbone {p['backbone']:,}, of which quantum {p['quantum']:,}, head {p['head']:,}"
    )
    assert lines["time"].strip().endswith(" s")
    assert result.out.splitlines()[-1].startswith("test accuracy ")
    for name in ("filters.png", "feature_maps.png", "history.png", "confusion.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_evaluate_predict_and_resume(preset_run: tuple[Path, Result], tmp_path: Path) -> None:
    folder, result = preset_run
    assert ok("evaluate", folder).out.splitlines()[0] == result.out.splitlines()[-1]
    np.save(tmp_path / "images.npy", np.zeros((2, 8, 8)))
    assert len(ok("predict", folder, tmp_path / "images.npy", "--json").json["predictions"]) == 2
    again = ok("train", "--output", folder, "--resume", "--preset", "quantum", "--quiet")
    assert again.out.splitlines()[-1] == result.out.splitlines()[-1]
    assert "--preset hybrid was given, but the run" in refused(
        "train", "--output", folder, "--resume", "--preset", "hybrid"
    )


@pytest.mark.parametrize(("preset", "backbone"), [("quantum", "classical"), ("hybrid", "quantum")])
def test_a_preset_sets_what_is_not_typed(
    preset: str, backbone: str, write_npz: Callable[..., Path], tmp_path: Path
) -> None:
    training = PRESETS[preset].training[backbone]
    common = ("--preset", preset, "--backbone", backbone, "--epochs", 1)
    result = ok("train", write_npz(), *common, "--output", tmp_path / "run", "--json").json
    names = {"batch_size": "batch_size", "lr": "lr", "weight_decay": "weight_decay"}
    assert {name: result["options"][name] for name in names} == {name: training[name] for name in names}
    assert (result["options"]["preset"], result["options"]["epochs"]) == (preset, 1)
    assert result["options"]["trainable"] is True
    assert (result["parameters"]["quantum"] > 0) == (backbone == "quantum")
    text = ok("train", write_npz(), *common, "--lr", 0.02, "--batch-size", 7, "--output", tmp_path / "other").out
    stored = json.loads((tmp_path / "other" / "run.json").read_text())["options"]
    assert (stored["lr"], stored["batch_size"]) == (0.02, 7)
    assert (f"preset {preset}, classical twin" in text) == (backbone == "classical")


@pytest.fixture(scope="module")
def tree_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("tree") / "run"
    return folder, ok("train", "digits", "--preset", "tree", "--epochs", 2, "--output", folder)


def test_a_tree_is_trained_drawn_and_used(tree_run: tuple[Path, Result], tmp_path: Path) -> None:
    folder, result = tree_run
    assert "preset tree\n" in result.out
    parameters = json.loads((folder / "metrics.json").read_text())["parameters"]
    assert parameters["backbone"] == parameters["quantum"] == 10 * (63 * 9 + 3)
    for name in ("filters.png", "feature_maps.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert ok("evaluate", folder).out.splitlines()[0] == result.out.splitlines()[-1]
    np.save(tmp_path / "images.npy", np.zeros((2, 8, 8)))
    assert len(ok("predict", folder, tmp_path / "images.npy", "--json").json["predictions"]) == 2
    again = ok("train", "--output", folder, "--resume", "--preset", "tree", "--quiet")
    assert again.out.splitlines()[-1] == result.out.splitlines()[-1]


@pytest.mark.parametrize("command", ["explain", "calibrate"])
def test_commands_about_windows_do_not_take_trees(tree_run: tuple[Path, Result], command: str) -> None:
    said = "is a coherent tree, which has no windows whose values are measured: this command takes models of quantum"
    assert said in refused(command, tree_run[0])


def test_runs_from_before_there_were_presets() -> None:
    options = {name: value for name, value in TrainOptions().__dict__.items() if name != "preset"}
    assert TrainOptions.from_dict(options, Path("run.json")) == TrainOptions()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["--preset", "quantun"],
            "--preset (='quantun') must be one of 'quantum', 'hybrid', 'tree', 'tree-headless'; did you mean 'quantum'?",
        ),
        (["--preset", "best"], "--preset (='best') must be one of 'quantum', 'hybrid', 'tree', 'tree-headless'"),
        (
            ["--preset", "quantum", "--filters", "8"],
            f"--filters (=8) has no meaning with --preset (='quantum'), {FIXES}",
        ),
        (
            ["--preset", "hybrid", "--head", "mlp"],
            f"--head (='mlp') has no meaning with --preset (='hybrid'), {FIXES}",
        ),
        (["--preset", "quantum", "--fixed"], "--fixed has no meaning with --preset quantum, whose filters are trained"),
        (
            ["--preset", "quantum", "--backbone", "none"],
            "--backbone (='none') must be one of 'quantum', 'classical' with a preset",
        ),
        (
            ["moons", "--preset", "quantum"],
            "--preset (='quantum') is for images, got series of shape (1, 2): leave --preset out",
        ),
    ],
)
def test_what_does_not_fit(args: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused("train", *args) == message
    assert list(tmp_path.iterdir()) == []


def test_images_that_are_too_small(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    path = write_npz(shape=(3, 3))
    assert "needs images of at least 4x4 pixels, got 3x3" in refused(
        "train", path, "--preset", "quantum", "--output", tmp_path / "run"
    )
