"""Trees of blocks on all images, level by level."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import triton
from torch import Tensor

from quanvolve.compile.kernels.triton import _blocks, _pairs
from quanvolve.compile.kernels.triton._launch import OPTIONS, kept, moved, on_device_of
from quanvolve.compile.tables._tree import TreeLevel, TreeTables

_BLOCK = 128
"""Images of a program: four to a thread of one warp, so that a number of a block is read once for all of them."""
_UNROLLED = 256
"""Products of a block of two inputs that are written out one by one."""
_CHUNK = 16
"""Products that are summed over at once in other blocks."""
_PROGRAMS = 2048
"""Programs that fill a device: images are cut into pieces for the gradients of the numbers where there are fewer."""
_ROOM = 2**28
"""Numbers of the states of all levels that are there at once; further images wait."""


class _Side(NamedTuple):
    """The leading inputs of blocks, or the others.

    Args:
        first, inputs, products: of the side's inputs the first, how many there are, and products of them.
        digits: which number of each input a product has, shape (products, inputs); -1 for the constant.
        members, starts: the products that have a row as a factor, and where those of each row of the inputs begin.
        targets: (input, digit) of each row.
        step: numbers of a map between products.
    """

    first: int
    inputs: int
    products: int
    digits: Tensor
    members: Tensor
    starts: Tensor
    targets: Tensor
    step: int


class _Level(NamedTuple):
    """A level on a device.

    Args:
        level: its sizes.
        first: where its numbers begin.
        rows: that each block and input begins with.
        sides: the leading inputs and the others; none where all products are written out.
    """

    level: TreeLevel
    first: int
    rows: Tensor
    sides: tuple[_Side, _Side] | None

    def constants(self) -> dict[str, int | bool]:
        """For the kernels of `_pairs`."""
        first, second = self.level.sizes
        return {
            "FIRST": first,
            "SECOND": second,
            "OUTPUTS": self.level.outputs,
            "BLOCK": _BLOCK,
            "num_warps": 1,
            **OPTIONS,
        }


class Tree:
    """The kernel of `ops.tree`."""

    def supports(self, tables: TreeTables, leaves: Tensor, maps: Tensor) -> bool:
        """Numbers of one type, and a batch that is not known to be empty."""
        empty = isinstance(leaves.shape[1], int) and not leaves.shape[1]
        return leaves.dtype == maps.dtype and not empty

    def forward(self, tables: TreeTables, leaves: Tensor, maps: Tensor) -> Tensor:
        """Shape (trees, rows of the last level, images)."""
        leaves, maps = leaves.contiguous(), maps.contiguous()
        out = torch.empty((tables.trees, tables.rows, leaves.shape[1]), dtype=maps.dtype, device=maps.device)
        with on_device_of(leaves):
            for some in _runs(tables, leaves):
                _climb(tables, leaves[:, some], maps, out[:, :, some])
        return out

    def backward(
        self, tables: TreeTables, grad: Tensor, leaves: Tensor, maps: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by leaves and maps."""
        leaves, maps, grad = leaves.contiguous(), maps.contiguous(), grad.contiguous()
        d_leaves = torch.empty_like(leaves) if wanted[0] else None
        d_maps = torch.zeros_like(maps)
        with on_device_of(leaves):
            for some in _runs(tables, leaves):
                last = grad[:, :, some]
                states = _climb(tables, leaves[:, some], maps, torch.empty_like(last))
                _descend(tables, states, maps, last, d_maps, None if d_leaves is None else d_leaves[:, some])
        return d_leaves, d_maps


