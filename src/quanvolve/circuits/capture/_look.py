"""Values of tensors that are recorded, to test that an operation can be a gate."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def values_of(value: Any) -> npt.NDArray[Any]:
    """The numbers of a tensor or array. What is made of them is constant: they may only decide about a refusal."""
    if not isinstance(value, Tensor):
        return np.asarray(value)
    with torch._C.DisableTorchFunction():
        numbers: npt.NDArray[Any] = value.detach().resolve_conj().resolve_neg().numpy()
    return numbers
