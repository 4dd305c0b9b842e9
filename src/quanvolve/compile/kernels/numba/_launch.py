"""Parts of a kernel on all threads of torch's pool size, safely: after a fork, and from several threads at once."""

from __future__ import annotations

import os
import threading
from typing import Any

import numba
import torch

_here = os.getpid()
_busy = threading.Lock()
_LEAST, _MOST = 4, 64
"""Parts of a sum of gradients, where it is worth more than one thread."""
_WORTH = 4e6
"""Products that are worth a further part."""
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


def launch(serial: Any, parallel: Any, parts: int, *arguments: Any) -> None:
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
