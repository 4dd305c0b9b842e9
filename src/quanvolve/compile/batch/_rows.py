"""Rows of weights, and their circuits on windows: the same for one circuit that all rows share and for one of each.

Rows keep the leading axes (groups, filters, channels); the windows are the last axis. What does not depend on a
filter's weights has an axis of length 1 there, so that filters share it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._graph import keep_graph
from quanvolve.compile.batch._precision import wide
from quanvolve.compile.batch._values import bits, extended, flat_weights, mixed
from quanvolve.compile.tables._angles import AngleMaps
from quanvolve.compile.tables._layout import Layout, some_rows
from quanvolve.compile.tables._parsed import Parsed
from quanvolve.compile.tables._values import places_of_both, values_of_both


class RowWeights(NamedTuple):
    """The weights that a circuit runs with.

    Args:
        flat: one after the other, with the program's values of them: shape (rows, numbers).
        named: each of shape (rows, *shape), in the order of the circuit's weights.
        folded: matrices of runs of gates that read no input, where these were multiplied out.
    """

    flat: Tensor
    named: tuple[Tensor, ...] = ()
    folded: tuple[Tensor, ...] = ()


Run = Callable[[int, Tensor, RowWeights, tuple[int, int, int]], Tensor]
"""How a circuit is run on its windows: its measured values, shape (*shape, outputs, positions), from

- the number of the circuit;
- what angles read of windows, shape (groups, 1 or filters, channels, n_values, positions);
- its weights, `flat` of shape (*shape, numbers);
- the shape (groups, filters, channels).
"""


def row_weights(
    circuits: Sequence[Parsed], weights: Mapping[str, Tensor], like: Tensor, layout: Layout
) -> tuple[RowWeights, ...]:
    """The weights of every circuit.

    Args:
        circuits: one for all rows of the weights, or one for each.
        weights: for each weight a tensor (rows, *shape).
        like: gives dtype and device where there are no weights.
        layout: of the rows.
    """
    names = [name for name, _ in circuits[0].circuit.weight_shapes]
    rows = []
    for block, parsed in zip(layout.blocks(len(circuits)), circuits, strict=True):
        named = {name: some_rows(weights[name], block.rows) for name in names}
        rows.append(RowWeights(flat_weights(parsed, named, like), tuple(named.values())))
    return tuple(rows)


def arranged(rows: Tensor, layout: Layout) -> Tensor:
    """(rows, measured, numbers) to (groups, outputs, channels, numbers), without the surplus."""
    _, measured, numbers = rows.shape
    if layout.rows == 1 and layout.outputs == measured:
        return rows.unsqueeze(2)
    split = rows.reshape(*layout.shape, measured, numbers)
    merged = split.permute(0, 1, 3, 2, 4).reshape(layout.groups, layout.filters * measured, layout.channels, numbers)
    return merged[:, : layout.outputs]


def outputs_of(
    run: Run, circuits: Sequence[Parsed], inputs: Tensor, weights: Sequence[RowWeights], layout: Layout
) -> Tensor:
    """The layer's values, shape (images, groups, outputs, positions).

    Args:
        run: runs one circuit.
        circuits: one for all rows, or one for each.
        inputs: windows, shape (images, groups, channels, n_inputs, positions).
        weights: of each circuit.
        layout: of the rows.
    """
    images, positions = inputs.shape[0], inputs.shape[-1]
    values = measured(run, circuits, inputs, weights, layout).sum(2)  # groups, filters, measured, all positions
    values = values.flatten(1, 2)[:, : layout.outputs]
    return torch.unflatten(values, -1, (images, positions)).permute(2, 0, 1, 3)


def measured(
    run: Run, circuits: Sequence[Parsed], inputs: Tensor, weights: Sequence[RowWeights], layout: Layout
) -> Tensor:
    """Values of every row, shape (groups, filters, channels, measured, images * positions); arguments as above."""
    flat = inputs.permute(1, 2, 3, 0, 4).flatten(3, 4).unsqueeze(1)  # groups, 1, channels, n_inputs, positions
    blocks = layout.blocks(len(circuits))
    values = [
        _run(run, number, circuits[number], flat[block.groups, :, block.channels], row_weights, block.shape)
        for number, (block, row_weights) in enumerate(zip(blocks, weights, strict=True))
    ]
    return values[0] if len(values) == 1 else torch.cat(values).reshape(*layout.shape, *values[0].shape[3:])


def _run(
    run: Run, number: int, parsed: Parsed, inputs: Tensor, weights: RowWeights, shape: tuple[int, int, int]
) -> Tensor:
    inputs = bits(parsed, inputs)
    values = extended(parsed, inputs)
    if values_of_both(parsed):
        values = _with_mixed(parsed, inputs, values, weights.named, shape)
    flat = weights.flat.expand(math.prod(shape), -1).reshape(*shape, weights.flat.shape[-1])
    measured_values = run(number, values, weights._replace(flat=flat), shape)
    # A circuit that reads nothing still has a gradient.
    return measured_values if measured_values.requires_grad else keep_graph(measured_values, inputs)


def _with_mixed(
    parsed: Parsed, inputs: Tensor, values: Tensor, named: Sequence[Tensor], shape: tuple[int, int, int]
) -> Tensor:
    """Fill in the program's values that depend on inputs and weights together."""
    circuit = parsed.circuit
    names = [name for name, _ in circuit.weight_shapes]
    every = inputs.expand(*shape, *inputs.shape[3:]).flatten(0, 2)
    rows = {n: wide(w).expand(math.prod(shape), *w.shape[1:]) for n, w in zip(names, named, strict=True)}
    mixed_values = torch.unflatten(mixed(parsed, every, rows), 0, shape)
    places = constant(places_of_both(parsed), inputs.device)
    return values.expand(*shape, *values.shape[3:]).index_copy(-2, places, mixed_values)


