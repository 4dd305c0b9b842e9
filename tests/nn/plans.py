"""Layers of every kind, evaluated by every plan: what holds for torch's own layers is tested on all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from quanvolve import QuantumLinear, Quanv1d, Quanv2d, Quanv3d

NOISE = {"depolarizing": 0.01}

PLANS: dict[str, dict[str, Any]] = {
    "polynomial": {"engine": "polynomial"},
    "polynomial, circuits of their own": {"circuit": "random", "engine": "polynomial"},
    "polynomial, a scale for each pixel": {"engine": "polynomial", "scale": "pixels"},
    "tensor_train": {"engine": "tensor_train"},
    "truncated_train": {"engine": "truncated_train", "trainable": False},
    "statevector": {"engine": "statevector"},
    "statevector, circuits of their own": {"circuit": "random", "engine": "statevector"},
    "statevector, iqp": {"encoding": "iqp"},
    "statevector, amplitudes": {"encoding": "amplitude"},
    "table": {"encoding": "threshold"},
    "density": {"noise": NOISE, "engine": "density"},
    "trajectories": {"noise": NOISE, "engine": "trajectories:3"},
    "shots": {"shots": 20},
    "shots, parameter-shift": {"shots": 20, "diff_method": "parameter-shift"},
}
"""Options of layers, by the plan that they lead to."""

Make = Callable[..., Any]
KINDS: dict[str, tuple[Make, Make, tuple[int, ...]]] = {
    "1d": (lambda **more: Quanv1d(2, 3, 2, **more), lambda: nn.Conv1d(2, 3, 2), (2, 2, 4)),
    "2d": (lambda **more: Quanv2d(2, 3, (1, 2), **more), lambda: nn.Conv2d(2, 3, (1, 2)), (2, 2, 3, 4)),
    "3d": (lambda **more: Quanv3d(2, 3, (2, 1, 1), **more), lambda: nn.Conv3d(2, 3, (2, 1, 1)), (2, 2, 2, 3, 2)),
    "linear": (lambda **more: QuantumLinear(2, 3, **more), lambda: nn.Linear(2, 3), (4, 2)),
}
"""Layers, those of torch that they are used like, and the shape of what both take."""

WINDOWS = {"1d": (2,), "2d": (1, 2), "3d": (2, 1, 1), "linear": (2,)}

every_plan = pytest.mark.parametrize("plan", PLANS)
every_kind = pytest.mark.parametrize("kind", KINDS)


def images(kind: str, dtype: torch.dtype = torch.float32) -> Tensor:
    """What a layer of this kind takes."""
    return torch.rand(KINDS[kind][2], generator=torch.Generator().manual_seed(1), dtype=dtype)


def quantum(kind: str, plan: str = "polynomial", **more: Any) -> Any:
    """A layer of ours."""
    options = {"seed": 0, "n_layers": 1, **PLANS[plan], **more}
    if options.get("scale") == "pixels":
        options["scale"] = torch.linspace(0.5, 1.5, 2, dtype=options.get("dtype")).reshape(WINDOWS[kind])
    return KINDS[kind][0](**options)


def classical(kind: str) -> nn.Module:
    """The layer of torch that one of ours is used like."""
    return KINDS[kind][1]()
