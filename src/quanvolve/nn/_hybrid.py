"""Hybrid models: a backbone that makes feature maps, and a head that classifies them."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.nn._backbones import BACKBONES, QUANTUM_BACKBONES, WINDOW, make_backbone, make_dense_backbone
from quanvolve.nn._filters import DESCRIBED, measured_values
from quanvolve.nn._geometry import Geometry, IntOrTuple
from quanvolve.nn._heads import HeadLike, make_head


class HybridModel(nn.Module):
    """A backbone and a head.

    Args:
        backbone: inputs (N, C, *size) or (N, features) to feature maps.
        head: feature maps to class scores (N, classes).

    Examples:
        >>> from quanvolve.nn import Quanv2d, make_head
        >>> model = HybridModel(Quanv2d(1, 4, 2, stride=2), make_head("linear", (4, 4, 4), 10))
        >>> model(torch.rand(3, 1, 8, 8)).shape
        torch.Size([3, 10])
    """

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Class scores."""
        scores: Tensor = self.head(self.backbone(images))
        return scores

    @property
    def fixed_backbone(self) -> bool:
        """Whether the backbone has nothing to train, so that its feature maps can be computed once."""
        return not any(p.requires_grad for p in self.backbone.parameters())


def hybrid_model(
    input_shape: tuple[int, ...],
    n_classes: int,
    backbone: str | nn.Module = "quantum",
    head: HeadLike = "linear",
    *,
    out_channels: int | None = None,
    kernel_size: IntOrTuple = 2,
    stride: IntOrTuple | None = None,
    padding: IntOrTuple | str = 0,
    trainable: bool = True,
    seed: int | None = None,
    **quantum: Any,
) -> HybridModel:
    """A model of a quantum or classical backbone and a quantum or classical head, in matching shapes.

    Exchanging "quantum" for "classical" as the backbone, or for "mlp" as the head, leaves every shape in the model as
    it was, so that the four combinations can be compared.

    Args:
        input_shape: (features,), (C, L), (C, H, W) or (C, D, H, W), without the batch.
        n_classes: number of classes.
        backbone: "quantum" (a quantum convolution, or :class:`QuantumLinear` for features), "classical" (torch's
            layer of the same shape, then ReLU), "none", or a module, which is copied.
        head: as in :func:`make_head`.
        out_channels: channels (or features) that the backbone gives. Default: what one quantum filter measures.
        kernel_size, stride, padding: of the convolution; the stride is the kernel size if it is not given. Features
            have no use for them.
        trainable: whether the backbone is trained.
        seed: fixes all weights; torch's global generator is left alone.
        quantum: further arguments of the quantum backbone, such as `circuit`, `encoding` or `n_layers`; a classical
            convolution has `dilation`, `groups` and `padding_mode` of them.

    Raises:
        QuanvolveError: for unknown names, or shapes that make no model.

    Examples:
        >>> model = hybrid_model((1, 28, 28), 10, "quantum", "mlp", seed=0)
        >>> model(torch.rand(5, 1, 28, 28)).shape
        torch.Size([5, 10])
        >>> twin = hybrid_model((1, 28, 28), 10, "classical", "mlp", seed=0)
        >>> twin.backbone(torch.rand(5, 1, 28, 28)).shape == model.backbone(torch.rand(5, 1, 28, 28)).shape
        True
        >>> hybrid_model((2,), 2, "quantum", "quantum", seed=0)(torch.rand(5, 2)).shape
        torch.Size([5, 2])
    """
    if not 1 <= len(input_shape) <= 4 or any(n < 1 for n in input_shape):
        raise QuanvolveError(
            f"`input_shape` (={tuple(input_shape)}) must be (features,), (C, L), (C, H, W) or (C, D, H, W) without "
            "the batch, and no axis of it may be empty"
        )
    window = (kernel_size, kernel_size if stride is None else stride, padding)
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if isinstance(backbone, nn.Module):
            made = copy.deepcopy(backbone)
            shape = _shape_after(made, input_shape)
        elif backbone == "none":
            made, shape = nn.Identity(), tuple(input_shape)
        elif backbone not in BACKBONES:
            raise QuanvolveError(
                f"`backbone` (={backbone!r}) must be one of {', '.join(map(repr, BACKBONES))} or an nn.Module"
            )
        elif len(input_shape) == 1:
            made, shape = _dense(backbone, input_shape[0], out_channels, trainable, seed, quantum)
        else:
            made, shape = _convolution(backbone, tuple(input_shape), out_channels, window, trainable, seed, quantum)
        if seed is not None:
            torch.manual_seed(seed + 1)  # the head's weights have nothing to do with the backbone's
        return HybridModel(made, make_head(head, shape, n_classes))


def _dense(
    kind: str, features: int, out: int | None, trainable: bool, seed: int | None, quantum: dict[str, Any]
) -> tuple[nn.Module, tuple[int, ...]]:
    channels = _measured(features, quantum) if out is None else out
    only = quantum if kind in QUANTUM_BACKBONES else {}
    return make_dense_backbone(kind, features, channels, trainable=trainable, seed=seed, **only), (channels,)


def _convolution(
    kind: str,
    input_shape: tuple[int, ...],
    out: int | None,
    window: tuple[IntOrTuple, IntOrTuple, IntOrTuple | str],
    trainable: bool,
    seed: int | None,
    quantum: dict[str, Any],
) -> tuple[nn.Module, tuple[int, ...]]:
    in_channels, *size = input_shape
    shared = {name: quantum[name] for name in WINDOW if name in quantum}
    geometry = Geometry.parse(len(size), *window, **{n: v for n, v in shared.items() if n != "groups"})
    together = in_channels // shared.get("groups", 1) if quantum.get("channel_mixing") == "joint" else 1
    channels = _measured(geometry.window_size * together, quantum) if out is None else out
    backbone = make_backbone(
        kind,
        in_channels,
        channels,
        geometry.kernel_size,
        geometry.stride,
        trainable=trainable,
        seed=seed,
        padding=geometry.padding,
        **(quantum if kind in QUANTUM_BACKBONES else shared),
    )
    return backbone, (channels, *geometry.output_size(tuple(size)))


def _measured(n_inputs: int, quantum: dict[str, Any]) -> int:
    described = {name: quantum[name] for name in DESCRIBED if name in quantum}
    return measured_values(n_inputs=n_inputs, **{"circuit": "strongly_entangling", **described})


def _shape_after(module: nn.Module, input_shape: tuple[int, ...]) -> tuple[int, ...]:
    """What a module makes of one input; a copy is tried, so that nothing in the module itself changes."""
    like = next(module.parameters(), torch.empty(0))
    probe = copy.deepcopy(module).eval()
    with torch.no_grad():
        output = probe(torch.zeros(1, *input_shape, dtype=like.dtype, device=like.device))
    return tuple(output.shape[1:])
