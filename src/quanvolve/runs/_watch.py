"""The link between training and a run: writes each epoch down when it is finished, and tells the display."""

from __future__ import annotations

import json
import time
from typing import Any

from quanvolve._errors import ModelError
from quanvolve._files import write_whole
from quanvolve.estimators import Monitor, best_epoch
from quanvolve.runs._run import Run
from quanvolve.runs._tasks import watched_in
from quanvolve.runs._view import View


class Watch(Monitor):
    """Tells the run and the display of one training.

    Args:
        run: whose history is written.
        view: what the user sees.
    """

    def __init__(self, run: Run, view: View) -> None:
        self._run, self._view = run, view
        self._rows: list[dict[str, Any]] = []
        self._began = time.monotonic()
        self.preparation = 0.0
        """Seconds before the first epoch: building the model, computing fixed filters."""

    def on_features(self, done: int, total: int) -> None:
        if self._run.options.backbone != "none":
            self._view.features(done, total)

    def on_start(self, first_epoch: int, max_epochs: int, batches: int) -> None:
        """Write the history anew from the checkpoint: a kill may have torn a line, or left one missing."""
        self.preparation = time.monotonic() - self._began
        self._rows = _checkpoint_rows(self._run) if first_epoch > 1 else []
        write_whole(self._run.history, "".join(map(_line, self._rows)))
        self._view.start(first_epoch, max_epochs, batches, self._best())

    def on_batch(self, epoch: int, batch: int, loss: float) -> None:
        self._view.batch(epoch, batch, loss)

    def on_epoch(self, row: dict[str, Any]) -> None:
        """Append the epoch to the history."""
        line = _line(row)
        self._rows.append(row)
        with self._run.history.open("a", encoding="utf-8") as file:
            file.write(line)
        self._view.epoch(row, self._best())

    def _best(self) -> str:
        watched = watched_in(self._run.options, self._run.task)
        if not self._rows or self._rows[-1][f"valid_{watched}"] is None:
            return ""
        epoch = best_epoch(self._rows, watched)
        name = "" if watched == self._run.task.watched else f"{watched.replace('_', ' ')} "
        return f"best {name}{self._rows[epoch - 1][f'valid_{watched}']:.4f} (epoch {epoch})"


def _line(row: dict[str, Any]) -> str:
    """An epoch as a line of the history."""
    return json.dumps(row, allow_nan=False) + "\n"


def _checkpoint_rows(run: Run) -> list[dict[str, Any]]:
    """The history in a checkpoint that has already been checked."""
    from safetensors import safe_open

    try:
        with safe_open(run.checkpoint, framework="numpy") as file:
            rows: list[dict[str, Any]] = json.loads(file.metadata()["history"])
            return rows
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{run.checkpoint} is damaged ({error}): start again with another `checkpoint`") from error
