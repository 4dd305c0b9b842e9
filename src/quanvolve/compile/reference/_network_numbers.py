"""Weights to the numbers of a network: the local tensors of all qubits, differentiably, for a batch of filters."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.reference._coefficients import rotations, site_matrix
from quanvolve.compile.tables._chains import Chains, Event
from quanvolve.compile.tables._parsed import kept
from quanvolve.compile.tables._pauli import Floats
from quanvolve.compile.tables._sweeps import Integers, local_patterns, sweeps


def numbers(chains: Chains, flat: Tensor) -> Tensor:
    """The numbers of all words' networks, in the order of their sites' terms.

    Args:
        chains: from :func:`chains_of`.
        flat: weights, shape (rows, numbers).

    Returns:
        Tensor of shape (rows, terms of all words and sites).
    """
    rows = len(flat)
    matrices = rotations(chains, flat).expand(rows, -1, -1, -1)
    parts = []
    for wires, kinds, steps in _batches(chains):
        local = torch.eye(4, dtype=flat.dtype, device=flat.device).expand(rows, len(wires), 1, 4, 4)
        for kind, step in zip(kinds, steps, strict=True):
            if kind == "rotation":
                turn = matrices[:, constant(step, flat.device)]
                local = torch.matmul(turn.unsqueeze(2), local)
            else:
                operators = constant(step, flat.device, flat.dtype)
                local = torch.matmul(operators.unsqueeze(1), local.unsqueeze(3)).flatten(2, 3)
        sites = torch.stack([site_matrix(chains, wire, matrices) for wire in wires], dim=1)
        parts.append(torch.matmul(sites.mT.unsqueeze(2), local).flatten(1))
    places = constant(_places(chains), flat.device)
    return torch.cat(parts, dim=1).index_select(1, places)


@kept
def _batches(chains: Chains) -> tuple[tuple[tuple[int, ...], tuple[str, ...], tuple[Integers | Floats, ...]], ...]:
    """Wires whose events are of the same kinds, and these events stacked: they go through torch together."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for wire, events in enumerate(chains.events):
        kinds = tuple(_kind(event) for event in events)
        groups.setdefault((kinds, len(chains.sites[wire].columns)), []).append(wire)
    batches = []
    for wires in groups.values():
        length = len(chains.events[wires[0]])
        columns = [[chains.events[wire][k] for wire in wires] for k in range(length)]
        names = tuple("rotation" if column[0].operators is None else "operators" for column in columns)
        batches.append((tuple(wires), names, tuple(_stacked(column) for column in columns)))
    return tuple(batches)


def _kind(event: Event) -> int:
    return 0 if event.operators is None else len(event.operators)


def _stacked(events: list[Event]) -> Integers | Floats:
    if events[0].operators is None:
        return np.array([event.rotation for event in events], np.int64)
    return np.stack([event.operators for event in events if event.operators is not None])


@kept
def _places(chains: Chains) -> Integers:
    """Where each term's number is among the local tensors in the order of the batches."""
    patterns = [local for local, _ in local_patterns(chains)]
    starts = np.concatenate([[0], np.cumsum([local.size for local in patterns])])
    moved = np.zeros(starts[-1], np.int64)
    position = 0
    for wires, _, _ in _batches(chains):
        for wire in wires:
            size = patterns[wire].size
            moved[starts[wire] : starts[wire + 1]] = np.arange(position, position + size)
            position += size
    picks = [site.picks for sweep in sweeps(chains) for site in sweep.sites]
    return moved[np.concatenate(picks)] if picks else np.zeros(0, np.int64)
