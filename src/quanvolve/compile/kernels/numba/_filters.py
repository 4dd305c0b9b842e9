"""Weights and images straight to values, for steps so small that what lies between the loops costs more than these."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _dense, _pauli_words
from quanvolve.compile.kernels.numba._arrays import Floats
from quanvolve.compile.kernels.numba._coefficients import chunk_of
from quanvolve.compile.kernels.numba._entries import pack, pack_all, unpack
from quanvolve.compile.kernels.numba._launch import WindowWork
from quanvolve.compile.kernels.numba._memory import array
from quanvolve.compile.tables._coefficients import PauliSteps, pauli_steps
from quanvolve.compile.tables._features import Readers, SiteTables
from quanvolve.compile.tables._filters import FilterTables
from quanvolve.compile.tables._tiles import ROWS, Tiles


class _Ready(NamedTuple):
    """What is the same in every step with images of one shape.

    Args:
        steps, chunk: of the circuit, and how many observables are evolved together.
        tiles, sites, readers: as the loops over windows take them.
        places: along each axis.
        rows, packed, every: shapes of the coefficients by row, and in the order of either kind of entries.
        alone: whether one row is all there is, so that coefficients need no other order.
    """

    steps: PauliSteps
    chunk: int
    tiles: Tiles
    sites: SiteTables
    readers: Readers
    places: tuple[int, ...]
    rows: tuple[int, int, int]
    packed: tuple[int, int, int, int]
    every: tuple[int, int, int, int]
    alone: bool


class Filters:
    """Both kernels in one, on one thread."""

    def supports(self, tables: FilterTables, images: Tensor, flat: Tensor) -> bool:
        """Dense polynomials of circuits without channels, and no more than one thread should do."""
        return self._ready(tables, images, flat) is not None

    def forward(self, tables: FilterTables, images: Tensor, flat: Tensor) -> tuple[Tensor, Floats]:
        """Values (images, groups * outputs, *places), and the coefficients, which the gradients take again.

        Args:
            flat: weights, shape (rows, numbers).
        """
        ready = self._ready(tables, images, flat)
        assert ready is not None
        weights, layout = array(flat), tables.layout
        rows = np.empty(ready.rows, weights.dtype)
        _pauli_words.forward(0, 1, weights, ready.chunk, ready.steps, rows)
        numbers = _arranged(tables, ready, rows)
        packed = np.zeros(ready.packed, weights.dtype)
        pack(numbers, ready.tiles, ready.sites.right, packed)
        out = torch.empty((len(images), layout.groups * layout.outputs, *ready.places), dtype=flat.dtype)
        values = array(out).reshape(len(images), layout.groups, layout.outputs, -1)
        pixels = array(images).reshape(len(images), -1)
        _dense.forward(0, 1, pixels, packed, ready.tiles, ready.sites, ready.readers, 1, values)
        return out, numbers

    def backward(
        self, tables: FilterTables, grad: Tensor, images: Tensor, flat: Tensor, numbers: Floats, wanted: bool
    ) -> tuple[Tensor | None, Tensor]:
        """Gradients by images, where it is wanted, and by weights.

        Args:
            grad: of the values.
            numbers: from :meth:`forward`.
            wanted: whether the images' gradient is.
        """
        ready = self._ready(tables, images, flat)
        assert ready is not None
        layout, tiles, right, kind = tables.layout, ready.tiles, ready.sites.right, numbers.dtype
        packed, d_packed = np.zeros(ready.packed, kind), np.zeros((1, *ready.packed), kind)
        pack(numbers, tiles, right, packed)
        every = np.zeros(ready.every if wanted else (0, *ready.every[1:]), kind)
        pixels = array(images).reshape(len(images), -1)
        to_images = torch.zeros(images.shape, dtype=flat.dtype) if wanted else None
        if to_images is None:
            d_images = np.empty((0, *pixels.shape), kind)
        else:
            pack_all(numbers, tiles, right, every)
            d_images = array(to_images).reshape(1, *pixels.shape)
        d_out = array(grad).reshape(len(images), layout.groups, layout.outputs, -1)
        _dense.backward(0, 1, pixels, packed, every, tiles, ready.sites, ready.readers, 1, d_out, d_packed, d_images)
        d_numbers = np.zeros(numbers.shape, kind)
        unpack(d_packed[0], tiles, right, d_numbers)
        weights = array(flat)
        pieces = -(-ready.rows[1] // ready.chunk)
        to_flat = torch.zeros((pieces, *flat.shape), dtype=flat.dtype)
        d_rows = _of_rows(tables, ready, d_numbers)
        _pauli_words.backward(0, 1, weights, ready.chunk, ready.steps, d_rows, array(to_flat))
        return to_images if to_images is None else to_images.to(images.dtype), to_flat[
            0
        ] if pieces == 1 else to_flat.sum(0)

    @staticmethod
    def _ready(tables: FilterTables, images: Tensor, flat: Tensor) -> _Ready | None:
        return tables.by_shape.get((images.shape, flat.dtype), lambda: _made(tables, images, flat))


def _made(tables: FilterTables, images: Tensor, flat: Tensor) -> _Ready | None:
    polynomial, layout, recipe = tables.polynomial, tables.layout, tables.polynomial.recipe
    if tables.coefficients.noisy or len(polynomial.recipes) > 1 or polynomial.features is None:
        return None
    if polynomial.few is not None or not len(images):
        return None
    size, sites, tiles = tuple(images.shape[2:]), polynomial.features.sites, polynomial.tiles
    readers, steps = polynomial.readers(images.shape[1], size), pauli_steps(recipe)
    rows = tables.coefficients.shape(layout.rows)
    packed = (layout.groups, layout.channels, len(tiles.right), ROWS)
    every = (layout.groups, layout.channels, len(tiles.all_right), ROWS * len(tiles.outputs))
    places = len(readers.places)
    work = WindowWork(len(images), layout.groups, places, float(np.prod(packed)) * places)
    if work.backward(1)[0] > 1:
        return None
    alone = layout.rows == 1 and layout.outputs == rows[1]
    return _Ready(
        steps, chunk_of(steps, rows[1], flat.element_size()), tiles, sites, readers, polynomial.grid.places(size), rows,
        packed, every, alone,
    )  # fmt: skip


def _arranged(tables: FilterTables, ready: _Ready, rows: Floats) -> Floats:
    """(rows, measured, features) to (groups, outputs, channels, features), without the surplus."""
    layout, (_, measured, count) = tables.layout, ready.rows
    if ready.alone:
        return rows.reshape(1, measured, 1, count)
    split = rows.reshape(*layout.shape, measured, count).transpose(0, 1, 3, 2, 4)
    merged = split.reshape(layout.groups, layout.filters * measured, layout.channels, count)
    return np.ascontiguousarray(merged[:, : layout.outputs])


def _of_rows(tables: FilterTables, ready: _Ready, numbers: Floats) -> Floats:
    """The opposite of :func:`_arranged`, with zeros for the surplus."""
    layout, (_, measured, count) = tables.layout, ready.rows
    if ready.alone:
        return numbers.reshape(1, measured, count)
    whole = np.zeros((layout.groups, layout.filters * measured, layout.channels, count), numbers.dtype)
    whole[:, : layout.outputs] = numbers
    split = whole.reshape(layout.groups, layout.filters, measured, layout.channels, count).transpose(0, 1, 3, 2, 4)
    return np.ascontiguousarray(split).reshape(ready.rows)


kernel = Filters()
