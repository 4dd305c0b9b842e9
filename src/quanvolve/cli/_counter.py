"""Progress of work in pieces that are counted: trials, trainings."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from quanvolve.cli._console import emit, is_terminal


class Counter:
    """A bar on a terminal, elsewhere a line whenever a piece is done; to be used in a `with` statement.

    Args:
        pieces: what is counted, in the plural.
        quiet: show nothing.
    """

    def __init__(self, pieces: str, quiet: bool) -> None:
        self._pieces, self._quiet, self._done = pieces, quiet, -1
        self._bar: Any = None

    def __enter__(self) -> Counter:
        if not self._quiet and is_terminal(sys.stderr):
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
                TimeRemainingColumn(), console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self._task = self._bar.add_task(self._pieces, total=None)
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, total: int, note: str = "", now: str = "") -> None:
        """Say how much is done.

        Args:
            done: so many.
            total: of so many.
            note: said about what is done.
            now: what is being done.
        """
        if self._bar is not None:
            self._bar.update(self._task, description=now or note or self._pieces, total=total, completed=done)
        elif not self._quiet and done != self._done:
            said = [f"{done} of {total} {self._pieces} done", *([note] if note else [])]
            emit(", ".join(said) + (f"; {now}" if now else ""))
        self._done = done
