"""Where commands write: one rule for every --output."""

from __future__ import annotations

import inspect
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quanvolve.cli import _app
from quanvolve.cli._output import (
    BENCH,
    CALIBRATE,
    COMPARE,
    PLOT,
    REPRODUCE,
    SEARCH,
    STUDIO,
    TRAIN,
    Work,
    output_file,
    output_folder,
)
from quanvolve.cli._study import export as study_export
from quanvolve.cli._study import plot
from quanvolve.study import Plan, Protocol, Table, contenders_for
from tests.cli.conftest import ok, refused

FOLDERS: dict[str, tuple[Work, list[str]]] = {
    "train": (TRAIN, ["train", "--output"]),
    "compare": (COMPARE, ["compare", "--output"]),
    "search": (SEARCH, ["search", "--output"]),
    "plot": (PLOT, ["study", "plot", "STUDY", "--output"]),
    "calibrate": (CALIBRATE, ["calibrate", "nowhere", "--output"]),
    "reproduce": (REPRODUCE, ["reproduce", "henderson", "--output"]),
    "bench": (BENCH, ["bench", "--peers", "", "--output"]),
    "studio": (STUDIO, ["studio", "--output"]),
}
FILES: dict[str, list[str]] = {
    "explain": ["explain", "nowhere", "--output"],
    "export": ["export", "nowhere", "--to", "onnx", "--output"],
    "study export": ["study", "export", "nowhere", "--output"],
    "look": ["look", "digits", "--output"],
    "predict": ["predict", "nowhere", "nothing.png", "--output"],
}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder of somebody else's."""
    folder = tmp_path / "checkout"
    (folder / ".git").mkdir(parents=True)
    for name in ("README.md", "setup.py", "report.html", "history.jsonl"):
        (folder / name).write_text("mine")
    return folder


def test_the_sweep_has_all_commands() -> None:
    commands = {one.__name__: one for one in (*_app._COMMANDS, plot, study_export)}
    with_output = {name for name, one in commands.items() if "output" in inspect.signature(one).parameters}
    # `study export` is named like the other one, and `circuits` writes a single picture into a folder of any kind.
    assert with_output == {*FOLDERS, "explain", "export", "circuits", "look", "predict"}


@pytest.mark.parametrize("command", FOLDERS)
def test_a_folder_of_somebody_else_is_left_alone(command: str, checkout: Path, tmp_path: Path) -> None:
    before = contents(checkout)
    message = refused(*FOLDERS[command][1], checkout)
    assert message == (
        f"--output {checkout} holds what is not of `quanvolve {FOLDERS[command][0].command}`: .git, README.md, "
        "history.jsonl and 2 more; give a new or an empty folder"
    )
    assert contents(checkout) == before
    assert [path.name for path in tmp_path.iterdir()] == ["checkout"]


@pytest.mark.parametrize("command", FOLDERS)
def test_what_cannot_become_a_folder(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    args = FOLDERS[command][1]
    assert refused(*args, tmp_path / "file") == f"--output {tmp_path / 'file'} is a file, expected a folder"
    deep = tmp_path / "file" / "below" / "it"
    assert refused(*args, deep) == f"--output {deep} cannot be made: Not a directory; choose another folder"
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    message = f"--output {tmp_path / 'broken'} is a broken link, expected a folder"
    assert refused(*args, tmp_path / "broken") == message
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("command", FILES)
def test_what_cannot_become_a_file(command: str, tmp_path: Path) -> None:
    args = FILES[command]
    assert refused(*args, tmp_path) == f"--output {tmp_path} is a folder, expected a file"
    (tmp_path / "file").write_text("mine")
    deep = tmp_path / "file" / "below" / "it"
    assert refused(*args, deep) == f"--output {deep} cannot be made: Not a directory; choose another file"
    assert refused(*args, "/dev/null") == "--output /dev/null is no ordinary file, expected a file"
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


HALF = """
import os, signal, sys
from pathlib import Path
from quanvolve._files import replacing
with replacing(Path(sys.argv[1])) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("work", [work for work, _ in FOLDERS.values()], ids=FOLDERS)
def test_new_empty_and_own_folders(work: Work, tmp_path: Path) -> None:
    output_folder(tmp_path / "deep" / "new", work)
    assert not (tmp_path / "deep").exists()
    output_folder(tmp_path, work)
    # What a killed process left half-written is nothing.
    process = subprocess.run([sys.executable, "-c", HALF, tmp_path / "run.json"], check=False)
    assert process.returncode == -signal.SIGKILL
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    output_folder(tmp_path, work)
    own = [*work.marks, *work.names]
    for name in own:
        (tmp_path / name).write_text("")
    if not work.resumes:
        output_folder(tmp_path, work)
        return
    with pytest.raises(ValueError, match=f"already holds {work.what}: continue it with --resume, or give another"):
        output_folder(tmp_path, work)
    output_folder(tmp_path, work, resume=True)


def test_a_study_that_is_there_is_continued_only_when_asked(tmp_path: Path) -> None:
    Table.create(tmp_path / "s", Plan("digits", None, tuple(contenders_for({}, ["pixels"])), Protocol()))
    before = contents(tmp_path)
    message = refused("compare", "--output", tmp_path / "s")
    assert message == (
        f"--output {tmp_path / 's'} already holds a study: continue it with --resume, or give another folder"
    )
    assert contents(tmp_path) == before
    (tmp_path / "other").mkdir()
    assert "has no study.sqlite" in refused("compare", "--output", tmp_path / "other", "--resume")


def test_names_that_no_file_can_have() -> None:
    with pytest.raises(ValueError, match="cannot be made: no file can have this name; choose another file"):
        output_file(Path("a\0b"))


def test_folders_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., bool] = os.access

    def access(path: Any, mode: int) -> bool:
        return Path(path) != tmp_path and real(path, mode)

    monkeypatch.setattr(os, "access", access)
    for check, kind in ((lambda path: output_folder(path, TRAIN), "folder"), (output_file, "file")):
        with pytest.raises(ValueError, match=f"cannot be made: Permission denied; choose another {kind}"):
            check(tmp_path / "new")


def test_files_are_replaced_and_their_folders_made(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "model.qasm"
    ok("circuits", "ry", "--draw", "--output", tmp_path / "pictures")
    assert [one.name for one in (tmp_path / "pictures").iterdir()] == ["ry.png"]
    first = ok("export", run, "--to", "qiskit", "--output", path).out
    size = path.stat().st_size
    path.write_text("old")
    assert ok("export", run, "--to", "qiskit", "--output", path).out == first
    assert path.stat().st_size == size
    assert [one.name for one in path.parent.iterdir()] == ["model.qasm"]
