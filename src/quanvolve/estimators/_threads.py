"""Small work on one thread: a second one that has to be woken, or waited for, takes longer than it helps.

It is also the same to the bit on any number of threads then, whatever torch adds up in parts.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from quanvolve.compile import plain_work

_SHARED = 1e5
"""Numbers of an operation that are worth a second thread."""
_MOST = 1e9


@contextmanager
def one_thread(alone: bool = True) -> Iterator[None]:
    """Let torch use one thread for a while.

    Args:
        alone: whether to; else nothing is changed.
    """
    before = torch.get_num_threads()
    if not alone or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def is_small(module: nn.Module, samples: Tensor) -> bool:
    """Whether the operations that a module runs on these samples are small, by their number and that of their results.

    Args:
        module: on the CPU; elsewhere nothing is small.
        samples: a batch, on the CPU.
    """
    if any(tensor.device.type != "cpu" for tensor in module.state_dict().values()):
        return False
    copied = copy.deepcopy(module).eval()
    with torch.random.fork_rng(devices=[]), one_thread():
        work = plain_work(lambda: copied(samples), _MOST)
    return work is not None and work.numbers < _SHARED * work.operations
