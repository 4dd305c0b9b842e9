"""The precision of angles: they are computed in double, whatever the precision of the values that they turn.

An angle in single precision is known to 6e-8 of its size, so at 10^6 radians a cosine would be known to 0.03 only.
What a circuit reads is therefore multiplied, added up and taken the cosine of in double precision; cosines and sines
are then rounded. torch's and the kernels' cosines reduce angles exactly, up to the largest number.
"""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.batch._tracing import recorded, traced


def wide(tensor: Tensor) -> Tensor:
    """The numbers in double precision; unchanged in a program that is exported, for runtimes without such cosines.

    Examples:
        >>> wide(torch.tensor([0.5])).dtype
        torch.float64
    """
    if tensor.dtype == torch.float64 or tensor.device.type == "mps" or torch.compiler.is_exporting():
        return tensor
    return tensor.to(torch.float64)


def turned(angles: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosines and sines of angles in radians, rounded to a precision."""
    return angles.cos().to(dtype), angles.sin().to(dtype)


def visible(tensor: Tensor) -> bool:
    """Whether the numbers of a tensor can be looked at: it is neither traced nor transformed, and has some."""
    plain = type(tensor) in (Tensor, torch.nn.Parameter) and tensor.device.type != "meta"
    return plain and not traced(tensor) and not recorded(tensor)
