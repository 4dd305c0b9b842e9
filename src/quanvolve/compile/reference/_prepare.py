"""States before the first gate: all qubits 0, or amplitudes that are read from the window."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.tables._parsed import Parsed, kept
from quanvolve.compile.tables._states import prepared_places


def initial(parsed: Parsed, values: Tensor, dtype: torch.dtype) -> Tensor:
    """States before the first gate, shape (..., 2, D, positions), from values (..., n_values, positions)."""
    circuit = parsed.circuit
    dimension = 2**circuit.n_wires
    real = values.new_zeros((*values.shape[:-2], dimension, values.shape[-1]))
    # Nothing is written in place: graphs that `torch.func.linearize` makes lose such writes.
    ground = (torch.arange(dimension, device=values.device) == 0).to(values.dtype).unsqueeze(-1)
    if circuit.preparation is None:
        real = real + ground
    else:
        amplitudes = values.index_select(-2, constant(_values(parsed), values.device))
        # Dividing by the largest value first changes nothing but the range: amplitudes do not depend on the size.
        largest = amplitudes.detach().abs().amax(-2, keepdim=True)
        empty = largest == 0
        amplitudes = torch.where(empty, 0.0, amplitudes / torch.where(empty, torch.ones_like(largest), largest))
        squares = amplitudes.square().sum(-2, keepdim=True)
        amplitudes = amplitudes * torch.where(empty, torch.ones_like(squares), squares).rsqrt()
        places = constant(_states(parsed), values.device)
        real = real.index_copy(-2, places, amplitudes) + ground * empty
    real = real.to(dtype)
    return torch.stack([real, torch.zeros_like(real)], dim=-3)


@kept
def _values(parsed: Parsed) -> npt.NDArray[np.int64]:
    """What the amplitudes are proportional to, by number."""
    preparation = parsed.circuit.preparation
    return np.array(() if preparation is None else preparation.values, np.int64)


@kept
def _states(parsed: Parsed) -> npt.NDArray[np.int64]:
    """The basis states of the amplitudes."""
    return np.array([state for state, _ in prepared_places(parsed.circuit)], np.int64)
