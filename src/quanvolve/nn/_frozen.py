"""A layer as it is now: its filters are compiled once for all, and only their values travel on."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from quanvolve.analysis import LayerView
from quanvolve.compile import use_kernels
from quanvolve.nn._apply import Static, apply, check_angles, check_images, compile_rows


class Frozen(nn.Module):
    """What :meth:`quanvolve.Quanv2d.frozen` returns.

    Args:
        layer: whose weights are compiled.
        static: what it computes.
    """

    scale: float | Tensor
    bias: Tensor | None

    def __init__(self, layer: LayerView, static: Static) -> None:
        super().__init__()
        self._static, self.in_channels, self._dense = static, layer.in_channels, layer.dense
        with torch.no_grad(), use_kernels(False):
            like = next(iter((*layer.parameters(), *layer.buffers())), torch.empty(0))
            weights = {name: weight.detach() for name, weight in layer.circuit_weights().items()}
            compiled = compile_rows(static.planner.choose(None), weights, like, static.layout, None)
        tensors, self._form = tree_flatten(compiled)
        self._count = len(tensors)
        for number, tensor in enumerate(tensors):
            self.register_buffer(f"compiled{number}", tensor.detach().clone())
        if isinstance(layer.scale, Tensor):
            self.register_buffer("scale", layer.scale.detach().clone())
        else:
            self.scale = layer.scale
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach().clone())

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, *size) to measured values (N, out_channels, *places); of a dense layer features to values."""
        if self._dense:
            return self._values(images.reshape(-1, 1, images.shape[-1])).reshape(*images.shape[:-1], -1)
        return self._values(images)

    def _values(self, images: Tensor) -> Tensor:
        static = self._static
        tensors = [self.get_buffer(f"compiled{number}") for number in range(self._count)]
        compiled = tree_unflatten(tensors, self._form)
        if torch.compiler.is_compiling():
            from quanvolve.nn._traced import as_tensor, traced_frozen  # loads torch._dynamo

            bias: dict[str, Tensor] = {} if self.bias is None else {"bias": self.bias}
            return traced_frozen(static, images, compiled, as_tensor(self.scale, images), bias)
        like = tensors[0] if tensors else images
        check_images(images, self.in_channels, len(static.geometry.kernel_size), like)
        check_angles(images, self.scale, static.circuits)
        with use_kernels(False):
            plan = static.planner.choose(None)
            return apply(
                images, plan, compiled, static.layout, static.geometry, self.scale, static.channel_mixing, self.bias
            )