def angles_of(maps: AngleMaps, values: Tensor | None, flat: Tensor) -> Tensor:
    """Angles in radians, in double precision, shape (angles, ..., positions or 1).

    Args:
        maps: of some of a circuit's rotations.
        values: what angles read of windows, shape (..., n_values, positions); None if these read nothing.
        flat: weights, shape (..., numbers).
    """
    if not len(maps.offset):
        return wide(flat.new_empty(0))
    weights = wide(flat)
    offset, mixing, reading = (constant(array, flat.device, weights.dtype) for array in maps)
    angles = (offset + torch.matmul(weights, mixing)).movedim(-1, 0).unsqueeze(-1)
    if values is None or not maps.reading.any():
        return angles
    if not maps.mixing.any():
        angles = offset.reshape(-1, *(1,) * (values.dim() - 1))  # without the rows' axes: the state is shared
    return angles + torch.matmul(reading, wide(values)).movedim(-2, 0)


def tensors_of(weights: Sequence[RowWeights]) -> tuple[Tensor, ...]:
    """All tensors, one after the other."""
    return tuple(tensor for row in weights for tensor in (row.flat, *row.named, *row.folded))


def rows_of(circuits: Sequence[Parsed], tensors: Sequence[Tensor]) -> tuple[RowWeights, ...]:
    """What :func:`tensors_of` made a list of."""
    size, named = len(tensors) // len(circuits), 1 + len(circuits[0].circuit.weight_shapes)
    parts = [tuple(tensors[start : start + size]) for start in range(0, size * len(circuits), size)]
    return tuple(RowWeights(part[0], part[1:named], part[named:]) for part in parts)


def with_tensors(weights: Sequence[RowWeights], tensors: Sequence[Tensor]) -> list[RowWeights]:
    """The same with other tensors, in the order of :func:`tensors_of`."""
    rest, changed = list(tensors), []
    for row in weights:
        flat, *others = rest[: 1 + len(row.named) + len(row.folded)]
        rest = rest[1 + len(others) :]
        changed.append(RowWeights(flat, tuple(others[: len(row.named)]), tuple(others[len(row.named) :])))
    return changed
