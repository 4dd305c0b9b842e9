"""Runs that are interrupted, killed, continued and continued again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import quanvolve
from quanvolve.cli import _session
from quanvolve.runs import Run, _work, make_folder
from tests.cli.conftest import ENVIRONMENT, PYTHON, Result, cli, ok, refused
from tests.waiting import PATIENCE, hears_ctrl_c, until

# Trainable filters: an epoch takes long enough to be hit in the middle.
EPOCHS = 20
LONG = ("train", "--trainable", "--filters", "1", "--epochs", str(EPOCHS), "--seed", "3")


def start(folder: Path, *args: str) -> subprocess.Popen[str]:
    """Begin training in another process and return when some epochs are done."""
    process = subprocess.Popen(
        [*PYTHON, *args, "--output", str(folder)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hears_ctrl_c,
    )
    history = folder / "history.jsonl"
    until(lambda: history.is_file() and history.read_text().count("\n") >= 3, "three epochs are done", process)
    return process


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long") / "run"
    ok(*LONG, "--output", folder)
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed in the middle. Not to be changed."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    process = start(folder, *LONG)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert 3 <= len((folder / "history.jsonl").read_text().splitlines()) < EPOCHS
    assert not (folder / "config.json").exists()
    return folder


def without_times(folder: Path) -> list[dict[str, object]]:
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def same_run(folder: Path, other: Path) -> None:
    assert (folder / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    assert without_times(folder) == without_times(other)
    assert {path.name for path in folder.iterdir()} == {path.name for path in other.iterdir()}


def test_a_killed_run_ends_like_an_uninterrupted_one(killed: Path, uninterrupted: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(killed, tmp_path / "run"))
    with (folder / "history.jsonl").open("a") as file:
        file.write('{"epoch": 99, "tra')
    (folder / ".checkpoint.safetensors.4711-aa.part").write_bytes(b"half")
    text = ok("train", "--output", folder, "--resume").out
    assert "continuing after epoch " in text
    same_run(folder, uninterrupted)


def test_lost_lines_of_the_history_come_back(killed: Path, uninterrupted: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(killed, tmp_path / "run"))
    (folder / "history.jsonl").unlink()
    # Given options that are those of the run do no harm, nor does the data set's name.
    ok("train", "digits", "--output", folder, "--resume", "--seed", 3, "--trainable", "--quiet")
    same_run(folder, uninterrupted)


def test_ctrl_c_says_how_to_continue(tmp_path: Path, uninterrupted: Path) -> None:
    folder = tmp_path / "my run"
    process = start(folder, *LONG)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err == f"quanvolve: interrupted; continue with: quanvolve train --output '{folder}' --resume\n"
    ok("train", "--output", folder, "--resume", "--quiet")
    same_run(folder, uninterrupted)


def test_other_options_are_refused(killed: Path) -> None:
    before = {path.name: path.read_bytes() for path in killed.iterdir()}
    common = ("train", "--resume", "--output", killed)
    message = refused(*common, "--epochs", 50)
    assert "--epochs 50 was given" in message
    assert f"has --epochs {EPOCHS}" in message
    message = refused(*common, "--fixed")
    assert "--fixed was given" in message
    assert "has --trainable" in message
    assert "no --qubits" in refused(*common, "--qubits", 5)
    message = refused("train", "mnist", *common[1:])
    assert "mnist was given" in message
    assert "has digits" in message
    assert {path.name: path.read_bytes() for path in killed.iterdir()} == before


def test_a_damaged_checkpoint_is_one_line(killed: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(killed, tmp_path / "run"))
    checkpoint = folder / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-10])
    assert "checkpoint.safetensors is damaged" in refused("train", "--resume", "--output", folder)
    assert (folder / "run.json").is_file()


def test_a_run_killed_before_its_first_epoch_starts_anew(trained: tuple[Path, Result], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(trained[0] / "run.json", folder)
    ok("train", "--resume", "--output", folder)
    same_run(folder, trained[0])


def test_a_finished_run_is_shown_again_and_left_alone(trained: tuple[Path, Result]) -> None:
    folder, result = trained
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    again = ok("train", "--resume", "--output", folder).out
    assert result.out.endswith(again)
    assert again.splitlines()[0].startswith("data set ")
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()} == before


def test_what_is_missing_after_training_is_made(run: Path, trained: tuple[Path, Result]) -> None:
    gone = ("metrics.json", "history.png", "confusion.png")
    for name in gone:
        (run / name).unlink()
    model = (run / "model.safetensors").read_bytes()
    ok("train", "--resume", "--output", run)
    assert {path.name for path in run.iterdir()} == {path.name for path in trained[0].iterdir()}
    assert (run / "model.safetensors").read_bytes() == model
    old, new = (json.loads((folder / "metrics.json").read_text()) for folder in (trained[0], run))
    assert {**old, "seconds": 0} == {**new, "seconds": 0}


def test_a_run_that_fails_at_its_pictures_is_finished_later(
    write_npz: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_work, "draw_pictures", full)
        assert "No space left" in refused("train", write_npz(), "--epochs", 1, "--backbone", "none", "--output", folder)
    assert (folder / "checkpoint.safetensors").exists()
    ok("train", "--resume", "--output", folder)
    assert not (folder / "checkpoint.safetensors").exists()
    assert (folder / "confusion.png").is_file()


def test_two_processes_do_not_train_in_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(folder, *LONG)
    process.send_signal(signal.SIGSTOP)  # it must not be done before it is seen
    try:
        assert "another process" in refused("train", "--resume", "--output", folder)
    finally:
        process.kill()
        process.communicate()


def test_data_may_have_moved(write_npz: Callable[..., Path], run: Path, tmp_path: Path) -> None:
    (run / "metrics.json").unlink()
    ok("train", "--resume", "--output", run, "--data-dir", tmp_path)
    assert json.loads((run / "run.json").read_text())["data_dir"] == str(tmp_path)


def test_the_loser_of_a_race_leaves_the_folder_of_the_winner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: Path
) -> None:
    """The other process begins after the folder was found, and before it is locked."""
    import fcntl

    folder = tmp_path / "deep" / "run"
    handles = []

    def overtaken(output: Path, dataset: str) -> tuple[Path, list[Path]]:
        found = make_folder(output, dataset)
        shutil.copytree(killed, folder, dirs_exist_ok=True)
        # No epoch is finished yet.
        (folder / "history.jsonl").unlink()
        handles.append(os.open(folder, os.O_RDONLY))
        fcntl.flock(handles[0], fcntl.LOCK_EX)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(_session, "make_folder", overtaken)
        assert "another process is training in" in refused("train", "--output", folder)
    expected = {path.name: path.read_bytes() for path in killed.iterdir() if path.name != "history.jsonl"}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == expected
    os.close(handles[0])
    # Nor does one that comes when the other has gone, its files being there.
    with monkeypatch.context() as patch:
        patch.setattr(_session, "make_folder", lambda *_: (folder, [folder]))
        assert "already holds a run" in refused("train", "--output", folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == expected


@pytest.mark.parametrize("given", ["new", "empty"])
def test_ctrl_c_before_there_is_a_run_leaves_nothing(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()

    def interrupted(run: Run) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "write", interrupted)
    result = cli("train", "--output", tmp_path / given)
    # The data have been looked at, and that is all.
    assert (result.code, result.out.splitlines()[0]) == (130, "data      digits, bundled with scikit-learn")
    assert "epoch" not in result.out
    assert result.err == "quanvolve: interrupted before training began: nothing was kept\n"
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


@pytest.mark.parametrize("history", [[], None, [3], [{"epoch": 1}]])
def test_a_model_without_its_history_cannot_be_finished(history: object, run: Path) -> None:
    (run / "metrics.json").unlink()
    clf = quanvolve.load(run)
    clf.history_ = history
    clf.save(run)
    assert str(run) in refused("train", "--resume", "--output", run)
