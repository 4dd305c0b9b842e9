"""Two-qubit blocks in Cartan's form in plain torch; the formula stands in `tables._cartan`."""

from __future__ import annotations

import torch
from torch import Tensor

from quanvolve.compile.batch._constants import constant
from quanvolve.compile.batch._precision import turned, wide
from quanvolve.compile.tables._cartan import CartanTables


def cartan_numbers(tables: CartanTables, weights: Tensor) -> Tensor:
    """The numbers of blocks with weights (rows, 9): shape (rows, 3, words)."""
    cosines, sines = turned(wide(weights), weights.dtype)
    p, q = (_rotation(cosines[:, n : n + 3], sines[:, n : n + 3]) for n in (0, 3))
    c, s = cosines[:, 6:, None], sines[:, 6:, None]
    blocks = []
    for m in range(3):
        y, z = (m + 1) % 3, (m + 2) % 3
        first = (c[:, y] * c[:, z]) * p[:, m]
        second = (s[:, y] * s[:, z]) * q[:, m]
        both = _outer(c[:, y] * s[:, z] * -p[:, y], q[:, z]) + _outer(s[:, y] * c[:, z] * p[:, z], q[:, y])
        top = torch.cat([torch.zeros_like(first[:, :1]), second], dim=1)
        blocks.append(torch.cat([top.unsqueeze(1), torch.cat([first.unsqueeze(2), both], dim=2)], dim=1))
    numbers = torch.stack(blocks, dim=1).flatten(2)
    words = constant(tables.words, weights.device)
    return numbers.index_select(2, words) * constant(tables.signs, weights.device, weights.dtype)


def _outer(first: Tensor, second: Tensor) -> Tensor:
    return first.unsqueeze(2) * second.unsqueeze(1)


def _rotation(cosines: Tensor, sines: Tensor) -> Tensor:
    """Of Bloch vectors by RZ, RY, RZ: shape (rows, 3, 3)."""
    (c0, c1, c2), (s0, s1, s2) = cosines.unbind(1), sines.unbind(1)
    rows = [
        [c2 * c1 * c0 - s2 * s0, -c2 * c1 * s0 - s2 * c0, c2 * s1],
        [s2 * c1 * c0 + c2 * s0, -s2 * c1 * s0 + c2 * c0, s2 * s1],
        [-s1 * c0, s1 * s0, c1],
    ]
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
