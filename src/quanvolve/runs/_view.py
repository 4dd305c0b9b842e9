"""What a run tells whoever watches it."""

from __future__ import annotations

from typing import Any


class View:
    """Told of everything, shows nothing; the others override what they show."""

    def phase(self, text: str) -> None:
        """Something begins that has no measure."""

    def data(self, lines: list[str]) -> None:
        """What was understood of the data."""

    def download(self, file: str, done: int, total: int | None) -> None:
        """So many bytes of a file have come."""

    def features(self, done: int, total: int) -> None:
        """So many images have gone through the fixed filters."""

    def settings(self, done: int, total: int) -> None:
        """So many settings of a filter have run on a device."""

    def start(self, first_epoch: int, max_epochs: int, batches: int, best: str) -> None:
        """Training begins or goes on; `best` says how good it was so far."""

    def batch(self, epoch: int, batch: int, loss: float) -> None:
        """A batch is done."""

    def epoch(self, row: dict[str, Any], best: str) -> None:
        """An epoch is done."""

    def close(self) -> None:
        """Leave the terminal as it was."""
