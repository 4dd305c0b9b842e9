"""States before the first gate: all qubits 0, or amplitudes that are read from the window."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.circuits import Circuit
from quanvolve.compile.tables._states import prepared_places


def initial(circuit: Circuit, values: Tensor, dtype: torch.dtype) -> Tensor:
    """States before the first gate, shape (..., 2, D, positions), from values (..., n_values, positions)."""
    dimension = 2**circuit.n_wires
    real = values.new_zeros((*values.shape[:-2], dimension, values.shape[-1]))
    # Nothing is written in place: graphs that `torch.func.linearize` makes lose such writes.
    ground = (torch.arange(dimension, device=values.device) == 0).to(values.dtype).unsqueeze(-1)
    if circuit.preparation is None:
        real = real + ground
    else:
        amplitudes = values.index_select(-2, torch.tensor(circuit.preparation.values, device=values.device))
        # Dividing by the largest value first changes nothing but the range: amplitudes do not depend on the size.
        largest = amplitudes.detach().abs().amax(-2, keepdim=True)
        empty = largest == 0
        amplitudes = torch.where(empty, 0.0, amplitudes / torch.where(empty, torch.ones_like(largest), largest))
        squares = amplitudes.square().sum(-2, keepdim=True)
        amplitudes = amplitudes * torch.where(empty, torch.ones_like(squares), squares).rsqrt()
        places = torch.tensor([state for state, _ in prepared_places(circuit)], device=values.device)
        real = real.index_copy(-2, places, amplitudes) + ground * empty
    real = real.to(dtype)
    return torch.stack([real, torch.zeros_like(real)], dim=-3)
