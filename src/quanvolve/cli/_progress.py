"""What training shows while it runs: one calm display on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from quanvolve.cli._console import emit, is_terminal
from quanvolve.runs import View, task_of_row

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.text import Text


class Lines(View):
    """One line an epoch, for files and pipes."""

    def __init__(self) -> None:
        self._file = ""
        self._epochs = 0

    def data(self, lines: list[str]) -> None:
        emit("\n".join([*lines, ""]))

    def download(self, file: str, done: int, total: int | None) -> None:
        if file != self._file:
            self._file = file
            emit(f"downloading {file}")

    def features(self, done: int, total: int) -> None:
        if done == total:
            emit(f"filters computed for {total} images")

    def settings(self, done: int, total: int) -> None:
        emit(f"{done} of {total} settings")

    def start(self, first_epoch: int, max_epochs: int, batches: int, best: str) -> None:
        self._epochs = max_epochs
        if first_epoch > 1:
            emit(f"continuing after epoch {first_epoch - 1} of {max_epochs}, {best}")

    def epoch(self, row: dict[str, Any], best: str) -> None:
        emit(f"epoch {row['epoch']}/{self._epochs}  {measured(row, best)}  {row['seconds']:.1f} s")


class Live(View):
    """A bar and a line of numbers below it, redrawn in place.

    Args:
        stream: the terminal.
    """

    _PAUSE = 0.1  # seconds between two changes; faster ones only flicker

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console, Group
        from rich.live import Live as RichLive
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
        from rich.text import Text

        self._bar: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=22),
            TaskProgressColumn(markup=True),
            TextColumn("{task.fields[count]}", markup=False),
        )
        self._text: Text = Text("", no_wrap=True, overflow="ellipsis")
        self._live = RichLive(
            Group(self._bar, self._text),
            console=Console(file=stream, highlight=False),
            refresh_per_second=8,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, count="")
        self._name = ""
        self._epochs = self._batches = 1
        self._last = 0.0
        self._accuracy = ""
        self._loss = float("nan")
        self._slow = False
        self._live.start()

    def phase(self, text: str) -> None:
        self._show(text, None, None)
        self._text.plain = ""
        self._live.refresh()

    def data(self, lines: list[str]) -> None:
        self._live.console.print("\n".join([*lines, ""]), markup=False, emoji=False)

    def download(self, file: str, done: int, total: int | None) -> None:
        megabytes = f"{done / 1e6:.1f}" + (f" of {total / 1e6:.1f} MB" if total else " MB")
        self._show(f"downloading {file}", done, total, megabytes)

    def features(self, done: int, total: int) -> None:
        self._show("filters ", done, total, f"{done} of {total} images")

    def settings(self, done: int, total: int) -> None:
        self._show("device", done, total, f"{done} of {total} settings")
        self._live.refresh()

    def start(self, first_epoch: int, max_epochs: int, batches: int, best: str) -> None:
        self._epochs, self._batches = max_epochs, batches
        self._accuracy = best
        self._show("training", (first_epoch - 1) * batches, max_epochs * batches, f"epoch {first_epoch}/{max_epochs}")
        self._began = time.monotonic()
        self._numbers()

    def batch(self, epoch: int, batch: int, loss: float) -> None:
        # The loss of single batches jumps about.
        self._loss = loss if self._loss != self._loss else 0.95 * self._loss + 0.05 * loss
        now = time.monotonic()
        if now - self._last < self._PAUSE:
            return
        self._last = now
        self._slow = self._slow or now - self._began > 2
        where = f"epoch {epoch}/{self._epochs}" + (f", batch {batch}/{self._batches}" if self._slow else "")
        self._show("training", (epoch - 1) * self._batches + batch, self._epochs * self._batches, where)
        self._numbers()

    def epoch(self, row: dict[str, Any], best: str) -> None:
        self._loss, self._accuracy = row["train_loss"], accuracies(row, best)
        self._began, self._slow = time.monotonic(), row["seconds"] > 2

    def close(self) -> None:
        self._live.stop()

    def _show(self, name: str, done: int | None, total: int | None, count: str = "") -> None:
        if name != self._name:
            # A new task, since the time left is reckoned from the speed so far.
            self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=total, completed=done or 0, count=count)
            self._name = name
        else:
            left = self._bar.tasks[0].time_remaining
            if left is not None and total and done != total:
                count += f", {int(left) // 60}:{int(left) % 60:02} left"
            self._bar.update(self._task, total=total, completed=done or 0, count=count)

    def _numbers(self) -> None:
        loss = "" if self._loss != self._loss else f"loss {self._loss:.4f}"
        self._text.plain = "  ".join(part for part in ("        ", loss, self._accuracy) if part)


def measured(row: dict[str, Any], best: str) -> str:
    """The numbers of an epoch on one line."""
    parts = (f"loss {row['train_loss']:.4f}", accuracies(row, best))
    return "  ".join(part for part in parts if part)


def accuracies(row: dict[str, Any], best: str) -> str:
    """The validation score, such as the accuracy, now and at best; nothing where there are no validation data."""
    task = task_of_row(row)
    now = row[f"valid_{task.watched}"]
    return "" if now is None else f"validation {task.title} {now:.4f}  {best}"


def make_view(*, quiet: bool, json: bool) -> View:
    """The display for this terminal; where stdout is for JSON alone, on stderr or not at all."""
    stream = sys.stderr if json else sys.stdout
    if quiet:
        return View()
    if is_terminal(stream):
        return Live(stream)
    return View() if json else Lines()
