"""How many threads work: torch's own operators, and the kernels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_of_kernels = ContextVar[int | None]("threads of kernels", default=None)


def kernel_threads() -> int:
    """Threads that a kernel may use: as many as torch's setting says, or said before :func:`one_thread`."""
    return max(1, _of_kernels.get() or torch.get_num_threads())


@contextmanager
def one_thread(on: bool = True) -> Iterator[None]:
    """Let torch's own operators run on one thread for a while, and kernels on as many as before.

    Small operators are no faster on several threads. Those of torch wait for the next operator by spinning, which takes
    the processors from everything else; on a busy machine each operator then waits for a thread that has no processor.

    Args:
        on: whether to do so.

    Examples:
        >>> before = torch.get_num_threads()
        >>> with one_thread():
        ...     torch.get_num_threads(), kernel_threads() == before
        (1, True)
        >>> torch.get_num_threads() == before
        True
    """
    before = torch.get_num_threads()
    if not on or before == 1:
        yield
        return
    token = _of_kernels.set(kernel_threads())
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _of_kernels.reset(token)
