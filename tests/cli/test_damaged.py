"""Run folders whose files say something else than was written: one line, whatever the command."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from quanvolve.estimators._save import config_digest
from tests.cli.conftest import Result, cli, ok, refused
from tests.estimators.test_hostile import mutated

# Of those that read a run, the quickest; the others read it in the same way.
COMMANDS = {"run.json": ("train", "--resume", "--output"), "metrics.json": ("train", "--json", "--resume", "--output")}


def fails_in_one_line(result: Result) -> bool:
    """Whether a command failed, as all of them must."""
    assert result.code in (0, 2)
    assert "internal error" not in result.err
    assert "Traceback" not in result.out + result.err
    assert result.err.count("\n") == (result.code == 2)
    assert len(result.err) < 2000
    return result.code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_any_change_of_a_file_is_taken_or_refused(name: str, run: Path) -> None:
    rng, original = random.Random(0), json.loads((run / name).read_bytes())
    failed = 0
    for _ in range(80):
        (run / name).write_text(json.dumps(mutated(original, rng)))
        failed += fails_in_one_line(cli(*COMMANDS[name], run))
    assert failed > 10


def test_any_change_of_the_metrics_is_taken_or_refused_by_the_pictures(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, original = random.Random(1), json.loads((run / "metrics.json").read_bytes())
    saved: list[Path] = []
    monkeypatch.setattr("quanvolve.figures.save_figure", lambda figure, path: saved.append(path))
    (run / "confusion.png").unlink()
    failed = 0
    for _ in range(40):
        (run / "metrics.json").write_text(json.dumps(mutated(original, rng)))
        failed += fails_in_one_line(cli("train", "--resume", "--quiet", "--output", run))
    assert failed > 5
    assert saved


INSTEAD: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "nothing in it": Path.touch,
    "deep": lambda path: path.write_text("[" * 100_000),
    "large": lambda path: (path.touch(), os.truncate(path, 2**36)),
    "bytes": lambda path: path.write_bytes(b"\xff\xfe\x00" * 100),
}


@pytest.mark.parametrize("kind", INSTEAD)
@pytest.mark.parametrize("name", ["run.json", "metrics.json", "config.json", "model.safetensors"])
def test_anything_else_in_place_of_a_file_is_refused_or_replaced(name: str, kind: str, run: Path) -> None:
    (run / name).unlink()
    INSTEAD[kind](run / name)
    if name == "metrics.json" and kind in ("a pipe", "an endless device"):
        # What is no file counts as missing, and is made anew.
        ok(*COMMANDS[name], run)
        assert (run / name).is_file()
        assert not (run / name).is_symlink()
        return
    command = COMMANDS.get(name, ("explain",))
    message = refused(*command, run)
    assert name in message


@pytest.fixture(scope="module")
def stopped(trained: tuple[Path, Result], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has a checkpoint and no model. Not to be changed."""
    from quanvolve.runs import _work

    folder = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_work, "label_names", lambda *_: 1 / 0)
        cli("train", "--epochs", 2, "--filters", 1, "--output", folder)
    assert (folder / "checkpoint.safetensors").is_file()
    assert not (folder / "config.json").exists()
    return folder


def rewritten(folder: Path, change: Callable[[dict[str, Any], dict[str, str]], object]) -> None:
    from safetensors import safe_open

    path = folder / "checkpoint.safetensors"
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    tensors = load_file(path)
    change(tensors, metadata)
    save_file(tensors, path, metadata)


WEIGHT, MOMENT = "module.2.weight", "optimizer.0.exp_avg"
CHECKPOINTS: dict[str, tuple[Callable[[dict[str, Any], dict[str, str]], object], str]] = {
    "nan": (lambda t, m: t[WEIGHT].fill_(float("nan")), "tensor '2.weight' of 'module' has values that are not finite"),
    "doubles": (lambda t, m: t.update({WEIGHT: t[WEIGHT].double()}), "tensors of 'module' are not those of this model"),
    "another shape": (
        lambda t, m: t.update({WEIGHT: t[WEIGHT][:1].contiguous()}), "tensors of 'module' are not those of this model",
    ),
    "one too few": (lambda t, m: t.pop("best.2.weight"), "tensors of 'best' are not those of this model"),
    "one too many": (lambda t, m: t.update({"other.x": t[WEIGHT].clone()}), "is damaged"),
    "another moment": (lambda t, m: t.update({MOMENT: t[MOMENT][:1].contiguous()}), "is none of this optimizer"),
    "a moment of nobody": (lambda t, m: t.update({"optimizer.99.exp_avg": t[MOMENT].clone()}), "none of this opti"),
    "a moment without number": (lambda t, m: t.update({"optimizer.x.exp_avg": t[MOMENT].clone()}), "is damaged"),
    "no history": (lambda t, m: m.pop("history"), "is damaged"),
    "another history": (lambda t, m: m.update(history="[1, 2]"), "its history is not that of a training"),
    "a deep history": (lambda t, m: m.update(history="[" * 100_000), "it is nested too deeply"),
    "a history of texts": (
        lambda t, m: m.update(history=m["history"].replace('"lr": ', '"lr": "x", "r": ')),
        "its history is not that of a training",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_a_checkpoint_that_was_not_written_so_is_refused(kind: str, stopped: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(stopped, tmp_path / "run"))
    rewritten(folder, CHECKPOINTS[kind][0])
    message = refused("train", "--resume", "--output", folder)
    assert CHECKPOINTS[kind][1] in message
    assert "checkpoint.safetensors" in message


def test_the_checkpoint_itself_is_gone_on_with(stopped: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(stopped, tmp_path / "run"))
    ok("train", "--resume", "--output", folder)
    assert (folder / "config.json").is_file()


def test_a_history_of_the_model_that_is_none_is_refused(run: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    for row in config["history"]:
        row["train_loss"] = "low"
    (run / "config.json").write_text(json.dumps({**config, "config_sha256": config_digest(config)}))
    (run / "history.png").unlink()
    assert "lacks the history of the training" in refused("train", "--resume", "--output", run)
