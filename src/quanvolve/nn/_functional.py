"""The functional twins' one implementation: circuits and weights come as arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit
from quanvolve.compile import Planner
from quanvolve.nn._apply import (
    apply,
    check_angles,
    check_channels,
    check_images,
    check_plain,
    check_scale,
    check_shots,
    compile_rows,
    layout_of,
)
from quanvolve.nn._geometry import Geometry, IntOrTuple


def quanv_nd(
    dims: int,
    input: Tensor,
    weights: Tensor | Mapping[str, Tensor],
    circuit: Circuit | Sequence[Circuit],
    kernel_size: IntOrTuple,
    bias: Tensor | None,
    stride: IntOrTuple,
    padding: IntOrTuple | str,
    dilation: IntOrTuple,
    groups: int,
    *,
    scale: float | Tensor,
    channel_mixing: str,
    padding_mode: str,
    out_channels: int | None,
    engine: str,
    shots: int | None,
) -> Tensor:
    """A quantum convolution along `dims` axes; the other arguments, with their defaults, are those of `quanv2d`."""
    if not isinstance(input, Tensor):
        raise QuanvolveError(f"expected a torch.Tensor, got {type(input).__name__}: convert it with torch.as_tensor")
    check_plain(input, "the images")
    geometry = Geometry.parse(dims, kernel_size, stride, padding, dilation, padding_mode)
    circuits = (circuit,) if isinstance(circuit, Circuit) else tuple(circuit)
    if not circuits:
        raise QuanvolveError("`circuit` is an empty sequence: give one Circuit, or one for each row of the weights")
    first = circuits[0]
    by_name = _by_name(weights, first)
    in_channels = input.shape[-dims - 1] if input.dim() > dims else 1
    check_channels(in_channels, groups if out_channels is None else out_channels, groups, channel_mixing)
    filters = _filters(by_name, first, in_channels // groups if channel_mixing == "sum" else 1)
    channels = filters * first.n_outputs if out_channels is None else out_channels
    check_channels(in_channels, channels, groups, channel_mixing)
    if filters % groups or channels > filters * first.n_outputs:
        raise QuanvolveError(
            f"`weights` has {filters} filters with {first.n_outputs} measured values each: this must divide into "
            f"`groups` (={groups}) and suffice for `out_channels` (={channels})"
        )
    n_inputs = geometry.window_size * (in_channels // groups if channel_mixing == "joint" else 1)
    if first.n_inputs != n_inputs:
        raise QuanvolveError(f"the circuit reads {first.n_inputs} inputs, but a window has {n_inputs}")
    like = next(iter(by_name.values()), input)
    check_images(input, in_channels, dims, like)
    check_scale(scale, in_channels, geometry)
    check_angles(input, scale, circuits)
    if bias is not None and tuple(bias.shape) != (channels,):
        raise QuanvolveError(f"`bias` has shape {tuple(bias.shape)}, expected ({channels},): a number a channel")
    rows = (filters, in_channels // groups if channel_mixing == "sum" else 1)
    if len(circuits) not in (1, math.prod(rows)):
        raise QuanvolveError(
            f"`circuit` has {len(circuits)} circuits, expected one for all filters or {math.prod(rows)} (one for each "
            "filter and input channel that it reads)"
        )
    layout = layout_of(rows, channels, groups)
    batch = input if input.dim() == dims + 2 else input.unsqueeze(0)
    n_windows = len(batch) * math.prod(geometry.output_size(tuple(batch.shape[2:])))
    check_shots(shots)
    plan = Planner(circuits, layout, engine, shots).choose(n_windows, like.device.type)
    compiled = compile_rows(plan, by_name, like, layout, n_windows)
    out = apply(batch, plan, compiled, layout, geometry, scale, channel_mixing, bias)
    return out if input.dim() == dims + 2 else out.squeeze(0)


def _by_name(weights: Tensor | Mapping[str, Tensor], circuit: Circuit) -> dict[str, Tensor]:
    names = [name for name, _ in circuit.weight_shapes]
    if isinstance(weights, Tensor):
        if len(names) != 1:
            raise QuanvolveError(f"the circuit has the weights {names}: give `weights` as a mapping from these names")
        check_plain(weights, "`weights`")
        return {names[0]: weights}
    if set(weights) != set(names):
        raise QuanvolveError(f"`weights` has the names {sorted(weights)}, the circuit has {sorted(names)}")
    for name in names:
        check_plain(weights[name], f"weight {name!r}")
    return {name: weights[name] for name in names}


def _filters(weights: Mapping[str, Tensor], circuit: Circuit, channels: int) -> int:
    count = None
    for name, shape in circuit.weight_shapes:
        actual = tuple(weights[name].shape)
        if actual[1:] != (channels, *shape) or count not in (None, actual[0]) or not actual[0]:
            raise QuanvolveError(
                f"weight {name!r} has shape {actual}, expected (filters, {channels}, "
                f"{', '.join(map(str, shape))}): filters, input channels a filter reads, then the circuit's own"
            )
        count = actual[0]
    return count or 1
