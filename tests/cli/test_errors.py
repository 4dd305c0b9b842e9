"""Whatever goes wrong is one line on stderr and exit code 2, and leaves nothing behind."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from warnings import warn_explicit

import numpy as np
import pytest

from quanvolve.cli import _main
from tests.cli.conftest import cli, refused


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["digts"], ["unknown data set 'digts'", "did you mean 'digits'"]),
        (["--epoch", "3"], ["no such option: --epoch", "--epochs"]),
        (["--epochs", "many"], ["'many'", "--epochs", "integer"]),
        (["--epochs", "0"], ["'0'", "--epochs", "1"]),
        (["--seed", "-1"], ["'-1'", "--seed"]),
        (["--lr"], ["'--lr' requires an argument"]),
        (["--lr", "0"], ["--lr (=0.0) must be greater than 0"]),
        (["--lr", "nan"], ["--lr (=nan)"]),
        (["--validation-fraction", "1"], ["--validation-fraction (=1.0)"]),
        (["--circuit", "randon"], ["--circuit (='randon')", "did you mean 'random'"]),
        (["--encoding", "rw"], ["--encoding (='rw')", "'threshold'"]),
        (["--readout", "w"], ["--readout (='w')"]),
        (["--head", "tree"], ["--head (='tree')", "'linear', 'cnn', 'mlp', 'quantum'"]),
        (["--backbone", "dense"], ["--backbone (='dense')", "'classical'"]),
        (["--channel-mixing", "mean"], ["--channel-mixing (='mean')"]),
        (["--qubits", "3"], ["--qubits (=3) must be at least 4", "use --qubits 4"]),
        (["--kernel-size", "9"], ["a window of 9x9 is larger than the image of 8x8: use a smaller --kernel-size"]),
        (
            ["--kernel-size", "3", "--dilation", "4"],
            ["9x9", "use a --kernel-size (=3x3) or --dilation (=4x4) that fits, or more --padding"],
        ),
        (["--padding", "sane"], ["--padding (='sane') must be 'same', 'valid' or a number for each side"]),
        (["--padding", "-1"], ["--padding (=-1) must be a whole number of at least 0"]),
        (["--padding", "same"], ["--padding same needs --stride 1, got --stride (=(2, 2))"]),
        (["--padding", "1", "--padding-mode", "mirror"], ["--padding-mode (='mirror') must be one of zeros, reflect"]),
        (["--dilation", "0"], ["'0'", "--dilation", "1"]),
        (["--groups", "2"], ["must be divisible by --groups (=2)"]),
        (["--backbone", "kernels", "--groups", "2"], ["must be divisible by --groups (=2)"]),
        (["--scale", "nan"], ["--scale (=nan) must be finite"]),
        (["--scale", "wide"], ["'wide'", "--scale"]),
        (["--engine", "fast"], ["--engine (='fast') must be one of 'auto'"]),
        (["--engine", "table"], ["--engine (='table') cannot run this circuit"]),
        (["--diff-method", "parameter-shift"], ["--diff-method (='parameter-shift') is for layers with --shots"]),
        (["--shots", "5", "--diff-method", "guess"], ["--diff-method (='guess') must be one of 'exact'"]),
        (["--device", "gpu"], ["--device gpu is not the name of a device"]),
        (["--device", "meta"], ["--device meta cannot be used here"]),
        (["--resume"], ["--resume needs the folder of the run", "--output DIR"]),
        (["nowhere.npz"], ["'nowhere.npz' does not exist"]),
        (["digits", "mnist"], ["unexpected extra argument", "mnist"]),
    ],
)
def test_options_that_do_not_fit(
    args: list[str], parts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refused("train", *args)
    for part in parts:
        assert part in message
    assert list(tmp_path.iterdir()) == []


def test_commands_that_do_not_exist() -> None:
    assert "did you mean 'train'" in refused("trian").lower()
    assert "quanvolve --help" in refused("--frobnicate")
    assert "'RUN'" in refused("evaluate")
    assert "missing argument" in refused("predict", "run")


def test_folders_that_cannot_be_used(run: Path, tmp_path: Path) -> None:
    message = refused("train", "--output", run)
    assert "already holds a run" in message
    assert "--resume" in message
    assert "another folder" in message
    (tmp_path / "file").write_text("")
    assert "is a file" in refused("train", "--output", tmp_path / "file")
    assert "cannot be made: Not a directory; choose another folder" in refused(
        "train", "--output", tmp_path / "file" / "run"
    )
    assert "does not exist" in refused("train", "--resume", "--output", tmp_path / "nowhere")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "notes.txt").write_text("mine")
    assert "has no run.json" in refused("train", "--resume", "--output", tmp_path / "foreign")
    assert [path.name for path in (tmp_path / "foreign").iterdir()] == ["notes.txt"]


def test_a_run_that_fails_at_once_leaves_nothing(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    output = tmp_path / "deep" / "run"
    assert "a window of 5x5" in refused("train", write_npz(), "--kernel-size", 5, "--output", output)
    assert not (tmp_path / "deep").exists()
    (tmp_path / "empty").mkdir()
    refused("train", write_npz(), "--kernel-size", 5, "--output", tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_loss_that_is_not_finite(tmp_path: Path) -> None:
    result = cli("train", "--lr", "1e30", "--epochs", 2, "--output", tmp_path / "run")
    assert result.code == 2
    assert result.err.startswith("quanvolve: error: training diverged in epoch 1: ")
    assert result.err.endswith("use a smaller --lr (=1e+30)\n")
    assert not (tmp_path / "run").exists()


def test_data_that_cannot_be_used(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    output = tmp_path / "run"
    images = np.full((60, 4, 4), 0.5)
    images[7, 1, 2] = np.nan
    assert "1 NaN or infinite pixel" in refused("train", write_npz(images=images), "--output", output)
    assert refused("train", write_npz(classes=1), "--output", output).rstrip().endswith("only one class: 0")
    (tmp_path / "torn.npz").write_bytes(write_npz().read_bytes()[:100])
    assert "torn.npz" in refused("train", tmp_path / "torn.npz", "--output", output)
    (tmp_path / "nothing").mkdir()
    message = refused("train", "mnist", "--data-dir", tmp_path / "nothing", "--output", output)
    assert "lacks train-images-idx3-ubyte.gz" in message
    assert "--data-dir" in message
    assert "QUANVOLVE_OFFLINE" in refused("train", "mnist", "--output", output)
    assert not output.exists()


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_damaged_models(command: str, run: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", np.zeros((8, 8)))
    more = [tmp_path / "image.npy"] if command == "predict" else []
    model, config = run / "model.safetensors", run / "config.json"
    good_model, good_config = model.read_bytes(), config.read_bytes()
    model.write_bytes(good_model[:-1] + bytes([good_model[-1] ^ 1]))
    assert "model.safetensors is damaged" in refused(command, run, *more)
    model.unlink()
    assert "cannot read model.safetensors" in refused(command, run, *more)
    model.write_bytes(good_model)
    config.write_bytes(good_config[:200])
    assert "config.json is damaged" in refused(command, run, *more)
    config.write_text("[]")
    assert "config.json was not written by quanvolve" in refused(command, run, *more)
    config.unlink()
    assert "has no model yet" in refused(command, run, *more)
    (run / "run.json").unlink()
    assert "is not a model folder" in refused(command, run, *more)
    assert "is not a model folder" in refused(command, tmp_path / "nowhere", *more)


def test_damaged_runs(run: Path) -> None:
    path = run / "run.json"
    good = json.loads(path.read_text())

    def message(content: object) -> str:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return refused("train", "--resume", "--output", run)

    assert "run.json is damaged: it is not JSON" in message('{"format": ')
    assert "was not written by quanvolve" in message({"format": "else"})
    assert "use the quanvolve that wrote it (9.9)" in message({**good, "format_version": 2, "version": "9.9"})
    assert "names no data set" in message({**good, "dataset": 3})
    assert "its options" in message({**good, "options": {}})
    assert "--epochs is '3'" in message({**good, "options": {**good["options"], "epochs": "3"}})
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "1" * 400):
        text = json.dumps({**good, "options": {**good["options"], "lr": 4711}}).replace("4711", number)
        assert "run.json is damaged: --lr is " in (found := message(text))
        assert found.endswith(", expected a finite number")
    assert "--epochs is True" in message({**good, "options": {**good["options"], "epochs": True}})
    path.write_text(json.dumps(good))
    (run / "metrics.json").write_text("{")
    assert "metrics.json is damaged" in refused("train", "--resume", "--output", run)
    (run / "metrics.json").write_text("{}")
    assert "metrics.json is damaged" in refused("train", "--resume", "--output", run)


@pytest.mark.parametrize("number", ["NaN", "1e999"])
def test_no_number_that_json_lacks_is_printed(number: str, run: Path) -> None:
    path = run / "metrics.json"
    metrics = json.loads(path.read_text())
    path.write_text(json.dumps({**metrics, "recall": 4711}).replace("4711", number))
    result = cli("train", "--resume", "--output", run, "--json")
    assert (result.code, result.out) == (2, "")
    assert "metrics.json is damaged" in result.err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("use `channel_mixing='sum'`", "use --channel-mixing sum"),
        ('use `head="cnn"` or `n_qubits=4`', "use --head cnn or --qubits 4"),
        ("`lr=1e-3` in place of `lr`", "--lr 1e-3 in place of --lr"),
        ("`padding='same'` and `dilation`", "--padding same and --dilation"),
        ("`image_shape=8` and `weight_shapes`", "`image_shape=8` and `weight_shapes`"),
    ],
)
def test_arguments_in_messages_become_options(text: str, expected: str) -> None:
    assert _main.as_options(text) == expected


def test_too_many_qubits_for_joint_channels(write_npz: Callable[..., Path], tmp_path: Path) -> None:
    path = write_npz(shape=(3, 8, 8))
    args = ("--channel-mixing", "joint", "--kernel-size", 3, "--encoding", "iqp", "--output", tmp_path / "run")
    assert "use a smaller --kernel-size, or fewer channels or features that one circuit reads" in refused(
        "train", path, *args
    )


def test_the_unexpected_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(arguments: list[str]) -> None:
        raise KeyError("two\nlines")

    monkeypatch.setattr(_main, "_run", broken)
    result = cli("datasets")
    assert result.code == 2
    assert result.err.startswith("quanvolve: internal error: KeyError: ")
    assert result.err.endswith("(set QUANVOLVE_DEBUG=1 for the traceback)\n")
    assert result.err.count("\n") == 1
    monkeypatch.setenv("QUANVOLVE_DEBUG", "1")
    assert "Traceback" in cli("datasets").err


def test_control_characters_of_names_are_shown_escaped() -> None:
    message = refused("train", "evil\x1b[31m\nname")
    assert "\x1b" not in message
    assert "\\x1b[31m" in message


HOSTILE = {
    "lines": "two\nlines\r\nand\u2028more\x85",
    "escapes": "\x1b[31mred\x1b[0m\x07",
    "direction": "abc\u202egnp.exe",
    "bytes": "\udc80\udcff",
    "long": "x" * 5000,
    "null": "a\0b",
    "percent": "%s%n{0}[bold]",
}
COMMANDS: dict[str, list[str]] = {
    "train": ["train", "NAME"],
    "train npz": ["train", "NAME.npz"],
    "train output": ["train", "--output", "NAME/x", "--resume"],
    "train circuit": ["train", "--circuit", "NAME"],
    "train device": ["train", "--device", "NAME"],
    "train noise": ["train", "--noise", "NAME"],
    "evaluate": ["evaluate", "NAME"],
    "predict": ["predict", "NAME", "NAME"],
    "explain": ["explain", "NAME"],
    "export": ["export", "NAME", "--to", "onnx", "--output", "NAME"],
    "calibrate": ["calibrate", "NAME", "--output", "NAME"],
    "estimate": ["estimate", "NAME"],
    "compare": ["compare", "NAME", "--output", "NAME"],
    "compare resume": ["compare", "--output", "NAME", "--resume"],
    "compare controls": ["compare", "--controls", "NAME"],
    "search": ["search", "digits", "--space", "NAME"],
    "study show": ["study", "show", "NAME"],
    "study export": ["study", "export", "NAME", "--output", "NAME.csv"],
    "study plot": ["study", "plot", "NAME"],
    "reproduce": ["reproduce", "NAME"],
    "circuits": ["circuits", "NAME"],
    "bench": ["bench", "--workloads", "NAME"],
    "option": ["train", "--NAME"],
    "command": ["NAME"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_error_is_one_line_however_hostile_the_names(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for hostile in HOSTILE.values():
        message = refused(*(part.replace("NAME", hostile) for part in COMMANDS[command]))
        assert message.isprintable()
        assert 0 < len(message) < 4200


def test_what_threads_and_loggers_say_is_one_line_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KeyError("two\nlines")

    def noisy(arguments: list[str]) -> None:
        logging.getLogger("some.library").error("two\nlines")
        thread = threading.Thread(target=broken)
        thread.start()
        thread.join()
        for _ in range(2):
            warn_explicit("two\nlines about `n_qubits`", UserWarning, "x.py", 1, "quanvolve.nn")

    monkeypatch.setattr(_main, "_run", noisy)
    assert cli("datasets").err == (
        "quanvolve: warning: a thread failed: KeyError: 'two\\nlines'\nquanvolve: warning: two lines about --qubits\n"
    )
