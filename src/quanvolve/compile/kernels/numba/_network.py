"""Networks of all windows."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.kernels.numba import _sweep
from quanvolve.compile.kernels.numba._arrays import Floats, Numbers
from quanvolve.compile.kernels.numba._launch import WindowWork, launch, pixels_of
from quanvolve.compile.kernels.numba._memory import Sum, array
from quanvolve.compile.tables._features import Readers, SiteTables
from quanvolve.compile.tables._network import NetworkTables, Sweeps


class Network:
    """The kernel of `ops.network`."""

    def supports(self, tables: NetworkTables, images: Tensor, numbers: Tensor) -> bool:
        """Angles that are multiples of one pixel, and a batch that is not known to be empty."""
        empty = isinstance(images.shape[0], int) and not images.shape[0]
        return tables.features is not None and not empty

    def forward(self, tables: NetworkTables, images: Tensor, numbers: Tensor) -> Tensor:
        """Shape (images, groups, outputs, *places)."""
        arguments, work = _prepared(tables, images, numbers)
        groups, outputs = tables.layout.groups, tables.layout.outputs
        places = tables.grid.places(tuple(images.shape[2:]))
        out = torch.empty((len(images), groups, outputs, *places), dtype=numbers.dtype)
        parts, pieces = work.forward(work.places + 1)
        flat = array(out).reshape(len(images), groups, outputs, -1)
        launch(_sweep.forward, parts, *arguments, pieces, flat)
        return out

    def backward(
        self, tables: NetworkTables, grad: Tensor, images: Tensor, numbers: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by images and numbers."""
        arguments, work = _prepared(tables, images, numbers)
        pixels, flat_numbers = arguments[:2]
        parts, pieces = work.backward(flat_numbers.nbytes)
        d_out = array(grad).reshape(len(images), tables.layout.groups, tables.layout.outputs, -1)
        d_numbers = Sum(parts, flat_numbers.shape, numbers.dtype)
        d_images = Sum(pieces if wanted[0] else 0, pixels.shape, numbers.dtype)
        into = d_numbers.parts, d_images.parts
        launch(_sweep.backward, parts, *arguments, pieces, d_out, *into)
        to_images = None
        if wanted[0]:
            to_images = d_images.total().reshape(images.shape).to(images.dtype)
        return to_images, d_numbers.total() if wanted[1] else None


def _prepared(
    tables: NetworkTables, images: Tensor, numbers: Tensor
) -> tuple[tuple[Numbers, Floats, Sweeps, SiteTables, Readers], WindowWork]:
    """What the loops take, and how much there is to do."""
    assert tables.features is not None
    readers = tables.readers(images.shape[1], tuple(images.shape[2:]))
    flat_numbers = array(numbers)
    n_places = len(readers.places)
    work = WindowWork(len(images), tables.layout.groups, n_places, tables.products * n_places)
    return (pixels_of(images), flat_numbers, tables.sweeps, tables.features.sites, readers), work


kernel = Network()
