"""State vectors of all windows, with gradients by the adjoint method (Jones and Gacon 2020, arXiv:2009.02823)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
import triton
from torch import Tensor

from quanvolve.compile.kernels.triton import _gates, _matrices, _measured
from quanvolve.compile.kernels.triton._circuits import Circuits, alike, circuits_on
from quanvolve.compile.kernels.triton._launch import OPTIONS, kept, on_device_of
from quanvolve.compile.tables._states import StateTables

_BLOCK = 32
"""Most windows of a program: a row of them fills a line of the cache."""
_TILE, _TILE_BACK = 1024, 512
"""Pairs of amplitudes of a program that are in registers at once, forward and backward."""
_OUTPUTS = 4
"""Outputs of a program that measures."""
_FEW = 512
"""Fewer programs than these do not fill a device: states are then cut into parts, where they are large enough."""
_PART = 8
"""Fewest runs of amplitudes that make a part worth a launch for every step."""
_ROOM = 2**28
"""Numbers of states, matrices and their gradients that are there at once; further windows wait."""


class _Work(NamedTuple):
    """States of some windows on their way through the circuits.

    Args:
        circuits: of all rows.
        shape: groups, filters, channels.
        values: what angles read, shape (groups, channels, values, windows).
        base: half angles by weights, shape (rows, rotations).
        matrices: of all runs, shape (rows, numbers).
        block: windows of a program.
    """

    circuits: Circuits
    shape: tuple[int, int, int]
    values: Tensor
    base: Tensor
    matrices: Tensor
    block: int

    @property
    def rows(self) -> int:
        groups, filters, channels = self.shape
        return groups * filters * channels

    @property
    def windows(self) -> int:
        return self.values.shape[3]

    def programs(self, rows: int, windows: int) -> int:
        """For so many rows, which are side by side where they share a circuit, and windows."""
        lanes = (rows, windows) if self.many else (1, rows * windows)
        return lanes[0] * int(triton.cdiv(lanes[1], self.block))

    @property
    def many(self) -> bool:
        return self.circuits.circuits > 1

    def buffer(self) -> Tensor:
        """For states: (rows, 2 halves, 2, basis states, windows)."""
        shape = (self.rows, 2, 2, self.circuits.dimension, self.windows)
        return torch.empty(shape, dtype=self.matrices.dtype, device=self.values.device)

    def tile(self, most: int, rows: int) -> int:
        """How many of so many rows of amplitudes, or of pairs of them, are in registers at once."""
        return int(min(rows, max(1, most // self.block)))

    def parts(self, runs: int) -> int:
        """Into how many parts states of so many runs of amplitudes are cut."""
        if runs < _PART or self.programs(self.rows, self.windows) >= _FEW:
            return 1
        return int(min(runs, triton.cdiv(2 * _FEW, self.programs(self.rows, self.windows))))


class States:
    """The kernel of `ops.states`."""

    def supports(self, tables: StateTables, values: Tensor, weights: Tensor) -> bool:
        """Circuits of as many wires that prepare alike, and windows that are not known to be none."""
        windows = values.shape[3]
        empty = (isinstance(windows, int) and not windows) or values.dtype != torch.float64
        return not empty and kept(tables, "alike", torch.device("cpu"), lambda: alike(tables))

    def forward(self, tables: StateTables, values: Tensor, weights: Tensor) -> Tensor:
        """Shape (groups, filters, measured, windows)."""
        groups, _, _, windows = values.shape
        out = weights.new_empty((groups, tables.filters, tables.measured, windows))
        with on_device_of(values):
            for some, work in _works(tables, values.contiguous(), weights):
                out[..., some] = _measure(work, _run(work))
        return out

    def backward(
        self, tables: StateTables, grad: Tensor, values: Tensor, weights: Tensor, wanted: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients by values and weights."""
        values = values.contiguous()
        d_values = torch.empty_like(values)
        d_base: Tensor | None = None
        with on_device_of(values):
            for some, work in _works(tables, values, weights):
                by_base = _back(work, grad[..., some].contiguous(), d_values[..., some])
                d_base = by_base if d_base is None else d_base + by_base
            assert d_base is not None
            d_weights = _weights_back(work.circuits, d_base, len(weights)).to(weights.dtype)
        return d_values, d_weights


