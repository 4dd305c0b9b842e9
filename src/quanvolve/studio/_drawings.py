"""Figures as pictures of the page, drawn on one thread that does nothing else."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quanvolve._errors import QuanvolveError
from quanvolve.figures import save_figure
from quanvolve.studio._problems import Refused

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KEPT, _WAITING = 256, 128
_RETRY = 2  # seconds: some pictures
# What matplotlib's figures share, such as its reader of mathematical text, is not made for several threads.
_lock = threading.Lock()
_logger = logging.getLogger("quanvolve.studio")


def svg_bytes(draw: Callable[[], Figure], *, dark: bool = False) -> bytes:
    """A figure as an SVG file.

    Args:
        draw: makes it, in the common style.
        dark: light letters on dark paper.
    """
    with _lock, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figure.svg"
        save_figure(draw(), path, dark=dark)
        return path.read_bytes()


@dataclass
class _Work:
    task: asyncio.Task[bytes]
    wanted_by: int = 0


class Drawings:
    """The pictures of one server process: the last ones are kept, and one that many ask for is drawn once.

    Args:
        seconds: time until an answer is given up.
        pictures: how many are kept.
        waiting: different pictures that may wait to be drawn.
    """

    def __init__(self, seconds: float, pictures: int = _KEPT, waiting: int = _WAITING) -> None:
        self._seconds, self._most, self._waiting = seconds, pictures, waiting
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="quanvolve-draw")
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._work: dict[Hashable, _Work] = {}

    async def picture(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """A picture, from memory if it is there.

        Args:
            key: what tells it from all others.
            make: draws it; called on the thread.

        Raises:
            Refused: if too many wait, it takes too long, or cannot be drawn.
            QuanvolveError: of `make`.
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        work = self._work.get(key)
        if work is None:
            if len(self._work) >= self._waiting:
                raise Refused(503, "busy", f"{len(self._work)} pictures wait to be drawn: ask again later", _RETRY)
            work = self._work[key] = _Work(asyncio.get_running_loop().create_task(self._drawn(make)))
            work.task.add_done_callback(lambda _, work=work: self._done(key, work))  # type: ignore[misc]
        work.wanted_by += 1
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.shield(work.task)
        except TimeoutError:
            raise Refused(
                503, "slow", f"the picture took longer than {self._seconds:g} s and was given up", _RETRY
            ) from None
        finally:
            work.wanted_by -= 1
            if not work.wanted_by and not work.task.done():
                work.task.cancel()  # nobody waits for it: it is not begun
                self._forget(key, work)

    async def _drawn(self, make: Callable[[], bytes]) -> bytes:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, make)
        except (QuanvolveError, Refused, OSError):
            raise
        except Exception as error:  # of a library
            _logger.exception("a picture cannot be drawn")
            raise Refused(
                503, "picture", f"this picture cannot be drawn ({type(error).__name__}); the studio's log has more"
            ) from error

    def _forget(self, key: Hashable, work: _Work) -> None:
        if self._work.get(key) is work:
            del self._work[key]

    def _done(self, key: Hashable, work: _Work) -> None:
        self._forget(key, work)
        if not work.task.cancelled() and work.task.exception() is None:
            self._kept[key] = work.task.result()
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)
