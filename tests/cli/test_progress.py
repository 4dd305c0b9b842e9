"""The displays: a live one for terminals, lines for files."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from quanvolve.cli import _progress
from quanvolve.cli._console import emit_table
from quanvolve.cli._counter import Counter
from quanvolve.cli._progress import Lines, Live, make_view
from quanvolve.estimators import Monitor
from quanvolve.runs import View
from quanvolve.runs._watch import Watch


class Terminal(io.StringIO):
    """Remembers what it was sent, and says it is a terminal."""

    def isatty(self) -> bool:
        return True


def row(epoch: int, accuracy: float | None) -> dict[str, Any]:
    return {"epoch": epoch, "train_loss": 0.5, "valid_loss": 0.6, "valid_accuracy": accuracy, "lr": 1.0, "seconds": 3.0}


def play(view: View) -> None:
    """What a run on downloaded data tells."""
    view.phase("starting")
    view.download("images.gz", 5_000_000, 10_000_000)
    view.download("images.gz", 10_000_000, 10_000_000)
    view.features(500, 1000)
    view.features(1000, 1000)
    view.start(1, 2, 30, "")
    view.batch(1, 15, 0.7)
    view.epoch(row(1, 0.9), "best 0.9000 (epoch 1)")
    view.batch(2, 15, 0.6)
    view.epoch(row(2, 0.8), "best 0.9000 (epoch 1)")
    view.phase("drawing")
    view.close()


def test_counter(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with Counter("trials", quiet=False) as counter:
        counter.show(0, 2, now="first")
        counter.show(0, 2, now="the same piece")
        counter.show(1, 2, "1 failed", "second")
        counter.show(2, 2)
    assert capsys.readouterr().out.splitlines() == [
        "0 of 2 trials done; first", "1 of 2 trials done, 1 failed; second", "2 of 2 trials done",
    ]  # fmt: skip
    with Counter("trials", quiet=True) as counter:
        counter.show(1, 2)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Counter("trials", quiet=False) as counter:
        counter.show(1, 2, now="second")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "second" in text
    assert "1/2" in text
    assert capsys.readouterr().out == ""


def test_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    # Every change is drawn, however fast they come.
    monkeypatch.setattr(Live, "_PAUSE", -1.0)
    terminal = Terminal()
    view = Live(terminal)
    show = view._show

    def drawn(*args: Any) -> None:
        show(*args)
        view._live.refresh()

    monkeypatch.setattr(view, "_show", drawn)
    play(view)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    for part in (
        "starting",
        "downloading images.gz",
        "5.0 of 10.0 MB",
        "500 of 1000 images",
        "epoch 1/2",
        "epoch 2/2, batch 15/30",
        "75%",
        "validation accuracy 0.9000  best 0.9000 (epoch 1)",
    ):
        assert part in text
    assert max(len(line) for line in re.split(r"[\r\n]", text)) <= 80
    # The cursor is shown again.
    assert terminal.getvalue().rfind("\x1b[?25h") > terminal.getvalue().rfind("\x1b[?25l")


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    play(Lines())
    assert capsys.readouterr().out.splitlines() == [
        "downloading images.gz",
        "filters computed for 1000 images",
        "epoch 1/2  loss 0.5000  validation accuracy 0.9000  best 0.9000 (epoch 1)  3.0 s",
        "epoch 2/2  loss 0.5000  validation accuracy 0.8000  best 0.9000 (epoch 1)  3.0 s",
    ]


def test_without_validation_data_there_is_no_accuracy(capsys: pytest.CaptureFixture[str]) -> None:
    view = Lines()
    view.start(3, 4, 10, "")
    view.epoch(row(3, None), "")
    assert capsys.readouterr().out.splitlines()[-1] == "epoch 3/4  loss 0.5000  3.0 s"


def test_which_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert type(make_view(quiet=False, json=False)) is Lines
    assert type(make_view(quiet=False, json=True)) is View
    monkeypatch.setattr(_progress.sys, "stdout", Terminal())
    assert type(make_view(quiet=True, json=False)) is View
    view = make_view(quiet=False, json=False)
    view.close()
    assert type(view) is Live
    monkeypatch.setenv("TERM", "dumb")
    assert type(make_view(quiet=False, json=False)) is Lines


def test_cells_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    emit_table([("file.npy[3]", "[red]x[/red]")], ("name", "label"))
    assert "file.npy[3]  [red]x[/red]" in capsys.readouterr().out


def test_training_is_watched_by_a_monitor() -> None:
    assert issubclass(Watch, Monitor)
