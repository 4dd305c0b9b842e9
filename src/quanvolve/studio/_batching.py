"""Predictions of concurrent requests, computed together: while one batch is in work, the next one gathers."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from prometheus_client import Histogram

from quanvolve.studio._loaded import Loaded
from quanvolve.studio._wanted import GivenUp

Floats = npt.NDArray[Any]
_MOST = 512  # images of a batch; a single request may have more
_PIECE = 128  # images after which all who asked may have given up


class Batcher:
    """Predicts for one server process, on a thread of its own.

    Args:
        together: whether requests share batches.
        sizes: told of the images of every batch.
    """

    def __init__(self, together: bool, sizes: Histogram) -> None:
        self._together, self._sizes = together, sizes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="quanvolve-predict")
        self._waiting: deque[tuple[Loaded, Floats, asyncio.Future[Floats]]] = deque()
        self._task: asyncio.Task[None] | None = None

    def outputs(self, model: Loaded, images: Floats) -> asyncio.Future[Floats]:
        """What a model says of images in the units of the training data; not computed if cancelled."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Floats] = loop.create_future()
        self._waiting.append((model, images, answer))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work())
        return answer

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if self._waiting[0][2].done():  # its client has gone, or its time is up
                self._waiting.popleft()
                continue
            model, taken = self._take()
            answers = [answer for _, answer in taken]
            try:
                images = taken[0][0] if len(taken) == 1 else np.concatenate([part for part, _ in taken])
                self._sizes.observe(len(images))
                outputs = await loop.run_in_executor(self._thread, _in_pieces, model, images, answers)
            except Exception as error:
                for answer in answers:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            start = 0
            for part, answer in taken:
                if not answer.done():
                    answer.set_result(outputs[start : start + len(part)])
                start += len(part)

    def _take(self) -> tuple[Loaded, list[tuple[Floats, asyncio.Future[Floats]]]]:
        """What waits for the same model as the first in the queue."""
        model, images, answer = self._waiting.popleft()
        taken, count = [(images, answer)], len(images)
        while self._together and self._waiting:
            other, more, _ = self._waiting[0]
            if other is not model or count + len(more) > _MOST:
                break
            _, images, answer = self._waiting.popleft()
            taken.append((images, answer))
            count += len(images)
        return model, taken

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def _in_pieces(model: Loaded, images: Floats, answers: list[asyncio.Future[Floats]]) -> Floats:
    pieces = []
    for start in range(0, max(1, len(images)), _PIECE):
        if all(answer.done() for answer in answers):
            raise GivenUp
        pieces.append(model.outputs(images[start : start + _PIECE]))
    return np.concatenate(pieces)