def _runs(tables: TreeTables, leaves: Tensor) -> Iterator[slice]:
    """Images whose states are there at once."""
    rows = tables.trees * sum(len(level.rows) * level.outputs for level in tables.levels)
    together = max(1, _ROOM // (2 * rows * _BLOCK)) * _BLOCK
    for first in range(0, leaves.shape[1], together):
        yield slice(first, first + together)


def _climb(tables: TreeTables, leaves: Tensor, maps: Tensor, out: Tensor) -> list[Tensor]:
    """What each level reads, shape (trees, rows, images); the leaves have one tree. The last level's goes to `out`."""
    levels = _levels(tables, maps.device)
    images = leaves.shape[1]
    states = [leaves.unsqueeze(0)]
    for number, one in enumerate(levels):
        level, state = one.level, states[-1]
        made = len(level.rows) * level.outputs
        to = out if number == len(levels) - 1 else out.new_empty((tables.trees, made, images))
        given = (*_of(state), maps[:, one.first :], *_steps(maps, level), one.rows)
        blocks = len(level.rows)
        if one.sides is None:
            _pairs.forward[_grid(tables.trees, blocks, images)](
                *given, *_of(to), images, tables.trees, blocks, **one.constants()
            )
        else:
            left, right = one.sides
            _blocks.forward[_grid(tables.trees, blocks * level.outputs, images)](
                *given, left.digits, right.digits, *_of(to), images, tables.trees, blocks, level.outputs,
                left.products, left.inputs, right.products, right.inputs, _chunk(right), _BLOCK,
                **OPTIONS,
            )  # fmt: skip
        states.append(to)
    return states


def _descend(
    tables: TreeTables, states: list[Tensor], maps: Tensor, grad: Tensor, d_maps: Tensor, d_leaves: Tensor | None
) -> None:
    """Gradients of all levels, the last one first; those by the numbers are added to `d_maps`."""
    for number, one in reversed(list(enumerate(_levels(tables, maps.device)))):
        state, last = states[number], one.first + one.level.numbers
        d_maps[:, one.first : last] += _numbers_back(tables, one, state, grad)
        to = d_leaves.unsqueeze(0) if number == 0 and d_leaves is not None else torch.empty_like(state)
        if number > 0 or d_leaves is not None:
            _inputs_back(tables, one, state, maps, grad, to)
        grad = to


def _numbers_back(tables: TreeTables, one: _Level, state: Tensor, grad: Tensor) -> Tensor:
    """Gradients by a level's numbers, shape (trees, numbers)."""
    level, images = one.level, state.shape[2]
    blocks = len(level.rows)
    tasks = tables.trees * blocks * level.outputs * (1 if one.sides is None else one.sides[0].products)
    pieces = max(1, min(triton.cdiv(images, _BLOCK), _PROGRAMS // tasks))
    parts = grad.new_empty((pieces, tables.trees, blocks, level.outputs * level.features))
    if one.sides is None:
        _pairs.maps_back[(tasks * pieces,)](
            *_of(state), one.rows, *_of(grad), parts, images, tables.trees, blocks, pieces, **one.constants()
        )
    else:
        left, right = one.sides
        _blocks.maps_back[(tasks * pieces,)](
            *_of(state), one.rows, left.digits, right.digits, *_of(grad), parts, images, tables.trees, blocks,
            level.outputs, pieces, left.products, left.inputs, right.products, right.inputs, _chunk(right), _BLOCK,
            **OPTIONS,
        )  # fmt: skip
    return parts.sum((0, 2)) if level.shared else parts.sum(0).flatten(1)


def _inputs_back(tables: TreeTables, one: _Level, state: Tensor, maps: Tensor, grad: Tensor, to: Tensor) -> None:
    """Gradients by what a level reads; those by leaves are sums over the trees."""
    level, images, trees = one.level, state.shape[2], len(state)
    blocks, summed = len(level.rows), tables.trees // trees
    given = (*_of(state), maps[:, one.first :], *_steps(maps, level), one.rows)
    if one.sides is None:
        _pairs.inputs_back[_grid(trees, blocks, images)](
            *given, *_of(grad), *_of(to), images, trees, blocks, summed, **one.constants()
        )
        return
    for own, other in (one.sides, one.sides[::-1]):
        if not len(own.targets):
            continue
        _blocks.inputs_back[_grid(trees, blocks * len(own.targets), images)](
            *given, len(level.sizes), own.members, own.starts, own.targets, len(own.targets), own.digits, own.step,
            other.digits, other.step, *_of(grad), *_of(to), images, trees, blocks, level.outputs, level.features,
            summed, own.first, own.inputs, other.first, other.products, other.inputs, _chunk(other), _BLOCK,
            **OPTIONS,
        )  # fmt: skip


def _of(state: Tensor) -> tuple[Tensor, int, int]:
    """Rows of trees, and the steps between trees, of which the leaves have none, and between rows."""
    return state, state.stride(0) if len(state) > 1 else 0, state.stride(1)


def _steps(maps: Tensor, level: TreeLevel) -> tuple[int, int]:
    return maps.stride(0), 0 if level.shared else level.outputs * level.features


def _grid(trees: int, blocks: int, images: int) -> tuple[int]:
    return (trees * blocks * triton.cdiv(images, _BLOCK),)


def _chunk(side: _Side) -> int:
    return int(min(_CHUNK, triton.next_power_of_2(side.products)))


def _levels(tables: TreeTables, device: torch.device) -> list[_Level]:
    def make() -> list[_Level]:
        made, first = [], 0
        for level in tables.levels:
            unrolled = len(level.sizes) == 2 and level.outputs * level.features <= _UNROLLED
            sides = None if unrolled else _sides(level.sizes, device)
            made.append(_Level(level, first, moved(level.rows, device), sides))
            first += level.numbers
        return made

    return kept(tables, "tree", device, make)


def _sides(sizes: tuple[int, ...], device: torch.device) -> tuple[_Side, _Side]:
    """Cut where both sides have few products."""
    cut = min(range(len(sizes)), key=lambda k: prod(sizes[:k]) + prod(sizes[k:]))
    right = prod(sizes[cut:])
    return _side(sizes[:cut], 0, right, device), _side(sizes[cut:], cut, 1, device)


def _side(sizes: tuple[int, ...], first: int, step: int, device: torch.device) -> _Side:
    digits = np.indices(sizes).reshape(len(sizes), -1).T - 1 if sizes else np.zeros((1, 0), int)
    targets = [(n, digit) for n, size in enumerate(sizes) for digit in range(size - 1)]
    runs: list[npt.NDArray[Any]] = [np.flatnonzero(digits[:, n] == digit) for n, digit in targets]
    members = np.concatenate(runs) if runs else np.zeros(0, int)
    starts = np.concatenate([[0], np.cumsum([len(run) for run in runs])])
    return _Side(
        first, len(sizes), len(digits), moved(digits, device), moved(members, device), moved(starts, device),
        moved(np.array(targets, int).reshape(-1, 2), device), step,
    )  # fmt: skip


kernel = Tree()