def _works(tables: StateTables, values: Tensor, weights: Tensor) -> Iterator[tuple[slice, _Work]]:
    """Windows whose states are there at once, with the matrices of their circuits."""
    groups, channels, n_values, windows = values.shape
    circuits = circuits_on(tables, weights.shape[1], n_values, weights.dtype, values.device)
    shape = (groups, tables.filters, channels)
    rows = groups * tables.filters * channels
    base = _half_angles(circuits, weights, rows)
    of_window = rows * 8 * (circuits.dimension + 2 * (circuits.runs[0][0] + circuits.runs[1][0]))
    together = max(1, _ROOM // (of_window * _BLOCK)) * _BLOCK
    for first in range(0, windows, together):
        some = slice(first, min(first + together, windows))
        count = some.stop - first
        whole, varying = circuits.runs[0][0], circuits.runs[1][0]
        matrices = weights.new_empty((rows, 8 * (varying * count + whole)))
        lanes = count if circuits.circuits > 1 else rows * count
        block = min(_BLOCK, triton.next_power_of_2(lanes))
        work = _Work(circuits, shape, values[..., some], base, matrices, block)
        for kind in (0, 1):
            if circuits.runs[kind][0]:
                _matrices.forward[_grid(work, kind)](
                    *_elements(work, kind), MANY=work.many, VARIES=kind, BLOCK=work.block, num_warps=1, **OPTIONS
                )
        yield some, work


def _grid(work: _Work, kind: int) -> tuple[int, int]:
    return work.programs(work.rows, work.windows if kind else 1), work.circuits.runs[kind][0]


def _elements(work: _Work, kind: int) -> tuple[Tensor | int, ...]:
    """What kernels take that make the matrices of a kind of runs."""
    circuits, (_, filters, channels) = work.circuits, work.shape
    most, runs = circuits.runs[kind]
    return (
        work.values, work.values.stride(1), work.values.stride(2), work.base, work.base.shape[1], runs, most,
        circuits.elements, circuits.forms, circuits.reads, circuits.read_values, circuits.read_factors,
        *_of_rows(work), filters, channels,
    )  # fmt: skip


def _of_rows(work: _Work) -> tuple[Tensor | int, ...]:
    """Matrices, the step between rows, windows, runs that vary, and rows."""
    return work.matrices, work.matrices.shape[1], work.windows, work.circuits.runs[1][0], work.rows


def _half_angles(circuits: Circuits, weights: Tensor, rows: int) -> Tensor:
    """By weights, shape (rows, rotations), in double precision."""
    flat = weights.double()
    if circuits.circuits == 1:
        angles = circuits.offsets + torch.matmul(flat, circuits.terms[0])
        return (0.5 * angles).expand(rows, -1).contiguous()
    flat = flat.expand(rows, -1)
    return 0.5 * (circuits.offsets + torch.matmul(flat.unsqueeze(1), circuits.terms).squeeze(1))


def _weights_back(circuits: Circuits, d_base: Tensor, rows: int) -> Tensor:
    """Gradients by weights from those by angles, shape (rows, rotations)."""
    if circuits.circuits == 1:
        gradient = torch.matmul(d_base, circuits.terms[0].T)
    else:
        gradient = torch.matmul(d_base.unsqueeze(1), circuits.terms.mT).squeeze(1)
    return gradient if len(gradient) == rows else gradient.sum(0, keepdim=True)


def _run(work: _Work) -> Tensor:
    """The last states of all windows."""
    circuits, states = work.circuits, work.buffer()
    programs, size = work.programs(work.rows, work.windows), circuits.dimension
    given = (states, *_of_rows(work), circuits.steps, circuits.starts)
    if circuits.prepared.shape[1]:
        _prepare(work, states)
    else:
        rows = work.tile(_TILE, size)
        _measured.product[(programs, size // rows)](
            *given, WIRES=circuits.wires, MANY=work.many, SIZE=size, ROWS=rows, BLOCK=work.block, **OPTIONS
        )
    pairs = work.tile(_TILE, size // 2)
    parts = work.parts(size // 2 // pairs)
    for begin, end in _launches(circuits, parts):
        _gates.forward[(programs, parts)](
            *given, circuits.sources, circuits.phases, begin, end, MANY=work.many, SIZE=size, PAIRS=pairs,
            BLOCK=work.block, num_warps=_warps(pairs * work.block), **OPTIONS,
        )  # fmt: skip
    return states


def _launches(circuits: Circuits, parts: int) -> list[tuple[int, int]]:
    """All steps in one launch, or each in one of its own, where states are cut into parts."""
    return [(0, circuits.most)] if parts == 1 else [(step, step + 1) for step in range(circuits.most)]


def _warps(numbers: int) -> int:
    return max(1, min(4, numbers // 256))


def _amplitudes(work: _Work) -> tuple[Tensor, Tensor]:
    """Amplitudes that the windows give, shape (groups, channels, amplitudes, windows), and 1 / |x| of each window.

    Divided by the largest value first, they have a length whatever their size; it is 0 where all values are.
    """
    given = work.values.index_select(2, work.circuits.prepared[1])
    largest = given.abs().amax(2, keepdim=True)
    empty = largest == 0
    given = torch.where(empty, 0.0, given / torch.where(empty, 1.0, largest))
    length = torch.where(empty, 1.0, given.square().sum(2, keepdim=True)).sqrt()
    return given / length, torch.where(empty, 0.0, 1 / (length * torch.where(empty, 1.0, largest)))


def _by_filter(work: _Work, states: Tensor) -> Tensor:
    """The first half of a buffer, real parts: shape (groups, filters, channels, basis states, windows)."""
    return torch.unflatten(states[:, 0, 0], 0, work.shape)


def _prepare(work: _Work, states: Tensor) -> None:
    states[:, 0] = 0
    amplitudes, inverse = _amplitudes(work)
    real = _by_filter(work, states)
    real[:, :, :, 0] = (inverse[:, None, :, 0] == 0).to(states.dtype)
    whole = work.circuits.prepared[0]
    real[:, :, :, whole] += amplitudes.to(states.dtype).unsqueeze(1)


def _prepare_back(work: _Work, duals: Tensor, d_values: Tensor) -> None:
    """Add (g_d - a_d sum_e a_e g_e) / |x| to the gradient by x_d, where a = x / |x| and g is that by the amplitudes."""
    amplitudes, inverse = _amplitudes(work)
    by = _by_filter(work, duals).index_select(3, work.circuits.prepared[0]).double().sum(1)
    along = (amplitudes * by).sum(2, keepdim=True)
    d_values[:, :, work.circuits.prepared[1]] += (by - amplitudes * along) * inverse


def _measure(work: _Work, states: Tensor) -> Tensor:
    """Shape (groups, filters, measured, windows)."""
    circuits, (groups, filters, channels) = work.circuits, work.shape
    rows = work.tile(_TILE_BACK, circuits.dimension)
    parts = work.parts(circuits.dimension // rows)
    measured = circuits.measured
    values = states.new_empty((parts, groups, filters, measured, work.windows))
    programs = work.programs(groups * filters, work.windows)
    _measured.measure[(programs, parts, triton.cdiv(measured, _OUTPUTS))](
        states, work.windows, groups * filters, circuits.starts, circuits.words, circuits.masks, circuits.observed,
        values, measured, channels, MANY=work.many, SIZE=circuits.dimension, ROWS=rows, OUTPUTS=_OUTPUTS,
        BLOCK=work.block, **OPTIONS,
    )  # fmt: skip
    return values.sum(0) if parts > 1 else values[0]


def _back(work: _Work, grad: Tensor, d_values: Tensor) -> Tensor:
    """Write gradients by values; gives those by the angles of weights, shape (rows, rotations)."""
    circuits, states, duals = work.circuits, _run(work), work.buffer()
    programs, size = work.programs(work.rows, work.windows), circuits.dimension
    rows = work.tile(_TILE_BACK, size)
    _measured.measure_back[(programs, size // rows)](
        states, work.windows, work.rows, circuits.starts, circuits.words, circuits.masks, circuits.observed, grad,
        duals, circuits.measured, work.shape[2], MANY=work.many, SIZE=size, ROWS=rows, BLOCK=work.block, **OPTIONS,
    )  # fmt: skip
    pairs = work.tile(_TILE_BACK, size // 2)
    parts = work.parts(size // 2 // pairs)
    whole, varying = circuits.runs[0][0], circuits.runs[1][0]
    slopes = states.new_zeros((work.rows, varying + whole, 8, parts, work.windows))
    for begin, end in _launches(circuits, parts):
        _gates.backward[(programs, parts)](
            states, duals, *_of_rows(work), whole, circuits.steps, circuits.starts, circuits.sources, circuits.phases,
            slopes, begin, end, MANY=work.many, SIZE=size, PAIRS=pairs, BLOCK=work.block,
            num_warps=_warps(pairs * work.block), **OPTIONS,
        )  # fmt: skip
    by_window = _angles_back(work, 1, slopes[:, :varying].sum(3))
    by_row = _angles_back(work, 0, slopes[:, varying:].sum((3, 4), dtype=torch.float64))
    _values_back(work, by_window, d_values)
    if circuits.prepared.shape[1]:
        _prepare_back(work, duals, d_values)
    both = torch.cat([by_row[..., 0].double(), by_window.sum(-1, dtype=torch.float64)], dim=1)
    return both.gather(1, circuits.order.expand(work.rows, -1))


def _angles_back(work: _Work, kind: int, slopes: Tensor) -> Tensor:
    """Gradients by angles from those by the matrices of a kind of runs, shape (rows, angles, windows or 1)."""
    angles = work.circuits.angles[kind]
    d_angles = work.matrices.new_zeros((work.rows, angles, work.windows if kind else 1))
    if work.circuits.runs[kind][0]:
        _matrices.backward[_grid(work, kind)](
            *_elements(work, kind),
            slopes,
            d_angles,
            angles,
            MANY=work.many,
            VARIES=kind,
            BLOCK=work.block,
            num_warps=1,
            **OPTIONS,
        )
    return d_angles


def _values_back(work: _Work, d_angles: Tensor, d_values: Tensor) -> None:
    circuits = work.circuits
    groups, channels, n_values = d_values.shape[:3]
    if n_values:
        _matrices.values_back[(work.programs(groups * channels, work.windows), n_values)](
            d_angles, circuits.angles[1], circuits.uses, circuits.use_places, circuits.use_factors, d_values,
            d_values.stride(1), d_values.stride(2), n_values, work.windows, groups * channels, work.shape[1], channels,
            MANY=work.many, BLOCK=work.block, num_warps=1, **OPTIONS,
        )  # fmt: skip


kernel = States()
