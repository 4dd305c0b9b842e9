"""Parts of a kernel on all threads of torch's pool size, safely: after a fork, and from several threads at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import NamedTuple

import numba
import torch
from torch import Tensor

from quanvolve.compile.kernels.numba._arrays import Numbers
from quanvolve.compile.kernels.numba._memory import array

_here = os.getpid()
_busy = threading.Lock()
_LEAST, _MOST = 4, 64
"""Parts of a sum of gradients, where it is worth more than one thread."""
_WORTH = 4e6
"""Products that are worth a further part."""
_LIGHT = 20_000
"""Products of a number and a coefficient that are worth another thread."""
_ROOM = 64 * 2**20
"""Bytes that the gradients of all parts may take."""


def threads() -> int:
    """How many threads a kernel may use now: as many as torch, or one where the pool cannot be used.

    Numba's pools do not survive a fork, and some of them cannot be entered by two threads at once.
    """
    if os.getpid() != _here or _busy.locked():
        return 1
    return threads_of_pool()


def shares(work: float, tasks: int, size: int) -> int:
    """In how many parts gradients are added up: the same on any number of threads, so that the sum has one order.

    Args:
        work: products that all parts together are.
        tasks: of which a part has one at least.
        size: bytes of what each part adds to.
    """
    wanted = min(_MOST, max(_LEAST, int(work / _WORTH)))
    return max(1, min(wanted, tasks, _ROOM // max(1, size)))


def launch(serial: Callable[..., None], parallel: Callable[..., None], parts: int, *arguments: object) -> None:
    """Run a kernel's parts.

    Args:
        serial: called with (part, parts, *arguments) for each part.
        parallel: called with (parts, *arguments), runs all of them on the pool.
        parts: how many.
        arguments: of the kernel.
    """
    if parts > 1 and threads() > 1 and _busy.acquire(blocking=False):
        try:
            numba.set_num_threads(threads_of_pool())
            parallel(parts, *arguments)
        finally:
            _busy.release()
        return
    for part in range(parts):
        serial(part, parts, *arguments)


def threads_of_pool() -> int:
    """Threads of Numba's pool that torch's setting allows."""
    return max(1, min(torch.get_num_threads(), int(numba.config.NUMBA_NUM_THREADS)))


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
