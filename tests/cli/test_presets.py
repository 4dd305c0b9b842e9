"""`quanvolve train --preset`: its defaults, its summary, and the commands that use the run afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qiskit import qpy

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


def test_a_tree_is_explained(tree_run: tuple[Path, Result], tmp_path: Path) -> None:
    text = ok("explain", tree_run[0], "--output", tmp_path / "page.html").out
    assert "backbone (tree): Mean purity of the kept qubits by level, from the leaves: " in text
    page = (tmp_path / "page.html").read_text()
    assert page.count("<svg") >= 5
    assert "changes when a pixel is replaced by its mean" in page


def test_a_tree_is_written_as_circuits_with_resets(tree_run: tuple[Path, Result], tmp_path: Path) -> None:
    found = ok("export", tree_run[0], "--to", "openqasm3", "--output", tmp_path / "tree.qasm", "--json").json
    assert found["circuits"][:2] == ["backbone_tree0", "backbone_tree1"]
    text = Path(found["files"][0]).read_text()
    assert "// backbone_tree0; 64 qubits, one after the other on 7 that are reset; outputs: values 0 to 2 of" in text
    assert text.count("reset q[") == 64 - 7
    ok("export", tree_run[0], "--to", "qiskit", "--output", tmp_path / "tree.qpy")
    with (tmp_path / "tree.qpy").open("rb") as file:
        (first, *_) = qpy.load(file)
    assert (first.name, first.num_qubits, first.num_parameters) == ("backbone_tree0", 7, 64)


def test_an_estimate_counts_the_circuits_of_trees(tree_run: tuple[Path, Result]) -> None:
    given = ("estimate", tree_run[0], "--shots", 100)
    found = ok(*given, "--backend", "fake_guadalupe", "--json").json
    (layer,) = found["layers"]
    assert layer["windows"]["circuits"] == 360 * layer["filters"] * 3
    assert (layer["tree"]["qubits"], layer["tree"]["resets"], layer["tree"]["two_qubit_gates"]) == (7, 57, 63 * 3)
    assert found["to_calibrate"] is None
    text = ok(*given, "--backend", "fake_guadalupe").out
    assert "backbone: a tree on 7 qubits with 57 resets, depth " in text
    assert "no calibration: backbone: a coherent tree runs once for each image" in text
    assert "a tree of 64 qubits takes 7 qubits with resets, the backend fake_manila has 5" in refused(*given)
    assert "the layer 'backbone' is a CoherentTree, whose circuit is one of a whole image" in refused(
        "calibrate", tree_run[0]
    )


def test_runs_from_before_there_were_presets() -> None:
    options = {name: value for name, value in TrainOptions().__dict__.items() if name != "preset"}
    assert TrainOptions.from_dict(options, Path("run.json")) == TrainOptions()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["--preset", "quantun"],
            "--preset (='quantun') must be one of 'quantum', 'hybrid', 'tree', 'tree-headless'; did you mean "
            "'quantum'?",
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
