"""From states to measured values: Pauli words, probabilities of outcomes, and numbers of ones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quanvolve.circuits import Circuit
from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._graph import keep_graph
from quanvolve.compile.tables._parsed import Parsed
from quanvolve.compile.tables._words import parity, words_of

_TIE = 1e-6
"""Outcomes whose probabilities differ by less are equally probable: the smallest bit string is taken."""


def measure(parsed: Parsed, state: Tensor) -> Tensor:
    """Measured values of states.

    Args:
        parsed: what is measured.
        state: shape (..., 2, D, positions).

    Returns:
        Tensor of shape (..., outputs, positions).
    """
    circuit = parsed.circuit
    if circuit.counts is not None:
        return _number_of_ones(circuit, state)
    real, imaginary = state.select(-3, 0), state.select(-3, 1)
    total: Tensor | None = None
    for mask, even, odd in words_of(parsed):
        # <psi|P|psi> = sum_d phase(d) conj(psi[d]) psi[d ^ mask]
        flipped, turned = real, imaginary
        if mask:
            source = torch.arange(real.shape[-2], device=state.device) ^ mask
            flipped, turned = real.index_select(-2, source), imaginary.index_select(-2, source)
        if even is not None:
            part = torch.matmul(_matrix(even, state), real * flipped + imaginary * turned)
            total = part if total is None else total + part
        if odd is not None:
            part = torch.matmul(_matrix(odd, state), imaginary * flipped - real * turned)
            total = part if total is None else total + part
    if total is None:
        return keep_graph(real.new_zeros((*real.shape[:-2], circuit.n_outputs, real.shape[-1])), state)
    return total


def _matrix(numbers: npt.NDArray[np.float64], like: Tensor) -> Tensor:
    return constant(numbers, like.device, like.dtype)


@lru_cache(maxsize=16)
def _ones(wires: int) -> npt.NDArray[np.integer]:
    """parity of each basis state."""
    return parity(np.arange(2**wires))


def _number_of_ones(circuit: Circuit, state: Tensor) -> Tensor:
    probabilities = (state * state).sum(-3)
    if circuit.counts == "sampled":
        steps = probabilities.detach().cumsum(-2)
        shape = (*steps.shape[:-2], 1, steps.shape[-1])
        drawn = torch.rand(shape, dtype=state.dtype, device=state.device) * steps[..., -1:, :]
        chosen = (steps <= drawn).sum(-2).clamp(max=steps.shape[-2] - 1)
    else:
        most = probabilities.detach().amax(-2, keepdim=True)
        chosen = (probabilities.detach() >= most - _TIE).to(torch.uint8).argmax(-2)
    table = constant(_ones(circuit.n_wires), state.device, state.dtype)
    # Jumps have the derivative zero almost everywhere; the graph stays, so that what comes before gets its zeros.
    return keep_graph(table[chosen].unsqueeze(-2), state)
