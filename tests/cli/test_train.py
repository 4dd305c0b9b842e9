"""`quanvolve train`: what it prints and what it leaves in the folder of the run."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import quanvolve
from quanvolve import QuanvClassifier, load_dataset
from quanvolve.runs import TrainOptions
from tests.cli.conftest import Result, cli, ok, refused
from tests.datasets import SERIES

FILES = {
    "run.json",
    "config.json",
    "model.safetensors",
    "history.jsonl",
    "metrics.json",
    "history.png",
    "confusion.png",
    "feature_maps.png",
    "filters.png",
}


def test_the_folder_holds_exactly_the_promised_files(trained: tuple[Path, Result]) -> None:
    assert {path.name for path in trained[0].iterdir()} == FILES


def test_metrics_equal_those_computed_from_the_model(trained: tuple[Path, Result]) -> None:
    folder, _ = trained
    metrics = json.loads((folder / "metrics.json").read_text())
    clf, data = quanvolve.load(folder), load_dataset("digits")
    predicted = clf.predict(data.test_images)
    assert metrics["test_accuracy"] == np.mean(predicted == data.test_labels)
    assert metrics["test_right"] == np.sum(predicted == data.test_labels)
    confusion = np.array(metrics["confusion"])
    for truth in range(10):
        for answer in range(10):
            assert confusion[truth, answer] == np.sum((data.test_labels == truth) & (predicted == answer))
    recall = confusion.diagonal() / confusion.sum(axis=1)
    assert list(metrics["recall"].values()) == pytest.approx(recall, abs=0)
    assert (metrics["n_train"], metrics["n_valid"], metrics["n_test"]) == (1293, 144, 360)
    # 4 filters of 2 layers, 4 qubits, 3 angles; 16 channels of 4x4 places to 10 classes.
    assert metrics["parameters"] == {"total": 2666, "trainable": 2570, "backbone": 96, "head": 2570, "quantum": 96}


def test_the_history_has_a_line_an_epoch_and_agrees_with_the_metrics(trained: tuple[Path, Result]) -> None:
    folder, _ = trained
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows == quanvolve.load(folder).history_
    assert metrics["epochs"] == 3
    assert metrics["valid_accuracy"] == rows[metrics["best_epoch"] - 1]["valid_accuracy"]
    assert metrics["valid_accuracy"] == max(row["valid_accuracy"] for row in rows)


def test_the_pictures_are_pictures(trained: tuple[Path, Result]) -> None:
    for path in trained[0].glob("*.png"):
        with Image.open(path) as picture:
            picture.load()
            assert min(picture.size) > 200
            assert np.asarray(picture.convert("L")).std() > 5


def test_what_is_printed(trained: tuple[Path, Result]) -> None:
    folder, result = trained
    lines = result.out.splitlines()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert [line for line in lines if line.startswith("epoch ")]
    assert sum(line.startswith("epoch ") for line in lines) == 3
    assert lines[-1] == f"test accuracy {metrics['test_accuracy']:.4f} ({metrics['test_right']} of 360)"
    text = result.out
    for part in ("1,293 train, 144 validation, 360 test images, 8x8, 10 classes", "2,666: quantum 96 (fixed)"):
        assert part in text
    assert str(folder) in text


def test_train_and_evaluate_print_the_same_line(trained: tuple[Path, Result]) -> None:
    folder, result = trained
    first, *scores = ok("evaluate", folder).out.splitlines()
    assert first == result.out.splitlines()[-1]
    # The table of a training has further rows, and so wider columns.
    said = [" ".join(line.split()) for line in result.out.splitlines()]
    assert {" ".join(line.split()) for line in scores} < set(said)
    assert [line.split("  ")[0] for line in scores][:2] == ["balanced accuracy", "macro F1"]


def test_it_learns(tmp_path: Path) -> None:
    assert ok("train", "--epochs", 15, "--output", tmp_path / "run", "--json").json["test_accuracy"] > 0.9


def test_options_reach_the_estimator_and_run_json(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    given = {
        "filters": 2,
        "kernel_size": 1,
        "stride": 1,
        "circuit": "basic_entangler",
        "encoding": "rx",
        "qubits": 2,
        "layers": 1,
        "channel_mixing": "joint",
        "init": "small",
        "noise": "bit_flip=0.01,readout=0.02",
        "padding": 1,
        "padding_mode": "circular",
        "dilation": 2,
        "scale": 1.5,
        "engine": "density",
        "epochs": 2,
        "batch_size": 7,
        "lr": 0.01,
        "weight_decay": 0.5,
        "validation_fraction": 0.25,
        "patience": 3,
        "seed": 5,
    }
    typed = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
    path = write_npz()
    result = ok("train", path, "--output", tmp_path / "run", "--trainable", "--bias", "--json", *typed).json
    stored = json.loads((tmp_path / "run" / "run.json").read_text())
    assert stored["options"] == result["options"]
    assert stored["options"] == {
        **given,
        "trainable": True,
        "backbone": "quantum",
        "head": "linear",
        "readout": "z",
        "device": "cpu",
        "preset": None,
        "image_size": None,
        "fit": "crop",
        "grayscale": False,
        "label": None,
        "columns": "auto",
        "channels": "auto",
        "task": "classification",
        "class_weight": None,
        "loss": None,
        "monitor": None,
        "shots": None,
        "bias": True,
        "groups": 1,
        "diff_method": "exact",
    }
    assert stored["dataset"] == str(path)
    clf = quanvolve.load(tmp_path / "run")
    params = {**clf.get_params(), "trainable": True}
    for name, value in TrainOptions(**stored["options"]).params().items():
        assert params[name] == value
    assert (result["n_train"], result["n_valid"], result["n_test"]) == (36, 12, 12)


def test_defaults_are_those_of_the_estimator() -> None:
    signature = inspect.signature(QuanvClassifier.__init__).parameters
    options = TrainOptions(seed=0)
    for name, value in options.params().items():
        assert value == (0 if name == "random_state" else signature[name].default), name
    left_out = set(signature) - set(options.params()) - {"self"}
    only_in_python = {"label_smoothing", "warm_start", "callbacks"}
    if_typed = {"loss"}  # which classifiers and regressors have defaults of their own for
    of_data = {"channels"}  # by the time of training, data have them first
    assert left_out == {"image_shape", "weight_shapes", "verbose", *of_data, *if_typed, *only_in_python}
    assert options.seed == 0


def test_help_shows_every_option_once() -> None:
    text = ok("train", "--help").out
    for field in fields(TrainOptions):
        name = "--trainable" if field.name == "trainable" else f"--{field.name.replace('_', '-')}"
        assert text.count(f" {name} ") == 1, name


@pytest.mark.parametrize(
    ("backbone", "missing"),
    [("classical", {"filters.png"}), ("none", {"filters.png", "feature_maps.png"})],
)
def test_controls_have_no_quantum_pictures(
    backbone: str, missing: set[str], write_npz: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    text = ok("train", write_npz(), "--backbone", backbone, "--epochs", 1, "--output", folder).out
    assert {path.name for path in folder.iterdir()} == FILES - missing
    assert "quantum" not in text.replace(str(folder), "")
    assert ("filters computed" in text) == (backbone == "classical")


def test_free_folders_are_counted(
    write_npz: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_npz("my data.npz")
    for number in (1, 2):
        text = ok("train", path, "--backbone", "none", "--epochs", 1, "--quiet").out
        assert text.splitlines()[0] == f"run runs/my_data-{number}"
        assert (tmp_path / f"runs/my_data-{number}/metrics.json").is_file()


def test_quiet_prints_two_lines(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    lines = ok("train", write_npz(), "--backbone", "none", "--epochs", 2, "--quiet", "--output", tmp_path / "run").out
    assert lines.splitlines()[0] == f"run {tmp_path / 'run'}"
    assert lines.splitlines()[1].startswith("test accuracy ")
    assert lines.count("\n") == 2


def test_json_stands_alone_on_stdout(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    result = ok("train", write_npz(), "--backbone", "none", "--epochs", 2, "--json", "--output", folder).json
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {name: result[name] for name in metrics} == metrics
    assert result["run"] == str(folder)


def test_without_validation_the_last_epoch_counts(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    common = ("--backbone", "none", "--epochs", 2, "--validation-fraction", 0)
    result = ok("train", write_npz(), *common, "--output", tmp_path / "run", "--json").json
    assert (result["valid_accuracy"], result["best_epoch"]) == (None, 2)
    assert (result["n_train"], result["n_valid"]) == (48, 0)
    text = ok("train", write_npz(), *common, "--output", tmp_path / "other").out
    assert "validation accuracy" not in text


def test_names_of_labels_travel_with_the_model(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    path = write_npz(labels=np.array(["left", "right"] * 30))
    result = ok("train", path, "--backbone", "none", "--epochs", 2, "--output", tmp_path / "run", "--json").json
    assert result["classes"] == ["left", "right"]
    assert quanvolve.load(tmp_path / "run").label_names_ == ["left", "right"]


def test_labels_that_only_the_test_images_have_count_as_wrong(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.random((40, 4, 4))
    np.savez(
        tmp_path / "odd.npz",
        train_images=images,
        train_labels=np.arange(40) % 2,
        test_images=images[:9],
        test_labels=np.arange(9) % 3,
    )
    found = cli("train", tmp_path / "odd.npz", "--epochs", 1, "--output", tmp_path / "run", "--json")
    assert (found.code, found.err) == (
        0,
        "quanvolve: warning: 3 of 9 test samples have labels that no training sample has (2): they are always counted "
        "as wrong; leave them out, or train on samples of them\n",
    )
    result = found.json
    assert result["recall"]["2"] == 0
    assert np.array(result["confusion"]).sum() == 9
    assert len(quanvolve.load(tmp_path / "run").label_names_) == 2


def test_colour_images(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    path = write_npz(shape=(3, 4, 4))
    result = ok("train", path, "--epochs", 1, "--filters", 1, "--output", tmp_path / "run", "--json").json
    assert result["image_shape"] == [3, 4, 4]
    assert (tmp_path / "run" / "filters.png").is_file()


def test_an_empty_folder_may_be_given(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ok("train", write_npz(), "--backbone", "none", "--epochs", 1, "--output", tmp_path / "empty")
    assert (tmp_path / "empty" / "metrics.json").is_file()


def test_series_from_training_to_prediction(tmp_path: Path) -> None:
    folder = SERIES / "Coffee"
    run = tmp_path / "run"
    ok("train", folder, "--kernel-size", 4, "--epochs", 3, "--output", run)
    assert (run / "feature_maps.png").read_bytes().startswith(b"\x89PNG")
    assert "of 12)" in ok("evaluate", run).out
    data = np.load(folder / "Coffee.npz")
    np.save(tmp_path / "some.npy", data["test_series"][:3])
    assert len(ok("predict", run, tmp_path / "some.npy", "--json").json["predictions"]) == 3
    np.save(tmp_path / "one.npy", data["test_series"][:1, None].reshape(1, 286))
    assert len(ok("predict", run, tmp_path / "one.npy", "--json").json["predictions"]) == 1
    np.save(tmp_path / "short.npy", data["test_series"][:3, :100])
    assert "holds an array of shape (3, 100), but the model takes (n, 286): reshape it" in refused(
        "predict", run, tmp_path / "short.npy"
    )
    assert "has the extension '.png', expected a file with one of: .npy, .npz" in refused("predict", run, "a.png")


def test_moons_are_one_window(tmp_path: Path) -> None:
    out = ok("train", "moons", "--epochs", 5, "--head", "quantum", "--output", tmp_path / "run").out
    assert "test accuracy" in out
    assert ok("evaluate", tmp_path / "run").out.startswith("test accuracy")


@pytest.mark.parametrize("noise", ["depolarizing", "0.1", "bit_flip=x", "bit_flip=0.1;readout=0.1"])
def test_noise_that_is_no_list_is_named(noise: str) -> None:
    expected = f"--noise {noise} is not a list of names and strengths, such as depolarizing=0.01,readout=0.02"
    assert expected in refused("train", "--noise", noise)


def test_unknown_noise_and_init_are_named() -> None:
    assert "--noise has the unknown channel 'bitflip'" in refused("train", "--noise", "bitflip=0.1")
    assert "--init (='tiny') must be one of 'auto', 'uniform', 'small'" in refused("train", "--init", "tiny")


def test_surprises_in_the_labels_are_told_once(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    train, test = np.array([0, 1] * 20 + [5]), np.array([0, 1] * 5 + [3, 3])
    path = write_npz(
        train_images=rng.random((41, 4, 4)), train_labels=train, test_images=rng.random((12, 4, 4)), test_labels=test
    )
    output = tmp_path / "run"
    found = cli("train", path, "--epochs", 1, "--backbone", "none", "--output", output)
    unknown = (
        "quanvolve: warning: 2 of 12 test samples have labels that no training sample has (3): they are always counted "
        "as wrong; leave them out, or train on samples of them\n"
    )
    assert (found.code, found.err) == (
        0,
        unknown + "quanvolve: warning: 1 of 3 classes has a single training sample (5): the samples set aside for "
        "validation are drawn without regard to classes, and a class whose only sample is among them is not learned; "
        "give each class at least 2 samples, or --validation-fraction 0\n",
    )
    assert cli("evaluate", output).err == unknown
