"""The layer as slow, obvious loops over windows, in any number of dimensions."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.compile.reference import run_description

PAD = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def repeated(value: Any, dims: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,) * dims


def slow_quanv(
    layer: Any,
    images: Tensor,
    *,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    channel_mixing: str = "sum",
    scale: float = float(np.pi),
) -> Tensor:
    """All values of a layer, one circuit at a time; the geometry comes from the caller and not from the layer."""
    dims = images.dim() - 2
    kernel, step, gaps = (repeated(value, dims) for value in (kernel_size, stride, dilation))
    reach = [d * (k - 1) for k, d in zip(kernel, gaps, strict=True)]
    if padding == "same":
        sides = [(r // 2, r - r // 2) for r in reach]
    else:
        sides = [(p, p) for p in repeated(0 if padding == "valid" else padding, dims)]
    padded = np.pad(images.double().numpy(), [(0, 0), (0, 0), *sides], mode=PAD[padding_mode])
    count, channels, *size = padded.shape
    places = [(n - r - 1) // s + 1 for n, r, s in zip(size, reach, step, strict=True)]
    weights = {name: getattr(layer, name).detach().double().numpy() for name, _ in layer.circuits[0].weight_shapes}
    measured = layer.circuits[0].n_outputs
    inside = channels // groups
    out = np.zeros((count, layer.out_channels, *places))
    for n in range(count):
        for place in np.ndindex(*places):
            window = [
                [
                    padded[(n, c, *(p * s + o * d for p, s, o, d in zip(place, step, offset, gaps, strict=True)))]
                    for offset in np.ndindex(*kernel)
                ]
                for c in range(channels)
            ]
            for channel in range(layer.out_channels):
                group, rest = divmod(channel, layer.out_channels // groups)
                own = [np.array(window[c]) for c in range(group * inside, (group + 1) * inside)]
                if channel_mixing == "joint":
                    own = [np.concatenate(own)]
                filters = -(-(layer.out_channels // groups) // measured)
                row = group * filters + rest // measured
                for c, values in enumerate(own):
                    circuit = layer.circuits[row * len(own) + c if len(layer.circuits) > 1 else 0]
                    found = run_description(circuit, scale * values, {k: w[row, c] for k, w in weights.items()})
                    out[(n, channel, *place)] += found[rest % measured]
    return torch.from_numpy(out)
