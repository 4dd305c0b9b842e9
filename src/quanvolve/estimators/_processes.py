"""Training over several processes, by accelerate: each has its part of every batch, and gradients are averaged."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from quanvolve._errors import QuanvolveError

ACCELERATE = "accelerate"
"""The name of a device that stands for whatever `accelerate launch` has given this process."""


def accelerator_for(device: str) -> Any:
    """The accelerator of this process; None for any other device.

    Raises:
        QuanvolveError: if accelerate is not installed.
    """
    if device != ACCELERATE:
        return None
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise QuanvolveError(
            "`device='accelerate'` needs the package accelerate: install it with pip install 'quanvolve[cluster]'"
        ) from error
    return Accelerator(cpu=not torch.cuda.is_available())


def place_of(device: str) -> str:
    """The device that tensors go to."""
    accelerator = accelerator_for(device)
    return device if accelerator is None else str(accelerator.device)


def net_class(kind: type[Any], accelerator: Any) -> tuple[type[Any], dict[str, Any]]:
    """A class of skorch, over several processes where there is an accelerator, and further arguments of it."""
    if accelerator is None:
        return kind, {"callbacks__print_log": None}
    from skorch.hf import AccelerateMixin

    class OverProcesses(AccelerateMixin, kind):  # type: ignore[misc]  # skorch has no types
        """A network whose module is wrapped, and whose gradients and losses are averaged over processes."""

        def train_step(self, batch: Any, **params: Any) -> dict[str, Any]:
            step: dict[str, Any] = super().train_step(batch, **params)
            step["loss"] = self.accelerator.reduce(step["loss"].detach(), reduction="mean")
            return step

    share = (accelerator.process_index, accelerator.num_processes)
    # The callback that prints stays, but in silence: skorch's mixin expects it.
    return OverProcesses, {
        "accelerator": accelerator, "unwrap_after_train": False, "iterator_train__share": share,
        "callbacks__print_log__sink": _silence,
    }  # fmt: skip


def _silence(*_: object) -> None:
    """Print nothing."""


def own_module(module: nn.Module, accelerator: Any) -> nn.Module:
    """The module inside the wrapper that averages gradients."""
    unwrapped: nn.Module = module if accelerator is None else accelerator.unwrap_model(module)
    return unwrapped
