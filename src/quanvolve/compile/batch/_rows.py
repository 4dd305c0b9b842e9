"""Circuits gate by gate in plain torch: every row on its own windows, and the angles of its rotations.

Rows of the weights keep the leading axes (groups, filters, channels); the windows are the last axis. What does not
depend on a filter's weights has an axis of length 1 there, so that filters share it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from quanvolve.circuits import Angle, Circuit
from quanvolve.compile.batch._layout import Layout
from quanvolve.compile.batch._precision import wide
from quanvolve.compile.batch._values import bits, extended, flat_weights, mixed, mixed_values, weight_offsets
from quanvolve.compile.tables._pauli import Floats

Run = Callable[[Circuit, Tensor, Tensor, list[Tensor], tuple[int, int, int]], Tensor]
"""How one circuit is run on all its windows: its measured values, shape (*shape, outputs, positions), from

- the circuit;
- what angles read of windows, shape (groups, 1 or filters, channels, n_values, positions);
- flat weights, shape (*shape, numbers);
- what was computed of the weights beforehand;
- the shape (groups, filters, channels).
"""


def own_weights(circuits: Sequence[Circuit], weights: Mapping[str, Tensor], number: int) -> dict[str, Tensor]:
    """The rows (rows, *shape) of each weight that a circuit is run with."""
    names = [name for name, _ in circuits[0].weight_shapes]
    if len(circuits) == 1:
        return {name: weights[name] for name in names}
    return {name: weights[name][number : number + 1] for name in names}


def numbers_of(circuits: Sequence[Circuit], weights: Mapping[str, Tensor], like: Tensor) -> tuple[Tensor, ...]:
    """Of every circuit its flat weights, and its weights by name.

    Args:
        circuits: one for all rows of the weights, or one for each.
        weights: for each weight a tensor (rows, *shape).
        like: gives dtype and device where there are no weights.
    """
    found: list[Tensor] = []
    for number, circuit in enumerate(circuits):
        own = own_weights(circuits, weights, number)
        found += [flat_weights(circuit, own, like), *own.values()]
    return tuple(found)


def parts_of(circuits: Sequence[Circuit], numbers: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
    """The tensors of :func:`numbers_of`, circuit by circuit."""
    size = 1 + len(circuits[0].weight_shapes)
    return [numbers[k : k + size] for k in range(0, len(numbers), size)]


def outputs_of(
    run: Run, circuits: Sequence[Circuit], inputs: Tensor, parts: list[tuple[Tensor, ...]], layout: Layout
) -> Tensor:
    """The layer's values, shape (images, groups, outputs, positions).

    Args:
        run: runs one circuit.
        circuits: one for all rows, or one for each.
        inputs: windows, shape (images, groups, channels, n_inputs, positions).
        parts: for each circuit its flat weights, its weights by name, and what was computed of them beforehand.
        layout: of the rows.
    """
    images, positions = inputs.shape[0], inputs.shape[-1]
    values = measured(run, circuits, inputs, parts, layout).sum(2)  # groups, filters, measured, all positions
    values = values.flatten(1, 2)[:, : layout.outputs]
    return torch.unflatten(values, -1, (images, positions)).permute(2, 0, 1, 3)


def measured(
    run: Run, circuits: Sequence[Circuit], inputs: Tensor, parts: list[tuple[Tensor, ...]], layout: Layout
) -> Tensor:
    """Values of every row, shape (groups, filters, channels, measured, images * positions); arguments as above."""
    shape = (layout.groups, layout.filters, layout.channels)
    flat = inputs.permute(1, 2, 3, 0, 4).flatten(3, 4).unsqueeze(1)  # groups, 1, channels, n_inputs, positions
    if len(circuits) == 1:
        return _one(run, circuits[0], flat, parts[0], shape)
    found = []
    for number, circuit in enumerate(circuits):
        group, rest = divmod(number, layout.filters * layout.channels)
        own = flat[group : group + 1, :, rest % layout.channels : rest % layout.channels + 1]
        found.append(_one(run, circuit, own, parts[number], (1, 1, 1)))
    return torch.cat(found).reshape(*shape, *found[0].shape[3:])


def _one(run: Run, circuit: Circuit, inputs: Tensor, parts: tuple[Tensor, ...], shape: tuple[int, int, int]) -> Tensor:
    flat, *rest = parts
    names = [name for name, _ in circuit.weight_shapes]
    own = dict(zip(names, rest[: len(names)], strict=True))
    inputs = bits(circuit, inputs)
    values = extended(circuit, inputs)
    if mixed_values(circuit):
        values = _with_mixed(circuit, inputs, values, own, shape)
    rows = flat.expand(math.prod(shape), -1).reshape(*shape, flat.shape[-1])
    found = run(circuit, values, rows, list(rest[len(names) :]), shape)
    if inputs.requires_grad and not found.requires_grad:
        found = found + (0 * inputs).sum(-2, keepdim=True).to(
            found.dtype
        )  # a circuit that reads nothing still has a gradient
    return found


def _with_mixed(
    circuit: Circuit, inputs: Tensor, values: Tensor, own: Mapping[str, Tensor], shape: tuple[int, int, int]
) -> Tensor:
    """Fill in the program's values that depend on inputs and weights together."""
    every = inputs.expand(*shape, *inputs.shape[3:]).flatten(0, 2)
    rows = {name: wide(weight).expand(math.prod(shape), *weight.shape[1:]) for name, weight in own.items()}
    found = torch.unflatten(mixed(circuit, every, rows), 0, shape)
    places = torch.tensor([circuit.n_inputs + k for k in mixed_values(circuit)], device=inputs.device)
    return values.expand(*shape, *values.shape[3:]).index_copy(-2, places, found)


def angles_of(circuit: Circuit, angles: tuple[Angle, ...], values: Tensor | None, rows: Tensor) -> Tensor:
    """Angles in radians, in double precision, shape (angles, ..., positions or 1).

    Args:
        circuit: whose angles they are.
        angles: of some of its rotations.
        values: what angles read of windows, shape (..., n_values, positions); None if these read nothing.
        rows: flat weights, shape (..., numbers).
    """
    if not angles:
        return wide(rows.new_empty(0))
    arrays, given = _angle_maps(circuit, angles), wide(rows)
    offset, mixing, reading = (torch.as_tensor(array, dtype=given.dtype, device=rows.device) for array in arrays)
    found = (offset + torch.matmul(given, mixing)).movedim(-1, 0).unsqueeze(-1)
    if values is None or not arrays[2].any():
        return found
    if not arrays[1].any():
        found = offset.reshape(-1, *(1,) * (values.dim() - 1))  # without the rows' axes: the state is shared
    return found + torch.matmul(reading, wide(values)).movedim(-2, 0)


@lru_cache(maxsize=256)
def _angle_maps(circuit: Circuit, angles: tuple[Angle, ...]) -> tuple[Floats, Floats, Floats]:
    """Offsets (angles,), weights to angles (numbers, angles), and values to angles (angles, n_values)."""
    place = weight_offsets(circuit)
    mixing = np.zeros((len(place), len(angles)))
    reading = np.zeros((len(angles), circuit.n_values))
    for number, angle in enumerate(angles):
        for name, index, coefficient in angle.weights:
            mixing[place[name, index], number] += coefficient
        for index, coefficient in angle.inputs:
            reading[number, index] += coefficient
    offset = np.array([angle.offset for angle in angles])
    # Arrays and no tensors: those made under inference mode or while tracing would be of no use later.
    return offset, mixing, reading
