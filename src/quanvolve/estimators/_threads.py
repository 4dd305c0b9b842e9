"""Small networks are trained on one thread: more of them only wait for each other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from quanvolve.compile import one_thread
from quanvolve.estimators._batches import TensorData
from quanvolve.nn import CoherentTree, QuanvNd

_SMALL = 5_000_000
"""Products of a forward pass that are worth a second thread of torch's: some 0.2 ms."""
_VALUE = 4
"""What a value costs that no product is made for, in products; nothing beside quantum layers, whose own threads would
be disturbed for less than is gained."""


@contextmanager
def as_many_as_needed(module: nn.Module, data: TensorData, batch_size: int, device: str) -> Iterator[None]:
    """Let torch use one thread for a while where a batch is small; the kernels of layers choose for themselves.

    What is small depends on the network and the batch alone, so that results do not depend on how busy the machine is.

    Args:
        module: what is trained.
        data: what on.
        batch_size: samples a step.
        device: where.
    """
    small = device == "cpu" and work_of(module, data[slice(0, 1)][0]) * min(batch_size, len(data)) < _SMALL
    with one_thread(small):
        yield


def work_of(module: nn.Module, samples: Tensor) -> float:
    """Products that torch's own layers make in a forward pass, roughly.

    Args:
        module: which, left as it was.
        samples: what for, with a leading axis.

    Examples:
        >>> work_of(nn.Linear(100, 10), torch.zeros(2, 100))
        2000.0
    """
    total = 0.0
    quantum = any(isinstance(layer, QuanvNd | CoherentTree) for layer in module.modules())
    value = 0 if quantum else _VALUE

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: object) -> None:
        nonlocal total
        if not isinstance(output, Tensor):
            return
        weight = layer._parameters.get("weight")
        linear = isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d) and weight is not None
        total += output.numel() * (math.prod(weight.shape[1:]) if linear and weight is not None else value)

    leaves = [layer for layer in module.modules() if not list(layer.children())]
    own = [layer for layer in leaves if type(layer).__module__.startswith("torch.")]
    hooks = [layer.register_forward_hook(count) for layer in own]
    training = {layer: layer.training for layer in module.modules()}
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            module.eval()(samples)
    finally:
        for hook in hooks:
            hook.remove()
        for layer, was in training.items():
            layer.training = was
    return total
