"""Polynomials of all windows: dense, or only the products that a coefficient needs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from quanvolve.compile.kernels.triton import _dense, _sparse
from quanvolve.compile.kernels.triton._dense import Dense
from quanvolve.compile.kernels.triton._fold import alone, folded
from quanvolve.compile.kernels.triton._launch import doubles, kept, moved
from quanvolve.compile.kernels.triton._sparse import Sparse
from quanvolve.compile.kernels.triton._windows import MOST, Element, Geometry, Shape, elements_of, fits
from quanvolve.compile.tables._polynomial import PolynomialTables

_FUNCTIONS = 64
"""Functions of a window that a program holds, at most."""


class _Prepared(NamedTuple):
    """What the kernels take.

    Args:
        kind: what they are compiled for.
        shape, elements: of the windows.
        factors: what pixels are multiplied with.
        geometry: of the images.
        together: images of one launch.
    """

    kind: Dense | Sparse
    shape: Shape
    elements: tuple[Element, ...]
    factors: Tensor
    geometry: Geometry
    together: int


class Polynomial:
    """The kernel of `ops.polynomial`."""

    def supports(self, tables: PolynomialTables, images: Tensor, coefficients: Tensor) -> bool:
        """Angles that are multiples of one pixel, few enough functions, and a batch that is not known to be empty."""
        if isinstance(images.shape[0], int) and not images.shape[0]:
            return False
        table = tables.features
        if table is None or len(table.sites.factors) > _FUNCTIONS or max(table.sites.sizes) > _dense.RIGHT:
            return False
        results = tables.layout.groups * coefficients.shape[1] * images.shape[2:].numel()
        return fits(images) and results < MOST

    def forward(self, tables: PolynomialTables, images: Tensor, coefficients: Tensor) -> Tensor:
        """Shape (images, groups, outputs, *places)."""
        ready = _prepared(tables, images, coefficients)
        places = tables.grid.places(tuple(images.shape[2:]))
        out = torch.empty(
            (len(images), *coefficients.shape[:2], *places), dtype=coefficients.dtype, device=images.device
        )
        coefficients = coefficients.contiguous()
        for some in _pieces(len(images), ready.together):
            arguments = ready.geometry, ready.factors, images[some], coefficients, out[some]
            if isinstance(ready.kind, Dense):
                _dense.forward(ready.kind, *arguments)
            else:
                _sparse.forward(ready.kind, *arguments)
        return out

    def backward(
        self, tables: PolynomialTables, grad: Tensor, images: Tensor, coefficients: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by images and coefficients."""
        ready = _prepared(tables, images, coefficients)
        grad, coefficients = grad.contiguous(), coefficients.contiguous()
        pieces = _pieces(len(images), ready.together)
        to_images = to_coefficients = None
        if wanted[0]:
            parts = [_by_images(tables, ready, images[some], coefficients, grad[some]) for some in pieces]
            to_images = (parts[0] if len(parts) == 1 else torch.cat(parts)).to(images.dtype)
        if wanted[1]:
            for some in pieces:
                arguments = ready.geometry, ready.factors, images[some], grad[some], coefficients
                if isinstance(ready.kind, Dense):
                    part = _dense.by_coefficients(ready.kind, *arguments)
                else:
                    part = _sparse.by_coefficients(ready.kind, *arguments, _places(tables, ready.kind, images.device))
                to_coefficients = part if to_coefficients is None else to_coefficients + part
        return to_images, to_coefficients


def _by_images(
    tables: PolynomialTables, ready: _Prepared, images: Tensor, coefficients: Tensor, grad: Tensor
) -> Tensor:
    direct = alone(tables.grid)
    if direct:  # pixels that no window reads stay zero
        d_pixels = torch.zeros_like(images, dtype=coefficients.dtype)
        to: Geometry | None = Geometry.of(d_pixels, tables.grid)
    else:
        circuits = images.shape[1] // ready.shape.joined
        shape = (circuits, len(ready.elements), len(images), ready.geometry.places.number)
        every = isinstance(ready.kind, Dense) and len(ready.kind.encoding.used) == len(ready.elements)
        d_pixels = (torch.empty if every else torch.zeros)(shape, dtype=coefficients.dtype, device=images.device)
        to = None
    arguments = ready.geometry, ready.factors, images, coefficients, grad, d_pixels, to
    if isinstance(ready.kind, Dense):
        _dense.by_images(ready.kind, *arguments)
    else:
        _sparse.by_images(ready.kind, *arguments)
    return d_pixels if direct else folded(d_pixels, images, tables.grid, ready.shape, ready.elements)


def _places(tables: PolynomialTables, sparse: Sparse, device: torch.device) -> Tensor:
    """Of the terms of all sums among the coefficients."""
    places = np.array([place for circuit in sparse.sums for _, _, place in circuit.terms])
    return kept(tables, "places", device, lambda: moved(places, device, torch.int64))


def _prepared(tables: PolynomialTables, images: Tensor, coefficients: Tensor) -> _Prepared:
    table = tables.features
    assert table is not None
    channels = images.shape[1] // tables.layout.groups
    joined = channels if tables.grid.joint else 1

    def make() -> tuple[Dense | Sparse, Shape, tuple[Element, ...], Tensor]:
        shape, elements = Shape.of(tables.grid, joined), elements_of(tables.grid, joined)
        factors = doubles((table.multipliers * tables.scale).tolist(), images.device)
        few = None if tables.few is None else Sparse.of(tables.few, table, elements, shape, tables.layout)
        # Where there are too many products to write them out, all of them are evaluated.
        return few or Dense.of(table, elements, shape, channels // joined), shape, elements, factors

    ready = kept(tables, ("polynomial", joined), images.device, make)
    pixels = max(1, images.shape[1:].numel())
    return _Prepared(*ready, Geometry.of(images, tables.grid), max(1, MOST // pixels))


def _pieces(images: int, together: int) -> list[slice]:
    return [slice(start, start + together) for start in range(0, images, together)]


kernel = Polynomial()
