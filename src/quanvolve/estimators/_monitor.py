"""What a training tells whoever watches it."""

from __future__ import annotations

from typing import Any


class Monitor:
    """What training tells whoever watches; every method may be overridden and does nothing by itself."""

    def on_features(self, done: int, total: int) -> None:
        """So many images have gone through the fixed filters."""

    def on_start(self, first_epoch: int, max_epochs: int, batches: int) -> None:
        """Training begins, or goes on, with epoch `first_epoch` (from 1) of so many, each of so many batches."""

    def on_batch(self, epoch: int, batch: int, loss: float) -> None:
        """A training batch (from 1) is done."""

    def on_epoch(self, row: dict[str, Any]) -> None:
        """An epoch is done, and its checkpoint written; `row` is its line of the history."""


class Printer(Monitor):
    """A line an epoch.

    Args:
        watched: the validation number that is printed.
    """

    def __init__(self, watched: str) -> None:
        self._watched = watched

    def on_epoch(self, row: dict[str, Any]) -> None:
        score = row[f"valid_{self._watched}"]
        text = "" if score is None else f"  valid {self._watched.replace('_', ' ')} {score:.4f}"
        print(f"epoch {row['epoch']}  loss {row['train_loss']:.4f}{text}  {row['seconds']:.1f} s")
