"""The layer as a pure function: images and coefficients in, channels out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit
from quanvolve.compile import (
    Layout,
    Plan,
    Planner,
    PolynomialPlan,
    SampledPlan,
    Windows,
    one_thread,
    recorded,
    traced,
    wide,
)
from quanvolve.nn._geometry import Geometry, in_format_of
from quanvolve.nn._limits import MOST, check_whole, shown, whole

MIXINGS = ("sum", "joint")
DIFF_METHODS = ("exact", "parameter-shift")
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


def check_channels(in_channels: int, out_channels: int, groups: int, channel_mixing: str) -> None:
    """Raise unless channels and groups fit each other, in the words of `torch.nn.Conv2d`'s own rules."""
    for argument, value in (("in_channels", in_channels), ("out_channels", out_channels), ("groups", groups)):
        check_whole(argument, value)
    for argument, value in (("in_channels", in_channels), ("out_channels", out_channels)):
        if value % groups:
            shared = math.gcd(in_channels, out_channels)
            small = [g for g in range(1, math.isqrt(shared) + 1) if shared % g == 0]
            divisors = sorted({*small, *(shared // g for g in small)})
            nearest = min(divisors, key=lambda g: abs(g - groups))
            raise QuanvolveError(
                f"`{argument}` (={value}) must be divisible by `groups` (={groups}); the nearest valid `groups` is "
                f"{nearest}"
            )
    if channel_mixing not in MIXINGS:
        raise QuanvolveError(f"`channel_mixing` (={channel_mixing!r}) must be 'sum' or 'joint'")


def rows_of(in_channels: int, out_channels: int, groups: int, channel_mixing: str, n_outputs: int) -> tuple[int, int]:
    """How many filters a layer has (all groups together), and how many circuits each of them sums over."""
    filters = -(-(out_channels // groups) // n_outputs)
    return groups * filters, in_channels // groups if channel_mixing == "sum" else 1


def layout_of(rows: tuple[int, int], out_channels: int, groups: int) -> Layout:
    """How the rows of the weights (all filters, circuits a filter sums over) make up the output channels."""
    return Layout(groups, rows[0] // groups, rows[1], out_channels // groups)


def compile_rows(
    plan: Plan, weights: dict[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
) -> tuple[Tensor, ...]:
    """What a plan makes of weights of shape (filters, channels, *shape)."""
    return plan.compile({name: weight.flatten(0, 1) for name, weight in weights.items()}, like, layout, n_windows)


_BY_KERNELS = ("polynomial", "tensor_train", "statevector")
"""Plans that kernels evaluate, where a scale is a number."""


@dataclass(unsafe_hash=True)  # and not frozen, which dynamo cannot take
class Static:
    """What a layer computes beside its tensors: `torch.compile` takes it as one constant, compared by value."""

    circuits: tuple[Circuit, ...]
    planned: tuple[object, ...]
    layout: Layout
    geometry: Geometry
    channel_mixing: str
    planner: Planner = field(compare=False, repr=False)


def apply(
    images: Tensor,
    plan: Plan,
    compiled: tuple[Tensor, ...],
    layout: Layout,
    geometry: Geometry,
    scale: Tensor | float,
    channel_mixing: str,
    bias: Tensor | None,
) -> Tensor:
    """Slide all filters over a batch of images.

    Args:
        images: shape (N, in_channels, *size), checked.
        plan: how the filters are evaluated.
        compiled: from :func:`compile_rows`.
        layout: from :func:`layout_of`.
        scale: a number, or a tensor that broadcasts to (in_channels, *kernel_size).

    Returns:
        Tensor of shape (N, out_channels, *places), contiguous, or channels last where the images are.
    """
    windows = windows_for(images, layout, geometry, scale, channel_mixing)
    # torch's threads would wait for their next operator, on processors that the kernels' threads need for shots.
    drawn = isinstance(plan, SampledPlan) and plan.inner.name in _BY_KERNELS and not isinstance(scale, Tensor)
    with one_thread(drawn and images.device.type == "cpu"):
        out = plan.evaluate(compiled, windows, layout)
    return finished(out.flatten(1, 2), images, geometry, bias)


def apply_at_once(
    images: Tensor,
    plan: Plan,
    weights: dict[str, Tensor],
    layout: Layout,
    geometry: Geometry,
    scale: Tensor | float,
    channel_mixing: str,
    bias: Tensor | None,
) -> Tensor | None:
    """The same from weights of shape (filters, channels, *shape), where the plan does all of it in one step."""
    if not isinstance(plan, PolynomialPlan):
        return None
    out = plan.at_once(weights, windows_for(images, layout, geometry, scale, channel_mixing), layout)
    return None if out is None else finished(out, images, geometry, bias)


def finished(out: Tensor, images: Tensor, geometry: Geometry, bias: Tensor | None) -> Tensor:
    """Values (N, out_channels, *places) with the bias, in memory as the images are."""
    if bias is not None:
        out = out + bias.reshape(-1, *(1,) * len(geometry.kernel_size))
    return in_format_of(images, out)


def windows_for(
    images: Tensor, layout: Layout, geometry: Geometry, scale: Tensor | float, channel_mixing: str
) -> Windows:
    """The windows of images, and what their pixels are multiplied with."""
    groups, joint = layout.groups, channel_mixing == "joint"
    if isinstance(scale, Tensor):
        images, scale = _scaled(images, scale, geometry, groups, joint)
    return geometry.windows(images, groups, joint, scale)


def _scaled(
    images: Tensor, scale: Tensor, geometry: Geometry, groups: int, joint: bool
) -> tuple[Tensor, Tensor | float]:
    """A scale that is the same for all pixels of a window goes into the images; another becomes one a circuit input."""
    dims = len(geometry.kernel_size)
    shape = (1,) * (dims + 1 - scale.dim()) + tuple(scale.shape)
    if all(n == 1 for n in shape[1:]):
        return wide(images) * wide(scale.reshape(shape)), 1.0
    channels = images.shape[1]
    full = scale.expand(channels, *geometry.kernel_size).unflatten(0, (groups, channels // groups))
    return images, full.flatten(1).unsqueeze(1) if joint else full.flatten(2)


def check_scale(scale: object, in_channels: int, geometry: Geometry) -> None:
    """Raise unless a tensor of scales broadcasts to the window and holds numbers only."""
    if not isinstance(scale, Tensor):
        return
    check_plain(scale, "`scale`")
    full = (in_channels, *geometry.kernel_size)
    try:
        scale.expand(full)
    except RuntimeError:
        raise QuanvolveError(
            f"`scale` has shape {tuple(scale.shape)}, expected one that broadcasts to {full}: (in_channels, "
            "*kernel_size)"
        ) from None
    if scale.device.type != "meta" and _visible(scale) and not bool(torch.isfinite(scale).all()):
        raise QuanvolveError("`scale` has values that are not finite: give a number for each pixel of the window")


def check_shots(shots: object) -> None:
    """Raise unless it is a number of shots, or None."""
    if shots is not None and not whole(shots):
        raise QuanvolveError(
            f"`shots` (={shown(shots)}) must be a whole number of at least 1 and at most {MOST}, or None for exact "
            "expectation values"
        )


def check_drawing(shots: object, diff_method: str) -> None:
    """Raise unless these are shots that can be drawn, and a way to differentiate them."""
    check_shots(shots)
    if diff_method not in DIFF_METHODS:
        raise QuanvolveError(f"`diff_method` (={diff_method!r}) must be one of {', '.join(map(repr, DIFF_METHODS))}")
    if diff_method != "exact" and shots is None:
        raise QuanvolveError(
            f"`diff_method` (={diff_method!r}) is for layers with `shots`: exact values have exact gradients"
        )


def check_dtype(dtype: torch.dtype | None) -> None:
    """Raise unless layers compute in numbers of this type."""
    if dtype is not None and dtype not in DTYPES:
        raise QuanvolveError(
            f"`dtype` (={dtype}) must be a real floating type, such as torch.float32, of {', '.join(map(str, DTYPES))}"
        )


def check_same_measurements(circuits: Sequence[Circuit], noisy: Sequence[Circuit]) -> None:
    """Raise where noise has become part of the observables, so that bits no longer have a joint distribution."""
    if any(exact.observables != noised.observables for exact, noised in zip(circuits, noisy, strict=True)):
        raise QuanvolveError(
            "the noise model reads observables that share a qubit in different ways, so there is no joint distribution "
            "to draw `shots` from: use one readout error for each qubit, or leave `shots` out"
        )


def check_plain(tensor: object, what: str) -> None:
    """Raise unless it is a tensor of real numbers, stored one after the other."""
    if not isinstance(tensor, Tensor):
        raise QuanvolveError(
            f"expected a torch.Tensor as {what}, got {type(tensor).__name__}: convert it, e.g. with torch.as_tensor"
        )
    kind = None
    if tensor.is_nested:
        kind, remedy = "nested", "torch.nested.to_padded_tensor, or one call for each of its tensors"
    elif tensor.is_quantized:
        kind, remedy = "quantised", "tensor.dequantize()"
    elif tensor.layout != torch.strided:
        kind, remedy = "sparse" if "sparse" in str(tensor.layout) else str(tensor.layout), "tensor.to_dense()"
    elif tensor.is_complex():
        kind, remedy = "complex", "tensor.real, tensor.abs() or torch.view_as_real"
    if kind is not None:
        raise QuanvolveError(f"{what} came as a {kind} tensor, expected a dense one of real numbers: use {remedy}")


def check_images(images: Tensor, in_channels: int, dims: int, like: Tensor, items: str = "images") -> None:
    """Raise unless the images can go through the layer; this comes before any work.

    Raises:
        QuanvolveError: wrong rank, channel count, dtype or device, or pixels that are not finite.
    """
    if not isinstance(images, Tensor):
        raise QuanvolveError(
            f"expected a torch.Tensor, got {type(images).__name__}: convert it, e.g. with torch.as_tensor({items})"
        )
    check_plain(images, f"the {items}")
    axes = ("L", "H, W", "D, H, W")[dims - 1]
    if images.dim() not in (dims + 1, dims + 2):
        raise QuanvolveError(
            f"expected images of shape (N, C, {axes}) or (C, {axes}), got shape {tuple(images.shape)}: add or remove "
            "axes with unsqueeze or squeeze"
        )
    if images.shape[-dims - 1] != in_channels:
        raise QuanvolveError(
            f"expected {in_channels} input channel(s) (`in_channels`), got {images.shape[-dims - 1]} in images of "
            f"shape {tuple(images.shape)}"
        )
    if images.dtype != like.dtype:
        raise QuanvolveError(
            f"the {items} are {_short(images.dtype)} and the layer is {_short(like.dtype)}: convert one of them, e.g. "
            f"{items}.to({like.dtype}) (uint8 pixels also want a division by 255)"
        )
    if not images.is_floating_point():
        raise QuanvolveError(
            f"the {items} are {_short(images.dtype)}, expected numbers such as torch.float32: convert them, e.g. with "
            f"{items}.to(torch.float32)"
        )
    if images.device != like.device:
        raise QuanvolveError(
            f"the {items} are on {images.device} and the layer is on {like.device}: move one of them with .to()"
        )
    if images.numel() and images.device.type != "meta" and _visible(images):
        _check_finite(images.detach(), items)


def _visible(tensor: Tensor) -> bool:
    """Whether its numbers can be looked at: neither while torch traces nor while a CUDA graph is recorded."""
    return not traced(tensor) and not recorded(tensor)


def _check_finite(images: Tensor, items: str) -> None:
    with one_thread(images.device.type == "cpu"):  # torch's would wait for more to do where the kernels' are to run
        total = images.sum().item()
    if math.isfinite(total):
        return  # a sum is finite only if all its terms are, and nothing costs less
    bad = ~torch.isfinite(images)
    if bad.any():  # and not large numbers whose sum overflows
        raise QuanvolveError(
            f"the {items} contain {int(bad.sum())} value(s) that are not finite, such as {float(images[bad][0])}: an "
            "angle must be a number; replace them, e.g. with torch.nan_to_num"
        )


def check_angles(images: Tensor, scale: Tensor | float, circuits: Sequence[Circuit], items: str = "images") -> None:
    """Raise unless every pixel times its scale is an angle, that is, a finite number in double precision.

    No product of smaller formats can overflow there, so that only float64 pixels (or an extreme scale) are looked at.
    """
    if not images.numel() or images.device.type == "meta" or not _visible(images):
        return
    factor = max(map(_factor, circuits))
    if isinstance(scale, Tensor):
        largest = float(scale.detach().abs().amax()) if scale.dtype == torch.float64 else torch.finfo(scale.dtype).max
    else:
        largest = abs(scale)
    if images.dtype == torch.float64:
        size = float(torch.linalg.vector_norm(images.detach(), ord=math.inf))
    else:
        size = torch.finfo(images.dtype).max
    if math.isfinite(size * largest * factor):
        return
    size = float(images.detach().abs().amax())
    largest = float(scale.detach().abs().amax()) if isinstance(scale, Tensor) else largest
    if not math.isfinite(size * largest * factor):
        raise QuanvolveError(
            f"the {items} contain values of up to {size:g}, which `scale` (up to {largest:g}) makes angles that "
            f"are not finite: an angle must be a number; use smaller {items} or a smaller `scale`"
        )


@lru_cache(maxsize=256)
def _factor(circuit: Circuit) -> float:
    """The most that a sum of inputs in an angle can be, in units of the largest input; at least 1."""
    sums = [sum(abs(factor) for _, factor in gate.angle.inputs) for gate in circuit.gates if gate.angle is not None]
    return max(1.0, *sums) if sums else 1.0


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
