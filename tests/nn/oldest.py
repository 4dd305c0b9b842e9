"""What the oldest supported torch lacks."""

from __future__ import annotations

import torch

NOT_EXPORTED = (
    r"torch 2\.8\.\S+ cannot export circuits whose angles, amplitudes or outputs are computed .*: "
    r"use torch 2\.9 or later"
)


def exports_computed_angles() -> bool:
    """Whether `torch.export` can trace `torch.vmap`."""
    return tuple(map(int, torch.__version__.split(".")[:2])) > (2, 8)
