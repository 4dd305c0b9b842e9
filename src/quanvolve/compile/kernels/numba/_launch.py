"""Parts of a kernel on as many threads as torch has, safely: after a fork, and from several threads at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from quanvolve.compile.kernels.numba._arrays import Numbers
from quanvolve.compile.kernels.numba._memory import array
from quanvolve.compile.kernels.numba._pool import share_out

_here = os.getpid()
_busy = threading.Lock()
_LEAST, _MOST = 4, 64
"""Parts of a sum of gradients, where it is worth more than one thread."""
_WORTH = 4e6
"""Products that are worth a further part."""
_LIGHT = 4e6
"""Products of a number and a coefficient that are worth another thread: some 0.1 ms, ten times what waking it costs."""
_ROOM = 64 * 2**20
"""Bytes that the gradients of all parts may take."""


def threads() -> int:
    """How many threads a kernel may use now: as many as torch, or one after a fork and while others have the pool.

    A process that was forked to load data shares its processors with others of its kind.
    """
    if os.getpid() != _here or _busy.locked():
        return 1
    return max(1, torch.get_num_threads())


def shares(work: float, tasks: int, size: int) -> int:
    """In how many parts gradients are added up: the same on any number of threads, so that the sum has one order.

    Args:
        work: products that all parts together are.
        tasks: of which a part has one at least.
        size: bytes of what each part adds to.
    """
    wanted = min(_MOST, max(_LEAST, int(work / _WORTH)))
    return max(1, min(wanted, tasks, _ROOM // max(1, size)))


def launch(serial: Callable[..., None], parts: int, *arguments: object) -> None:
    """Run a kernel's parts.

    Args:
        serial: called with (part, parts, *arguments) for each part; it must not hold Python's lock.
        parts: how many.
        arguments: of the kernel.
    """
    count = threads() if parts > 1 else 1
    if count > 1 and _busy.acquire(blocking=False):
        try:
            share_out(lambda part: serial(part, parts, *arguments), parts, count)
        finally:
            _busy.release()
        return
    for part in range(parts):
        serial(part, parts, *arguments)


def pixels_of(images: Tensor) -> Numbers:
    """Images as rows of pixels in memory."""
    return array(images).reshape(len(images), -1)


class WindowWork(NamedTuple):
    """How the windows of a batch are shared among threads.

    Args:
        images, groups, places: how many of each.
        products: that one image takes.
    """

    images: int
    groups: int
    places: int
    products: float

    @property
    def _tasks(self) -> int:
        return self.images * self.groups

    def forward(self, small: int) -> tuple[int, int]:
        """(parts, pieces): the parts that run at once, and the runs of places that an image is cut into.

        Args:
            small: places that are worth a task of their own, whatever the number of threads.
        """
        most = min(4 * threads() // self._tasks, self.places // 256)
        pieces = max(1, min(self.places // small, 64), most)
        parts = 1 if self.products * self.images < _LIGHT else min(4 * threads(), self._tasks * pieces)
        return parts, pieces

    def backward(self, size: int) -> tuple[int, int]:
        """The same for gradients, the same on any number of threads.

        Args:
            size: bytes of what each part adds to.
        """
        total = self.products * self.images
        parts = 1 if total < _LIGHT else shares(total, self._tasks * max(1, self.places // 256), size)
        pieces = 1 if self._tasks >= parts else min(parts, max(1, self.places // 256))
        return min(parts, self._tasks * pieces), pieces
