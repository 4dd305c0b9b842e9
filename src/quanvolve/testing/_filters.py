"""Filters: that they differ, and that their weights are saved."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quanvolve.testing._report import Result
from quanvolve.testing._subject import Subject

_failed = partial(Result, "round trip", False)


def check_distinct_filters(layer: nn.Module, *, measured: int | None = None, **where: Any) -> Result:
    """No two filters are the same; late-binding closures and default seeds make them so.

    Args:
        layer: any module that takes (N, C, *size) to (N, channels, *places).
        measured: channels that each filter gives. Layers of this package say so themselves; otherwise every number
            that divides the channels is tried.
        where: arguments of :class:`Subject`.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> check_distinct_filters(Quanv2d(1, 8, 2, seed=0)).passed
        True
    """
    subject = Subject(layer, **where)
    out = subject.run(subject.images(2)).transpose(0, 1).flatten(1)
    channels = len(out)
    circuits = getattr(layer, "circuits", None)
    known = measured or (circuits[0].n_outputs if circuits else None)
    for size in [known] if known else [m for m in range(1, channels) if channels % m == 0]:
        blocks = [out[start : start + size] for start in range(0, channels - size + 1, size)]
        equal = [
            (i, j)
            for j in range(len(blocks))
            for i in range(j)
            if torch.allclose(blocks[i], blocks[j], rtol=0, atol=subject.tolerance)
        ]
        every = len(blocks) * (len(blocks) - 1) // 2
        if equal and (known or len(equal) == every):
            what = "all filters are identical" if len(equal) == every else f"filters {equal[0]} are identical"
            return Result(
                "distinct filters",
                False,
                f"{what}, {size} channel(s) each, as if a closure had bound the last one's "
                "weights or a seed were fixed",
            )
    return Result("distinct filters", True, f"{channels} channels, no two filters alike")


def check_round_trip(layer: nn.Module, make: Callable[[], nn.Module] | None = None, **where: Any) -> Result:
    """A state that is saved and loaded gives bit-equal values; weights outside of `state_dict` are found.

    Args:
        layer: any module that takes (N, C, *size) to (N, channels, *places).
        make: builds the module anew, as someone does who loads it in another process. Without it the state is loaded
            into a copy whose parameters and buffers were overwritten, and attributes that hold further numbers are
            overwritten one after the other to see whether they matter.
        where: arguments of :class:`Subject`.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> check_round_trip(Quanv2d(1, 8, 2, circuit="random", trainable=False)).passed
        True
    """
    subject = Subject(layer, **where)
    images = subject.images(2)
    before = subject.run(images)
    stored = io.BytesIO()
    torch.save(subject.module.state_dict(), stored)
    stored.seek(0)
    state = torch.load(stored, weights_only=True)
    if make is not None:
        with torch.random.fork_rng(devices=[]):
            fresh = make().to(subject.dtype).eval()
    else:
        fresh = copy.deepcopy(subject.module)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            for tensor in (*fresh.parameters(), *fresh.buffers()):
                if tensor.is_floating_point():
                    tensor.uniform_(0.1, 0.9)
    try:
        fresh.load_state_dict(state)
    except RuntimeError as error:
        return _failed(f"the state cannot be loaded again: {str(error).splitlines()[-1].strip()}")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        after = fresh(images)
    if not torch.equal(before, after):
        return _failed(
            f"after saving and loading, values differ by up to {float((after - before).abs().max()):.3g}: weights are "
            "missing in `state_dict`"
        )
    hidden = _hidden_numbers(subject.module)
    for owner, name in hidden:
        changed = copy.deepcopy(subject.module)
        _scramble(dict(changed.named_modules())[owner], name)
        try:
            with torch.random.fork_rng(devices=[]), torch.no_grad():
                values = changed(images)
        except Exception:
            continue  # numbers that are no weights, such as sizes
        if values.shape == before.shape and not torch.allclose(values, before):
            path = f"{owner}.{name}" if owner else name
            return _failed(f"the attribute {path!r} holds weights that are not in `state_dict`: register them")
    return Result("round trip", True, "bit-equal after saving and loading")


def _hidden_numbers(module: nn.Module) -> list[tuple[str, str]]:
    """Attributes with real numbers that are neither parameters nor buffers: (module, name)."""
    return [
        (owner, name)
        for owner, part in module.named_modules()
        for name, value in vars(part).items()
        if not (name.startswith("_") and name in vars(nn.Module())) and _is_real_array(value)
    ]


def _is_real_array(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.is_floating_point() and value.numel() > 0
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and value.size > 0
    return isinstance(value, list) and bool(value) and all(isinstance(v, float) or _is_real_array(v) for v in value)


def _scramble(owner: nn.Module, name: str) -> None:
    def other(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.detach() + 0.37 + 0.11 * torch.arange(value.numel()).reshape(value.shape).to(value)
        if isinstance(value, np.ndarray):
            return value + 0.37 + 0.11 * np.arange(value.size).reshape(value.shape)
        return [other(v) if not isinstance(v, float) else v + 0.37 + 0.11 * k for k, v in enumerate(value)]

    setattr(owner, name, other(getattr(owner, name)))
